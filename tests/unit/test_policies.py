"""The permissions of functions: the committed page matches the template, and other calls are detected."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest

import policies
from sluice.catalog.definitions import Kind
from sluice.container import Container
from sluice.domain.identity import KeyRequest
from support import permissions
from support.client import Client
from support.documents import JOIN, Documents, http_source, refresh

SECTION = {"type": "table", "sql": "SELECT id FROM merged"}
WRITES = ("PutItem", "UpdateItem", "DeleteItem")
KINDS = get_args(Kind)
EVERY_FUNCTION = pytest.mark.parametrize("function", permissions.FUNCTIONS)


def test_committed_policies_match_the_template() -> None:
    assert policies.PAGE.read_text() == policies.matrix(), "look at what has changed, then renew it: make policies"


def test_every_function_has_its_own_role() -> None:
    assert set(permissions.FUNCTIONS) <= set(policies.roles())


def test_managed_policy_has_several_users() -> None:
    roles = policies.of_type("AWS::IAM::Role").values()
    used = [
        arn["Ref"]
        for role in roles
        for arn in role.get("ManagedPolicyArns", [])
        if isinstance(arn, dict) and "Ref" in arn
    ]
    for name in policies.of_type("AWS::IAM::ManagedPolicy"):
        assert used.count(name) > 1, name


@EVERY_FUNCTION
def test_only_these_functions_write_definitions(function: str) -> None:
    written = {
        kind
        for kind in KINDS
        if any(permissions.allows(function, f"dynamodb:{verb}", f"DefinitionsTable[{kind}]") for verb in WRITES)
    }
    resources = {"project", "model", "report", "endpoint", "link", "algorithm", "input"}
    allowed = {"api": set(KINDS), "authoring": resources, "erase": {"override", "link"}}
    assert written == allowed.get(function, set())


@EVERY_FUNCTION
def test_only_api_writes_keys(function: str) -> None:
    for table in ("AccessTable[key]", "DefinitionsTable[key]"):
        written = any(permissions.allows(function, f"dynamodb:{verb}", table) for verb in WRITES)
        assert written == (function == "api"), table


def test_authorizer_writes_no_more_of_a_key_than_its_last_use(services: Container) -> None:
    stored, key = services.keys.issue(KeyRequest(name="x", role="viewer"), "test")
    with permissions.acting("authorizer"):
        services.keys.authenticate(key)
        assert permissions.refused == set()
        services.keys.rotate(stored.id, timedelta(0))
    assert permissions.refused == {"authorizer may not do dynamodb:UpdateItem on AccessTable[key]"}
    permissions.refused.clear()


def test_few_functions_read_keys() -> None:
    readers = {
        function
        for function in permissions.FUNCTIONS
        if permissions.allows(function, "dynamodb:GetItem", "AccessTable")
    }
    assert readers == {"api", "authorizer", "query", "publications"}


@EVERY_FUNCTION
def test_only_functions_that_call_upstreams_read_secrets(function: str) -> None:
    may_read = permissions.allows(function, "ssm:GetParameter", "parameter/secrets/token")
    assert may_read == (function in ("fetch", "probe"))


@EVERY_FUNCTION
def test_only_the_sender_reads_the_secrets_of_webhooks(function: str) -> None:
    may_read = permissions.allows(function, "ssm:GetParameter", "parameter/webhooks/x")
    assert may_read == (function == "webhooks")


@EVERY_FUNCTION
def test_only_erasures_delete_received_data(function: str) -> None:
    for prefix in ("raw", "records", "merged", "models", "reports"):
        for action in ("s3:DeleteObject", "s3:DeleteObjectVersion"):
            assert permissions.allows(function, action, f"lake/{prefix}/x") == (function == "erase")


@pytest.mark.parametrize("function", ["api", "authoring", "query", "probe"])
def test_functions_of_the_api_can_store_large_answers(function: str) -> None:
    for action in ("s3:PutObject", "s3:GetObject"):
        assert permissions.allows(function, action, "lake/answers/x"), action


def test_call_without_permission_is_detected(services: Container) -> None:
    with permissions.acting("probe"):
        services.definitions.find("datasource", "a")
        services.lake.put("answers/a", b"1")
        assert permissions.refused == set()
        services.definitions.create("datasource", "a", {}, "test")
        services.definitions.all("secret")
        services.lake.put("raw/a", b"1")
        services.secrets.put("a", "1")
    assert permissions.refused == {
        "probe may not do dynamodb:UpdateItem on DefinitionsTable[datasource]",
        "probe may not do dynamodb:Query on DefinitionsTable[secret]",
        "probe may not do s3:PutObject on lake/raw/a",
        "probe may not do ssm:PutParameter on parameter/secrets/a",
    }
    permissions.refused.clear()


def test_calls_of_handlers_are_recorded(services: Container, admin: Client, documents: Documents) -> None:
    documents["a"] = [{"id": 1}]
    assert admin.post("/datasources", http_source("a")).status == 201
    assert admin.post("/projects", {"name": "p", "merge": JOIN}).status == 201
    assert admin.put("/projects/p/datasources/a", {"alias": "a"}).status in (200, 201)
    assert admin.put("/projects/p/models/m", {"sql": "SELECT id FROM merged"}).status == 201
    assert admin.put("/projects/p/reports/r", {"title": "R", "sections": [SECTION]}).status == 201
    assert refresh(admin, "p")["status"] == "succeeded"
    assert admin.get("/projects/p/models/m/data").status == 200
    stages = {"plan", "fetch", "extract", "merge", "model", "report", "commit"}
    assert permissions.seen == stages | {"api", "authorizer", "authoring", "query", "run_events", "publications"}
