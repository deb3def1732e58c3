"""A new kind of datasource is a document and a package: nothing else knows it."""

import importlib

import pytest

from sluice.container import Container
from sluice.domain.datasource import Datasource
from sluice.sources import registry
from support.client import Client
from support.documents import ingest, refresh, rows

DOCUMENT = {"name": "ticks", "kind": "clock", "clock": {"ticks": 3, "secret": "zone"}}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Datasource, "KINDS", dict(Datasource.KINDS))
    importlib.reload(importlib.import_module("support.clock_source.document"))
    importlib.reload(importlib.import_module("support.clock_source.source"))
    monkeypatch.setitem(registry.PACKAGES, "clock", "support.clock_source")
    monkeypatch.setattr("support.client.require_conformance", lambda *_: None)  # the document knows the built-in kinds


@pytest.mark.usefixtures("clock", "services")
def test_a_kind_from_outside_is_written_tried_fetched_merged_and_replayed(admin: Client) -> None:
    admin.put("/secrets/zone", {"value": "UTC", "hosts": ["clock.example.com:123"]})
    assert admin.put("/datasources/ticks", DOCUMENT).status == 201
    assert admin.get("/datasources/ticks").json()["clock"] == DOCUMENT["clock"]
    assert admin.post("/datasources/ticks/check").json() | {"elapsed_ms": 0} == {
        "ok": True,
        "status": None,
        "elapsed_ms": 0,
        "records": 3,
        "reason": None,
    }
    assert len(admin.post("/datasources/preview", DOCUMENT).json()["records"]) == 3
    assert ingest(admin, "ticks")["status"] == "succeeded"
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "join", "key": ["tick"]}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/ticks", {})
    assert refresh(admin, "p", ingest="all")["status"] == "succeeded"
    assert [row["tick"] for row in rows(admin, "projects/p")] == [0, 1, 2]
    assert ingest(admin, "ticks", {"replay": 1})["status"] == "succeeded"


@pytest.mark.usefixtures("clock", "services")
def test_its_documents_and_secrets_are_checked_like_any_other(admin: Client) -> None:
    admin.put("/secrets/zone", {"value": "UTC", "hosts": ["other.example.com"]})
    told = admin.put("/datasources/ticks", DOCUMENT)
    assert (told.status, told.json()["errors"][0]["pointer"]) == (422, "/clock/secret")
    told = admin.put("/datasources/ticks", {**DOCUMENT, "clock": {"ticks": "x", "secret": "zone"}})
    assert (told.status, told.json()["errors"][0]["pointer"]) == (422, "/clock/ticks")


def test_an_unknown_kind_is_refused_with_those_that_there_are(services: Container, admin: Client) -> None:
    told = admin.put("/datasources/ticks", DOCUMENT).json()["errors"]
    message = "Unknown kind 'clock'; use one of file, http, mongo, push, sql, stream."
    assert {"pointer": "/kind", "message": message} in told
