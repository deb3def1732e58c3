"""API keys, roles and secrets through the API."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import boto3
import pytest

from sluice.access.api_keys import KeyRing
from sluice.catalog.table import Table, Write
from sluice.container import Container
from sluice.domain.identity import KeyRequest
from sluice.domain.names import now, parse_time, rfc3339
from sluice.errors import PreconditionFailed, Unavailable
from sluice_cli.local.stack import key_ring
from support.client import Client
from support.documents import http_source, ingest
from support.upstream import Upstream


def test_key_is_shown_once_stored_as_hash_and_revoked(services: Container, admin: Client) -> None:
    created = admin.post("/keys", {"name": "ci", "role": "viewer"})
    assert created.status == 201
    key = created.json()["key"]
    shown = Client(key).get("/me").json()
    assert "project.create" not in shown.pop("actions")
    assert shown == {
        "id": f"key/{created.json()['id']}",
        "role": "viewer",
        "projects": None,
        "groups": [],
        "workspace": "main",
    }
    listed = admin.get("/keys").text + admin.get(f"/keys/{created.json()['id']}").text
    assert key not in listed
    assert "hash" not in listed
    secret = key.split("_", 2)[2]
    stored = services.keys.get(created.json()["id"]).document
    assert secret not in str(stored)
    assert admin.delete(f"/keys/{created.json()['id']}").status == 204
    assert Client(key).get("/me").status == 401


def statuses(*keys: str) -> list[int]:
    return [Client(key).get("/me").status for key in keys]


def test_rotation_keeps_two_secrets_valid_at_most(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    first = admin.post("/keys", {"name": "ci", "role": "editor"}).json()
    path = f"/keys/{first['id']}"
    second = admin.post(f"{path}/rotate").json()
    assert (second["id"], second["role"], second["created_at"]) == (first["id"], "editor", first["created_at"])
    assert parse_time(second["old_expires_at"]) - now() == pytest.approx(timedelta(days=1), abs=timedelta(minutes=5))
    assert "hash" not in admin.get(path).text
    assert statuses(first["key"], second["key"]) == [200, 200]
    third = admin.post(f"{path}/rotate", {"keep_old_seconds": 60}).json()
    assert statuses(first["key"], second["key"], third["key"]) == [401, 200, 200]
    monkeypatch.setattr("sluice.access.api_keys.now", lambda: now() + timedelta(seconds=61))
    assert statuses(first["key"], second["key"], third["key"]) == [401, 401, 200]
    assert admin.get(path).json()["old_expires_at"] is None


def test_rotation_after_a_leak_refuses_all_earlier_secrets(admin: Client) -> None:
    first = admin.post("/keys", {"name": "ci", "role": "editor"}).json()
    path = f"/keys/{first['id']}"
    second = admin.post(f"{path}/rotate").json()
    third = admin.post(f"{path}/rotate", {"keep_old_seconds": 0}).json()
    assert third["old_expires_at"] is None
    assert statuses(first["key"], second["key"], third["key"]) == [401, 401, 200]
    fourth = admin.post(f"{path}/rotate").json()
    assert admin.delete(path).status == 204
    assert statuses(third["key"], fourth["key"]) == [401, 401]


@pytest.mark.parametrize("overlap", [-1, 2_592_001, "60", 1.5])
def test_rotation_with_an_invalid_overlap_changes_nothing(admin: Client, overlap: object) -> None:
    created = admin.post("/keys", {"name": "ci", "role": "editor"}).json()
    refused = admin.post(f"/keys/{created['id']}/rotate", {"keep_old_seconds": overlap})
    assert (refused.status, refused.json()["errors"][0]["pointer"]) == (422, "/keep_old_seconds")
    assert statuses(created["key"]) == [200]


def test_old_secret_ends_with_the_key(services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    later = rfc3339(now() + timedelta(hours=1))
    created = admin.post("/keys", {"name": "ci", "role": "viewer", "expires_at": later}).json()
    fresh = admin.post(f"/keys/{created['id']}/rotate").json()
    assert statuses(created["key"], fresh["key"]) == [200, 200]
    monkeypatch.setattr("sluice.access.api_keys.now", lambda: now() + timedelta(hours=2))
    assert statuses(created["key"], fresh["key"]) == [401, 401]


def test_one_of_concurrent_rotations_wins(services: Container) -> None:
    stored, first = services.keys.issue(KeyRequest(name="ci", role="viewer"), "test")
    barrier = Barrier(4)

    def rotate(_: int) -> str | None:
        barrier.wait()
        try:
            return services.keys.rotate(stored.id, timedelta(hours=1))[1]
        except PreconditionFailed:
            return None

    with ThreadPoolExecutor(4) as pool:
        fresh = [key for key in pool.map(rotate, range(4)) if key]
    valid = [key for key in (first, *fresh) if Client(key).get("/me").status == 200]
    # Rotations that happened one after the other all succeed; then the last two secrets are valid.
    assert (len(valid), valid[-1] in fresh) == (2, True)


def test_last_use_is_written_once_per_interval(
    services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = admin.post("/keys", {"name": "ci", "role": "viewer"}).json()
    unused = admin.get(f"/keys/{created['id']}")
    assert unused.json()["last_used_at"] is None
    writes: list[str] = []
    execute = Table.execute

    def counting(table: Table, write: Write) -> object:
        if "last_used_at" in write.request.get("ExpressionAttributeNames", {}).values():
            writes.append(write.table)
        return execute(table, write)

    monkeypatch.setattr(Table, "execute", counting)
    user = Client(created["key"])
    for _ in range(3):
        assert user.get("/me").status == 200
    used = admin.get(f"/keys/{created['id']}")
    assert (len(writes), used.headers["ETag"]) == (1, unused.headers["ETag"])
    monkeypatch.setattr("sluice.access.api_keys.now", lambda: now() + timedelta(minutes=11))
    assert user.get("/me").status == 200
    again = {item["id"]: item["last_used_at"] for item in admin.get("/keys").json()["items"]}[created["id"]]
    assert parse_time(again) - parse_time(used.json()["last_used_at"]) > timedelta(minutes=10)
    assert admin.post(f"/keys/{created['id']}/rotate").json()["last_used_at"] == again


def test_refused_requests_are_no_use(admin: Client) -> None:
    created = admin.post("/keys", {"name": "ci", "role": "viewer"}).json()
    assert statuses(created["key"][:-1] + ("A" if created["key"][-1] != "A" else "B")) == [401]
    assert admin.get(f"/keys/{created['id']}").json()["last_used_at"] is None


def test_concurrent_uses_write_the_last_use_once(services: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    stored, key = services.keys.issue(KeyRequest(name="ci", role="viewer"), "test")
    definition = services.keys.get(stored.id)
    assert services.keys.authenticate(key).id == f"key/{stored.id}"
    used = services.keys.get(stored.id).last_used_at
    # Another process that read the key before the first use was written.
    services.keys._record_use(definition)
    assert services.keys.get(stored.id).last_used_at == used


def test_request_succeeds_if_the_last_use_cannot_be_written(
    services: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored, key = services.keys.issue(KeyRequest(name="ci", role="viewer"), "test")

    def throttled(*_: object) -> None:
        raise Unavailable("DynamoDB throttled; try again.")

    monkeypatch.setattr(Table, "execute", throttled)
    assert services.keys.authenticate(key).id == f"key/{stored.id}"


def test_last_use_is_not_written_if_the_setting_is_zero(services: Container) -> None:
    stored, key = services.keys.issue(KeyRequest(name="ci", role="viewer"), "test")
    ring = KeyRing(services.keys._access, services.definitions, timedelta(0))
    assert ring.authenticate(key).id == f"key/{stored.id}"
    assert ring.get(stored.id).last_used_at is None


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
