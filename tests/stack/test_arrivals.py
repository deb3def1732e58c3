"""Data that arrives by itself, people with tokens, and browsers: on the deployed stack."""

from __future__ import annotations

import gzip
import time
from functools import partial
from typing import Any

import httpx
import pytest

from support.server import Server
from support.stack import Deployed, until


def api(deployed: Deployed) -> httpx.Client:
    assert deployed.http is not None
    return deployed.http


def rows(deployed: Deployed, slug: str) -> list[dict[str, Any]]:
    answer = api(deployed).get(f"/datasources/{slug}/data")
    return answer.json()["items"] if answer.status_code == 200 else []


def test_pushed_records_are_readable_within_five_seconds(deployed: Deployed, name: str) -> None:
    made = api(deployed).put(f"/datasources/{name}", json={"name": name, "kind": "push", "primary_key": ["id"]})
    assert made.status_code == 201, made.text
    lines = '{"id": 1, "v": "a"}\n{"id": 2, "v": "b"}\n'
    answer = api(deployed).post(f"/datasources/{name}/records", content=lines)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 2)
    until(lambda: len(rows(deployed, name)) == 2)
    begun = time.monotonic()
    api(deployed).post(f"/datasources/{name}/records", json=[{"id": 2, "v": "c"}])
    until(lambda: rows(deployed, name)[1]["v"] == "c", seconds=5)
    assert time.monotonic() - begun < 5


def test_concurrent_pushes_are_each_stored_once(deployed: Deployed, name: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    api(deployed).put(f"/datasources/{name}", json={"name": name, "kind": "push"})

    def push(number: int) -> str:
        answer = api(deployed).post(f"/datasources/{name}/records", json=[{"n": number}])
        assert answer.status_code == 202, answer.text
        return str(answer.json()["run"])

    with ThreadPoolExecutor(8) as pool:
        runs = set(pool.map(push, range(24)))

    def succeeded(run: str) -> bool:
        return bool(api(deployed).get(f"/runs/{run}").json()["status"] == "succeeded")

    for run in runs:
        until(partial(succeeded, run))
    assert sorted(row["n"] for row in rows(deployed, name)) == list(range(24))
    assert len(runs) < 24, "one run takes what waits"


def test_upload_becomes_a_version(deployed: Deployed, name: str) -> None:
    api(deployed).put(f"/datasources/{name}", json={"name": name, "kind": "file"})
    form = api(deployed).post(f"/datasources/{name}/uploads", json={"filename": "prices 1.csv.gz"}).json()
    body = gzip.compress(b"item;price\na;1,5\nb;NA\n")
    sent = httpx.post(form["url"], data=form["fields"], files={"file": body}, trust_env=False)
    assert sent.status_code in (200, 204), sent.text
    assert until(lambda: rows(deployed, name)) == [{"item": "a", "price": 1.5}, {"item": "b", "price": None}]
    for form_of in ("parquet", "arrow"):
        answer = api(deployed).get(f"/datasources/{name}/data?format={form_of}")
        found = httpx.get(answer.headers["location"], trust_env=False)
        assert (answer.status_code, found.status_code) == (303, 200)
        assert found.content.startswith(b"PAR1" if form_of == "parquet" else b"\xff\xff\xff\xff")


def outputs(deployed: Deployed) -> dict[str, str]:
    found = deployed.client("cloudformation").describe_stacks(StackName=deployed.description["stack"])["Stacks"][0]
    return {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}


def test_user_pool_tokens_are_accepted(deployed: Deployed, name: str) -> None:
    known = outputs(deployed)
    if "UserPool" not in known:
        pytest.skip("this stack has no user pool")
    cognito: Any = deployed.client("cognito-idp")
    pool, email, password = known["UserPool"], f"{name}@example.com", "Correct-horse-1"
    cognito.admin_create_user(UserPoolId=pool, Username=email, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool, Username=email, Password=password, Permanent=True)

    # The client's flows leave passwords out, which the emulator does not enforce: what is tested are the tokens.
    signing_in: Any = {
        "ClientId": known["UserPoolClient"],
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": {"USERNAME": email, "PASSWORD": password},
    }

    def me(kind: str) -> httpx.Response:
        tokens = cognito.initiate_auth(**signing_in)["AuthenticationResult"]
        headers = {"authorization": f"Bearer {tokens[kind]}"}
        return httpx.get(f"{deployed.url}/me", headers=headers, timeout=30, trust_env=False)

    refused = me("IdToken")
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:sluice:problem:forbidden")
    cognito.admin_add_user_to_group(UserPoolId=pool, Username=email, GroupName="editor")
    for kind in ("IdToken", "AccessToken"):
        answer = me(kind)
        assert (answer.status_code, answer.json()["role"]) == (200, "editor"), answer.text


def test_browsers_and_excel_use_basic_authentication(deployed: Deployed) -> None:
    asked = httpx.options(f"{deployed.url}/datasources", headers={"origin": "https://app.example.com"}, trust_env=False)
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, "https://app.example.com")
    nobody = httpx.get(f"{deployed.url}/me", trust_env=False)
    assert (nobody.status_code, nobody.headers["www-authenticate"].startswith("Basic")) == (401, True)
    known = httpx.get(f"{deployed.url}/me", auth=(deployed.description["api_key"], ""), timeout=30, trust_env=False)
    assert (known.status_code, known.json()["role"]) == (200, "admin")


def test_check_preview_and_fetch(deployed: Deployed, server: Server, name: str) -> None:
    server.answer("/openapi.json", httpx.get(f"{deployed.url}/openapi.json", trust_env=False).content)
    document = {
        "kind": "http",
        "http": {"url": f"{server.url}/openapi.json"},
        "records": "paths.*.get",
        "fields": {"operation": "operationId"},
    }
    checked = api(deployed).post("/datasources/check", json=document).json()
    assert (checked["ok"], checked["status"]) == (True, 200)
    shown = api(deployed).post("/datasources/preview", json=document).json()
    assert {"operation": "get_run"} in shown["records"]
    api(deployed).put(f"/datasources/{name}", json={**document, "name": name})
    api(deployed).put(f"/projects/{name}", json={"name": name, "refresh_on": "manual"})
    api(deployed).put(f"/projects/{name}/datasources/{name}", json={})
    fetched = api(deployed).get(f"/projects/{name}/fetch")
    assert fetched.status_code == 200, fetched.text
    assert fetched.json()["errors"] is None
    assert fetched.json()["result"]["size"] == len(fetched.json()["result"]["data"]) > 20
    found = api(deployed).get(f"/datasources/{name}/stats").json()
    assert (found["calls"], found["success_rate"]) == (1, 100.0)
