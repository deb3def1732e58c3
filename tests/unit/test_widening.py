"""A column that becomes text has the texts that were received, whichever runs brought them, and in which order."""

import itertools
import json
import os
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sluice.container import Container
from support.client import Client
from support.documents import drop, ingest, rows

pytestmark = pytest.mark.usefixtures("services")


def pushed(admin: Client, slug: str, records: list[dict[str, Any]]) -> None:
    assert admin.post(f"/datasources/{slug}/records", records).status == 202


def dropped(services: Container, slug: str, number: int, text: str) -> None:
    run = drop(services, f"{slug}/{number}.csv", text.encode())
    assert run is not None
    assert run["status"] == "succeeded", run


@pytest.mark.parametrize("key", [None, ["id"]])
@pytest.mark.parametrize("order", list(itertools.permutations([1, 2.5, "abc"])))
def test_numbers_that_become_text_are_as_pushed(admin: Client, key: list[str] | None, order: tuple[Any, ...]) -> None:
    admin.post("/datasources", {"name": "log", "kind": "push", "primary_key": key})
    for number, value in enumerate(order):
        pushed(admin, "log", [{"id": number, "v": value}])
    assert [str(row["v"]) for row in rows(admin, "datasources/log")] == [str(value) for value in order]


@pytest.mark.parametrize("disposition", ["append", "upsert"])
@pytest.mark.parametrize("last", ["abc", "007", "2026-01-01"])
def test_csv_texts_are_as_dropped(services: Container, admin: Client, disposition: str, last: str) -> None:
    document = {"name": "notes", "kind": "file", "format": "csv", "write_disposition": disposition}
    admin.post("/datasources", {**document, "primary_key": ["id"]})
    for number, text in enumerate(["1.50", "1", "+0.250", last]):
        dropped(services, "notes", number, f"id,v\n{number},{text}\n")
    assert [row["v"] for row in rows(admin, "datasources/notes")] == ["1.50", "1", "+0.250", last]


def test_times_and_booleans_are_as_dropped(services: Container, admin: Client) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file", "format": "csv", "write_disposition": "append"})
    texts = ["2026-01-01T00:00:00Z,TRUE", "2026-01-01 10:00+02:00,False", "never,maybe"]
    for number, text in enumerate(texts):
        dropped(services, "notes", number, f"id,t,b\n{number},{text}\n")
    published = [f"{row['t']},{row['b']}" for row in rows(admin, "datasources/notes")]
    assert published == texts


def test_compacted_files_are_rebuilt_from_pages(
    services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "settings", services.settings.model_copy(update={"max_version_objects": 2}))
    admin.post("/datasources", {"name": "notes", "kind": "file", "format": "csv", "write_disposition": "append"})
    texts = ["1.50", "2.0", "3", "1e5", "abc", "4.40"]
    for number, text in enumerate(texts):
        dropped(services, "notes", number, f"id,v\n{number},{text}\n")
    assert [row["v"] for row in rows(admin, "datasources/notes")] == texts
    assert [row["id"] for row in rows(admin, "datasources/notes")] == list(range(6))


def test_replay_has_the_same_texts(services: Container, admin: Client) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file", "format": "csv", "write_disposition": "append"})
    for number, text in enumerate(["1.50", "NA", "abc"]):
        dropped(services, "notes", number, f"id,v\n{number},{text}\n")
    before = rows(admin, "datasources/notes")
    assert ingest(admin, "notes", {"replay": 3})["status"] == "succeeded"
    assert rows(admin, "datasources/notes") == before


VALUES = [None, 1, 7, -3, 1.0, 2.5, 2**53 + 1, 10**22 + 1, "7", "x", "", "2026-01-01", True, [1, 2.50], []]
FEW = settings(
    max_examples=60 if os.environ.get("PROOF") else 3,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
records = st.fixed_dictionaries(
    {"id": st.integers(1, 4)}, optional={"v": st.sampled_from(VALUES), "w": st.sampled_from(VALUES)}
)


def told(client: Client, slug: str) -> tuple[dict[str, str], list[str]]:
    """The types of a datasource's columns, and its rows as JSON in which 1 and 1.0 differ."""
    columns = client.get(f"/datasources/{slug}/versions").json()["items"][0]["schema"]
    shown = [json.dumps(row, sort_keys=True) for row in rows(client, f"datasources/{slug}")]
    return {column["name"]: column["type"] for column in columns}, shown


@pytest.mark.parametrize("key", [None, ["id"]], ids=["append", "upsert"])
@FEW
@given(batches=st.lists(st.lists(records, min_size=1, max_size=3), min_size=2, max_size=4))
@example(batches=[[{"id": 1, "v": 1}, {"id": 2, "v": 2.5}], [{"id": 3, "v": "x"}], [{"id": 1, "v": True}]])
@example(batches=[[{"id": 1, "v": 2**53 + 1}], [{"id": 2, "v": 0.5}], [{"id": 3, "v": "7"}, {"id": 4, "v": 7}]])
@example(batches=[[{"id": 1, "v": "x"}], [{"id": 2, "v": None}], [{"id": 3, "v": 10**22 + 1}]])
def test_replay_of_json_has_the_types_of_its_runs(
    admin: Client, key: list[str] | None, batches: list[list[dict[str, Any]]]
) -> None:
    slug = f"log-{uuid4().hex}"
    assert admin.post("/datasources", {"name": slug, "kind": "push", "primary_key": key}).status == 201
    for batch in batches:
        pushed(admin, slug, batch)
    before = told(admin, slug)
    run = ingest(admin, slug, {"replay": len(batches)})
    assert run["status"] == "succeeded", run
    assert told(admin, slug) == before


def test_replay_with_another_document_uses_its_types(admin: Client) -> None:
    admin.post(
        "/datasources", {"name": "log", "kind": "push", "types": {"t": "string"}, "fields": {"t": "t", "v": "v"}}
    )
    pushed(admin, "log", [{"t": [1, 2], "v": "x", "w": [1]}])
    assert rows(admin, "datasources/log")[0]["t"] == "[1,2]"
    admin.patch("/datasources/log", {"types": {"t": None}})
    assert ingest(admin, "log", {"replay": 1})["status"] == "succeeded"
    assert rows(admin, "datasources/log")[0]["t"] == [1, 2]
    admin.patch("/datasources/log", {"fields": {"v": "w"}})
    assert ingest(admin, "log", {"replay": 1})["status"] == "succeeded"
    assert rows(admin, "datasources/log")[0]["v"] == [1]
