"""Subscriptions: their documents, their secrets and their deletion."""

from __future__ import annotations

import re
from typing import Any

import boto3
import pytest

from sluice.container import Container
from support.client import Client
from support.functions import LocalFunctions
from support.webhooks import HOOK, Hook, publish, subscribe


def test_secret_is_shown_once_and_stored_in_ssm_only(admin: Client, services: Container) -> None:
    created = subscribe(admin)
    secret, path = created.pop("secret"), f"/subscriptions/{created['id']}"
    assert re.fullmatch(r"whsec_[\w-]{43}", secret)
    assert admin.get(path).json() == created
    assert admin.get("/subscriptions").json()["items"] == [created]
    stored = services.definitions.get("subscription", created["id"])
    assert secret not in str(stored)
    assert services.webhook_secrets.value(created["id"]) == secret
    assert admin.get("/secrets").json()["items"] == [], "it is no secret of a datasource"
    again = [admin.post("/subscriptions", {"event": "run.failed", "webhook": HOOK}, idempotency_key="k") for _ in "ab"]
    assert ["secret" in answer.json() for answer in again] == [True, False]


def test_rotation_replaces_the_secret(admin: Client, services: Container) -> None:
    created = subscribe(admin)
    answer = admin.post(f"/subscriptions/{created['id']}/rotate")
    assert answer.json()["secret"] == services.webhook_secrets.value(created["id"]) != created["secret"]
    assert answer.headers["ETag"] == '"2"'


def test_deletion_ends_deliveries_and_removes_the_secret(
    admin: Client, services: Container, hook: Hook, functions: LocalFunctions
) -> None:
    created = subscribe(admin)
    publish(admin)
    assert admin.delete(f"/subscriptions/{created['id']}", if_match='"7"').status == 412
    assert admin.delete(f"/subscriptions/{created['id']}", if_match='"1"').status == 204
    assert functions.run() == [{"status": None}]
    assert hook.requests == []
    assert (
        boto3.client("ssm").describe_parameters(
            ParameterFilters=[{"Key": "Name", "Option": "BeginsWith", "Values": ["/sluice/main/webhooks/"]}]
        )["Parameters"]
        == []
    )
    assert admin.get(f"/subscriptions/{created['id']}").status == 404


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"event": "run.ended"}, "/event"),
        ({"webhook": "http://hooks.example.com"}, "/webhook"),
        ({"webhook": "ftp://hooks.example.com"}, "/webhook"),
        ({"webhook": "https://user:pass@hooks.example.com"}, "/webhook"),
        ({"webhook": "https://hooks.example.com/#part"}, "/webhook"),
        ({"webhook": "https://hooks.example.com/a b"}, "/webhook"),
        ({"webhook": "https://hooks.example.com:99999/"}, "/webhook"),
        ({"webhook": "https://"}, "/webhook"),
        ({"webhook": "https://h/" + "x" * 2000}, "/webhook"),
        ({"site": "FPSO-1"}, "/site"),
        ({"event": "alarm.raised", "project": "p"}, "/project"),
        ({"project": "Not a slug"}, "/project"),
        ({"secret": "mine"}, "/secret"),
    ],
)
def test_invalid_subscription_is_refused(change: dict[str, Any], pointer: str, admin: Client) -> None:
    answer = admin.post("/subscriptions", {"event": "version.published", "webhook": HOOK, **change})
    assert (answer.status, [fault["pointer"] for fault in answer.json()["errors"]]) == (422, [pointer])
    assert admin.get("/subscriptions").json()["items"] == []


def test_local_stack_takes_http(admin: Client, services: Container) -> None:
    services.settings = services.settings.model_copy(update={"emulated": True})
    assert subscribe(admin, webhook="http://127.0.0.1:9000/hook")["webhook"] == "http://127.0.0.1:9000/hook"


def test_number_of_subscriptions_is_limited(admin: Client, services: Container) -> None:
    services.settings = services.settings.model_copy(update={"max_subscriptions": 1})
    subscribe(admin)
    assert admin.post("/subscriptions", {"event": "run.failed", "webhook": HOOK}).status == 409
