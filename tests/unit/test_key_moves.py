"""API keys of earlier releases: used where they are, moved into their own table, and led back."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from sluice.access.api_keys import make_key
from sluice.catalog import migration
from sluice.catalog.definitions import Definitions
from sluice.catalog.transactions import transact
from sluice.container import Container
from sluice.domain.identity import KeyRequest
from sluice.errors import Unauthenticated
from sluice_cli.local.migrate import migrate
from support.client import Client
from support.migrating import CloudFormation, put, stored

UP, DOWN = {("key", 1, 2): 1}, {("key", 2, 1): 1}


def earlier_key() -> tuple[str, str]:
    """A key as releases before 0.3 stored it, among the definitions; its id, and the key."""
    made, key = make_key(KeyRequest(name="old", role="editor"), "test")
    item = {
        "workspace_kind": "main#key",
        "name": made.id,
        "document": orjson.dumps(made.model_dump()).decode(),
        "schema_version": 1,
        "version": 1,
        "assigned": 0,
        "created_at": made.created_at,
        "created_by": "test",
        "updated_at": made.created_at,
    }
    put("DefinitionsTable", item)
    return made.id, key


def tables_of(key_id: str) -> set[str]:
    """The tables that hold a key, revoked or not."""
    client = boto3.resource("dynamodb")
    key = {"workspace_kind": "main#key", "name": key_id}
    return {name for name in ("DefinitionsTable", "AccessTable") if "Item" in client.Table(name).get_item(Key=key)}


def test_keys_of_a_fresh_workspace_are_in_their_own_table(services: Container, admin: Client) -> None:
    created = admin.post("/keys", {"name": "ci", "role": "viewer"}).json()
    assert tables_of(created["id"]) == {"AccessTable"}
    assert migration.plan(stored(services)) == migration.Report()
    assert Client(created["key"]).get("/me").status == 200


def test_key_of_an_earlier_release_works_before_and_after_it_is_moved(services: Container, admin: Client) -> None:
    key_id, key = earlier_key()
    assert Client(key).get("/me").json()["id"] == f"key/{key_id}"
    shown = admin.get(f"/keys/{key_id}")
    listed = [item["id"] for item in admin.get("/keys").json()["items"]]
    assert (key_id in listed, listed) == (True, sorted(listed))
    tables = stored(services)
    assert migration.plan(tables).counts == migration.apply(tables).counts == UP
    assert migration.plan(tables) == migration.Report()
    assert tables_of(key_id) == {"AccessTable"}
    assert Client(key).get("/me").json()["id"] == f"key/{key_id}"
    moved = admin.get(f"/keys/{key_id}")
    assert (shown.json()["last_used_at"], moved.json()["last_used_at"] is None) == (None, False)
    assert {**moved.json(), "last_used_at": None} == shown.json()
    assert moved.headers["ETag"] == shown.headers["ETag"]
    assert [item["id"] for item in admin.get("/keys").json()["items"]] == listed
    assert admin.delete(f"/keys/{key_id}").status == 204
    assert Client(key).get("/me").status == 401


@pytest.mark.parametrize("moved", [False, True], ids=["not moved", "moved"])
def test_key_of_an_earlier_release_is_rotated_and_revoked(services: Container, admin: Client, moved: bool) -> None:
    key_id, key = earlier_key()
    if moved:
        migration.apply(stored(services))
    fresh = admin.post(f"/keys/{key_id}/rotate").json()["key"]
    assert (Client(key).get("/me").status, Client(fresh).get("/me").status) == (200, 200)
    key, fresh = fresh, admin.post(f"/keys/{key_id}/rotate", {"keep_old_seconds": 0}).json()["key"]
    assert (Client(key).get("/me").status, Client(fresh).get("/me").status) == (401, 200)
    assert migration.apply(stored(services)).counts == ({} if moved else UP)
    assert Client(fresh).get("/me").status == 200
    assert admin.delete(f"/keys/{key_id}").status == 204
    assert (Client(fresh).get("/me").status, admin.get(f"/keys/{key_id}").status) == (401, 404)


@pytest.mark.parametrize("release", ["0.1", "0.2"])
def test_downgrade_moves_keys_back_to_their_earlier_table(services: Container, release: str) -> None:
    issued, key = services.keys.issue(KeyRequest(name="new", role="viewer"), "test")
    revoked, gone = services.keys.issue(KeyRequest(name="gone", role="viewer"), "test")
    services.keys.revoke(services.keys.get(revoked.id))
    tables = stored(services)
    report = migration.plan(tables, release)
    assert (report.counts, report.kept) == ({("key", 2, 1): 2}, {})
    assert tables_of(issued.id) == {"AccessTable"}, "a plan writes nothing"
    assert migration.apply(tables, release) == report
    assert migration.plan(tables, release) == migration.Report()
    assert tables_of(issued.id) == tables_of(revoked.id) == {"DefinitionsTable"}
    earlier = services.definitions  # all that an earlier release asks
    assert earlier.get("key", issued.id).document == issued.model_dump()
    assert earlier.find("key", revoked.id) is None
    assert services.keys.authenticate(key).id == f"key/{issued.id}", "this release reads it as before"
    with pytest.raises(Unauthenticated):
        services.keys.authenticate(gone)
    assert migration.apply(tables).counts == {("key", 1, 2): 2}
    assert tables_of(issued.id) == {"AccessTable"}


@pytest.mark.parametrize("release", ["0.2", "0.3"])
def test_key_that_exists_in_both_tables_is_kept_and_listed(services: Container, release: str) -> None:
    key_id, key = earlier_key()
    migration.apply(stored(services))
    item = services.keys._access._table.get({"workspace_kind": "main#key", "name": key_id})
    put("DefinitionsTable", {**(item or {}), "version": 9})
    report = migration.apply(stored(services), release)
    assert report.counts == {}
    other = "DefinitionsTable" if release == "0.2" else "AccessTable"
    assert report.kept == {f"main#key {key_id}": f"the table {other} has another item of this name"}
    assert services.keys.authenticate(key).id == f"key/{key_id}"


def test_move_is_one_transaction(services: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    key_id, key = earlier_key()
    tables = stored(services)
    sent: list[Any] = []

    def killed(_: Any, writes: list[Any]) -> None:
        sent.append([(write.action, write.table) for write in writes])
        raise KeyboardInterrupt

    for release, home in (("0.3", "DefinitionsTable"), ("0.2", "AccessTable")):
        with monkeypatch.context() as patched:
            patched.setattr(migration, "transact", killed)
            with pytest.raises(KeyboardInterrupt):
                migration.apply(tables, release)
        assert tables_of(key_id) == {home}
        assert services.keys.authenticate(key).id == f"key/{key_id}"
        migration.apply(tables)
    assert sent == [
        [("Put", "AccessTable"), ("Delete", "DefinitionsTable")],
        [("Put", "DefinitionsTable"), ("Delete", "AccessTable")],
    ]


@pytest.mark.parametrize("change", ["rotate", "revoke"])
@pytest.mark.parametrize("release", ["0.2", "0.3"])
def test_migration_does_not_move_a_key_that_changes_concurrently(
    services: Container, monkeypatch: pytest.MonkeyPatch, release: str, change: str
) -> None:
    key_id, key = earlier_key()
    tables = stored(services)
    if release == "0.2":
        migration.apply(tables)
    fresh = [key]

    def meanwhile(*arguments: Any) -> None:
        if change == "rotate":
            fresh[0] = services.keys.rotate(key_id, timedelta(0))[1]
        else:
            services.keys.revoke(services.keys.get(key_id))
        transact(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(migration, "transact", meanwhile)
        assert migration.apply(tables, release) == migration.Report()
    assert sum(migration.apply(tables, release).counts.values()) == 1, "it is found the next time"
    with pytest.raises(Unauthenticated):
        services.keys.authenticate(key)
    if change == "rotate":
        assert services.keys.authenticate(fresh[0]).id == f"key/{key_id}"


# A list that is read while keys are led back may lack one, as lists may that change.
@pytest.mark.parametrize(
    ("method", "release"),
    [*((method, release) for method in ("find", "replace", "delete") for release in ("0.2", "0.3")), ("page", "0.3")],
)
def test_key_that_is_moved_while_it_is_used_is_found(
    services: Container, monkeypatch: pytest.MonkeyPatch, method: str, release: str
) -> None:
    key_id, key = earlier_key()
    tables = stored(services)
    if release == "0.2":
        migration.apply(tables)
    original, done = getattr(Definitions, method), [False]

    def moving(self: Definitions, *arguments: Any, **named: Any) -> Any:
        if done[0]:
            return original(self, *arguments, **named)
        done[0] = True
        before = original(self, *arguments, **named) if method in ("find", "page") else None
        assert sum(migration.apply(tables, release).counts.values()) == 1
        return before if method in ("find", "page") else original(self, *arguments, **named)

    monkeypatch.setattr(Definitions, method, moving)
    used: dict[str, Callable[[], Any]] = {
        "find": lambda: services.keys.authenticate(key).id,
        "page": lambda: [found.name for found in services.keys.page(10, None)[0]],
        "replace": lambda: services.keys.rotate(key_id, timedelta(0))[0].id,
        "delete": lambda: services.keys.revoke(services.keys.get(key_id)),
    }
    expected = {"find": f"key/{key_id}", "page": [key_id], "replace": key_id, "delete": None}
    assert used[method]() == expected[method]
    if method in ("replace", "delete"):
        with pytest.raises(Unauthenticated):
            services.keys.authenticate(key)


STEPS = st.lists(
    st.tuples(st.sampled_from(["issue", "earlier", "rotate", "replace", "revoke", "up", "down"]), st.integers(0, 3))
)


@given(steps=STEPS)
@settings(
    max_examples=400 if os.environ.get("PROOF") else 15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_key_is_lost_or_revived_in_any_order_of_calls(services: Container, steps: list[tuple[str, int]]) -> None:
    valid: dict[str, str] = {}
    old: dict[str, str] = {}
    refused: list[str] = []
    for step, index in steps:
        chosen = sorted(valid)[index % len(valid)] if valid else None
        if step == "issue":
            made, key = services.keys.issue(KeyRequest(name="k", role="viewer"), "test")
            valid[made.id] = key
        elif step == "earlier":
            key_id, key = earlier_key()
            valid[key_id] = key
        elif step in ("up", "down"):
            assert migration.apply(stored(services), "0.3" if step == "up" else "0.2").kept == {}
        elif chosen is not None and step == "rotate":  # two secrets are valid; an earlier old one is refused
            refused += [old.pop(chosen)] if chosen in old else []
            old[chosen] = valid[chosen]
            valid[chosen] = services.keys.rotate(chosen, timedelta(hours=1))[1]
        elif chosen is not None:
            refused += [secret for secret in (valid.pop(chosen), old.pop(chosen, None)) if secret]
            if step == "replace":
                valid[chosen] = services.keys.rotate(chosen, timedelta(0))[1]
            else:
                services.keys.revoke(services.keys.get(chosen))
    for key_id, key in [*valid.items(), *old.items()]:
        assert services.keys.authenticate(key).id == f"key/{key_id}"
        assert len(tables_of(key_id)) == 1
    for key in refused:
        with pytest.raises(Unauthenticated):
            services.keys.authenticate(key)


def test_list_of_keys_reads_both_tables(services: Container, admin: Client) -> None:
    known = {earlier_key()[0] for _ in range(3)} | {
        admin.post("/keys", {"name": "new", "role": "viewer"}).json()["id"] for _ in range(3)
    }
    ids: list[str] = []
    cursor = ""
    while True:
        page = admin.get(f"/keys?limit=2{cursor}").json()
        ids += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert ids == sorted(ids)
    assert len(ids) == len(known) + 1, "with the admin's own"
    assert set(ids) > known


def test_command_reports_a_missing_table(
    services: Container, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluice_cli.local.migrate.console", Console(width=200))
    key_id, key = earlier_key()
    report = migrate(CloudFormation("AccessTable"), boto3.client("dynamodb"), "sluice", write=True)
    assert report.counts == {}
    assert f"main#key {key_id} is not changed: the stack has no table AccessTable" in capsys.readouterr().out
    assert services.keys.authenticate(key).id == f"key/{key_id}"


def test_command_moves_keys(services: Container, capsys: pytest.CaptureFixture[str]) -> None:
    key_id, _ = earlier_key()
    assert migrate(CloudFormation(), boto3.client("dynamodb"), "sluice", write=True).counts == UP
    assert "keys move into a table of their own" in " ".join(capsys.readouterr().out.split())
    assert tables_of(key_id) == {"AccessTable"}
    assert migrate(CloudFormation(), boto3.client("dynamodb"), "sluice", write=True, release="0.2").counts == DOWN
