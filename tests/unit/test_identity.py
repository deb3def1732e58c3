"""API keys, roles and secrets through the API."""

from datetime import timedelta

import boto3
import pytest

from sluice.container import Container
from sluice.domain.identity import KeyRequest
from sluice.domain.names import now, rfc3339
from sluice_cli.local.stack import key_ring
from support.client import Client
from support.documents import http_source, ingest
from support.upstream import Upstream


def test_key_is_shown_once_stored_as_hash_and_revoked(services: Container, admin: Client) -> None:
    created = admin.post("/keys", {"name": "ci", "role": "viewer"})
    assert created.status == 201
    key = created.json()["key"]
    assert Client(key).get("/me").json() == {
        "id": f"key/{created.json()['id']}",
        "role": "viewer",
        "projects": None,
        "workspace": "main",
    }
    listed = admin.get("/keys").text + admin.get(f"/keys/{created.json()['id']}").text
    assert key not in listed
    assert "hash" not in listed
    secret = key.rpartition("_")[2]
    stored = services.keys.get(created.json()["id"]).document
    assert secret not in str(stored)
    assert admin.delete(f"/keys/{created.json()['id']}").status == 204
    assert Client(key).get("/me").status == 401


def test_rotated_key_stops_working_at_once(admin: Client) -> None:
    created = admin.post("/keys", {"name": "ci", "role": "editor"}).json()
    fresh = admin.post(f"/keys/{created['id']}/rotate").json()
    assert (fresh["id"], fresh["role"], fresh["created_at"]) == (created["id"], "editor", created["created_at"])
    assert Client(created["key"]).get("/me").status == 401
    assert Client(fresh["key"]).get("/me").status == 200


def test_keys_expire(services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    later = rfc3339(now() + timedelta(hours=1))
    created = admin.post("/keys", {"name": "ci", "role": "viewer", "expires_at": later}).json()
    assert Client(created["key"]).get("/me").status == 200
    monkeypatch.setattr("sluice.access.api_keys.now", lambda: now() + timedelta(hours=2))
    assert Client(created["key"]).get("/me").status == 401
    for expiry in (rfc3339(now()), "9999-12-31T23:59:59-23:00", "4102444800"):
        assert admin.post("/keys", {"name": "x", "role": "viewer", "expires_at": expiry}).status == 422


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x_api_key": ""},
        {"x_api_key": "slc_aaaaaaaaaaaa_" + "x" * 43},
        {"authorization": "Bearer nonsense"},
        {"authorization": "Digest abc"},
        {"authorization": "Basic ???"},
    ],
    ids=str,
)
def test_invalid_keys_are_refused(services: Container, headers: dict[str, str]) -> None:
    assert Client().call("GET", "/me", **headers).status == 401


def test_key_is_accepted_in_each_header(services: Container, viewer: Client) -> None:
    import base64

    basic = "Basic " + base64.b64encode(f"{viewer.key}:".encode()).decode()
    for headers in ({"x_api_key": viewer.key}, {"authorization": f"bearer {viewer.key}"}, {"authorization": basic}):
        assert Client().call("GET", "/me", **headers).status == 200
    assert Client().call("POST", "/projects", {"name": "p"}, authorization=basic).status == 401


@pytest.mark.parametrize("path", ["/keys", "/secrets"])
def test_only_admins_manage_keys_and_secrets(services: Container, editor: Client, path: str) -> None:
    assert editor.get(path).status == 403
    assert editor.post("/keys", {"name": "x", "role": "admin"}).status == 403
    assert editor.put("/secrets/s", {"value": "x"}).status == 403


def test_scoped_key_sees_only_its_projects(services: Container, admin: Client, upstream: Upstream) -> None:
    upstream.serve([{"id": 1}])
    for name in ("mine", "other"):
        admin.post("/datasources", http_source(name))
        admin.post("/projects", {"name": f"p-{name}"})
        admin.put(f"/projects/p-{name}/datasources/{name}", {})
    runs = {name: ingest(admin, name)["id"] for name in ("mine", "other")}
    created = admin.post("/keys", {"name": "guest", "role": "editor", "projects": ["p-mine"]}).json()
    guest = Client(created["key"])
    assert [item["slug"] for item in guest.get("/projects").json()["items"]] == ["p-mine"]
    assert [item["slug"] for item in guest.get("/datasources").json()["items"]] == ["mine"]
    for path in ("/projects/p-other", "/datasources/other", "/datasources/other/data", f"/runs/{runs['other']}"):
        assert guest.get(path).status == 404, path
    for path in ("/projects/p-mine", "/datasources/mine/data", f"/runs/{runs['mine']}"):
        assert guest.get(path).status == 200, path
    assert {run["datasource"] or run["project"] for run in guest.get("/runs").json()["items"]} == {"mine", "p-mine"}
    assert guest.post("/datasources/other/runs").status == 404
    assert admin.post("/keys", {"name": "x", "role": "admin", "projects": ["p-mine"]}).status == 422


def test_secrets_are_written_and_deleted(services: Container, admin: Client) -> None:
    assert admin.put("/secrets/s", {"value": "one"}).status == 201
    assert admin.put("/secrets/s", {"value": "two"}).status == 200
    assert services.secrets.value("s") == "two"
    assert admin.put("/secrets/s", {"value": ""}).status == 422
    assert admin.put("/secrets/s", {"value": "x", "more": 1}).status == 422
    assert admin.delete("/secrets/s").status == 204
    assert admin.delete("/secrets/s").status == 404
    assert admin.get("/secrets").json() == {"items": [], "next": None}


def test_secrets_and_keys_have_etags(admin: Client) -> None:
    created = admin.put("/secrets/s", {"value": "one"})
    etag = created.headers["ETag"]
    assert admin.get("/secrets").json()["items"][0]["etag"] == etag.strip('"')
    assert admin.put("/secrets/s", {"value": "two"}, if_match='"zz"').status == 412
    changed = admin.put("/secrets/s", {"value": "two"}, if_match=etag)
    assert (changed.status, changed.headers["ETag"] != etag) == (200, True)
    assert admin.put("/secrets/s", {"value": "x"}, if_none_match="*").status == 412
    assert admin.delete("/secrets/s", if_match=etag).status == 412
    assert admin.delete("/secrets/s", if_match=changed.headers["ETag"]).status == 204
    key = admin.post("/keys", {"name": "ci", "role": "viewer"}).json()["id"]
    answer = admin.get(f"/keys/{key}")
    assert admin.get(f"/keys/{key}", if_none_match=answer.headers["ETag"]).status == 304


def test_first_key_is_created_without_the_api(services: Container) -> None:
    outputs = {name: name for name in ("AccessTable", "DefinitionsTable")}
    ring = key_ring(boto3.client("dynamodb"), outputs, "main")
    _, key = ring.issue(KeyRequest(name="first", role="admin"), "local stack")
    assert Client(key).get("/me").json()["role"] == "admin"
