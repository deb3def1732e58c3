"""A column that becomes text has the texts that were received, whichever runs brought them, and in which order."""

import itertools
from typing import Any

import pytest

from sluice.bootstrap import Platform
from support.client import Client
from support.documents import drop, ingest, rows

pytestmark = pytest.mark.usefixtures("services")


def pushed(admin: Client, slug: str, records: list[dict[str, Any]]) -> None:
    assert admin.post(f"/datasources/{slug}/records", records).status == 202


def dropped(services: Platform, slug: str, number: int, text: str) -> None:
    run = drop(services, f"{slug}/{number}.csv", text.encode())
    assert run is not None
    assert run["status"] == "succeeded", run


@pytest.mark.parametrize("key", [None, ["id"]])
@pytest.mark.parametrize("order", list(itertools.permutations([1, 2.5, "abc"])))
def test_numbers_that_become_text_are_as_they_were_pushed(
    admin: Client, key: list[str] | None, order: tuple[Any, ...]
) -> None:
    admin.post("/datasources", {"name": "log", "kind": "push", "primary_key": key})
    for number, value in enumerate(order):
        pushed(admin, "log", [{"id": number, "v": value}])
    assert [str(row["v"]) for row in rows(admin, "datasources/log")] == [str(value) for value in order]


@pytest.mark.parametrize("disposition", ["append", "upsert"])
@pytest.mark.parametrize("last", ["abc", "007", "2026-01-01"])
def test_texts_of_csv_come_back_as_they_were_dropped(
    services: Platform, admin: Client, disposition: str, last: str
) -> None:
    document = {"name": "notes", "kind": "file", "format": "csv", "write_disposition": disposition}
    admin.post("/datasources", {**document, "primary_key": ["id"]})
    for number, text in enumerate(["1.50", "1", "+0.250", last]):
        dropped(services, "notes", number, f"id,v\n{number},{text}\n")
    assert [row["v"] for row in rows(admin, "datasources/notes")] == ["1.50", "1", "+0.250", last]


def test_times_and_truth_values_come_back_as_they_were_dropped(services: Platform, admin: Client) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file", "format": "csv", "write_disposition": "append"})
    texts = ["2026-01-01T00:00:00Z,TRUE", "2026-01-01 10:00+02:00,False", "never,maybe"]
    for number, text in enumerate(texts):
        dropped(services, "notes", number, f"id,t,b\n{number},{text}\n")
    found = [f"{row['t']},{row['b']}" for row in rows(admin, "datasources/notes")]
    assert found == texts


def test_compacted_files_are_read_again_from_their_pages(
    services: Platform, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "settings", services.settings.model_copy(update={"max_version_objects": 2}))
    admin.post("/datasources", {"name": "notes", "kind": "file", "format": "csv", "write_disposition": "append"})
    texts = ["1.50", "2.0", "3", "1e5", "abc", "4.40"]
    for number, text in enumerate(texts):
        dropped(services, "notes", number, f"id,v\n{number},{text}\n")
    assert [row["v"] for row in rows(admin, "datasources/notes")] == texts
    assert [row["id"] for row in rows(admin, "datasources/notes")] == list(range(6))


def test_a_replay_has_the_same_texts(services: Platform, admin: Client) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file", "format": "csv", "write_disposition": "append"})
    for number, text in enumerate(["1.50", "NA", "abc"]):
        dropped(services, "notes", number, f"id,v\n{number},{text}\n")
    before = rows(admin, "datasources/notes")
    assert ingest(admin, "notes", {"replay": 3})["status"] == "succeeded"
    assert rows(admin, "datasources/notes") == before
