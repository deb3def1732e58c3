"""Whole runs whose pages were read twice: what is added, and what a replay makes of them."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.bootstrap import Platform
from support.changing import OFFSET, Changing, insert_first, paged
from support.client import Client
from support.documents import ingest, rows
from support.upstream import Upstream


@pytest.fixture
def changing(upstream: Upstream) -> Changing:
    return Changing(upstream)


def _index(services: Platform, run: dict[str, Any]) -> Any:
    return services.lake.find_json(f"raw-index/coins/{run['created_at'][:10]}/{run['id']}.json")


def test_a_replay_of_a_second_reading_gives_the_same_bytes(
    services: Platform, admin: Client, changing: Changing
) -> None:
    changing.before = {2: insert_first}
    admin.post("/datasources", paged(OFFSET))
    run = ingest(admin, "coins")
    receipts = admin.get(f"/runs/{run['id']}/pages").json()["items"]
    assert [(page["number"], page["pass_number"]) for page in receipts] == [
        (1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (6, 2)
    ]  # fmt: skip
    assert [page["hash"] for page in receipts[:3]] == [
        page["hash"] for page in _index(services, run)["unused_pages"]
    ], "what the first reading received is kept"
    replay = ingest(admin, "coins", {"replay": 1})
    assert (replay["completeness"], replay["requests"]) == ("complete", 0)
    first, second = (admin.get(f"/datasources/coins/versions/{number}").json() for number in (1, 2))
    assert [part["sha256"] for part in first["objects"]] == [part["sha256"] for part in second["objects"]]


@pytest.mark.parametrize("disposition", ["append", "upsert"])
def test_a_second_reading_adds_its_records_once(admin: Client, changing: Changing, disposition: str) -> None:
    changing.before = {2: insert_first}
    admin.post("/datasources", paged(OFFSET, write_disposition=disposition))
    run = ingest(admin, "coins")
    assert (run["status"], run["completeness"], run["completeness_reasons"]) == ("succeeded", "complete", [])
    assert run["warnings"][0].startswith("all pages were read again: 1 records (by the primary key id) came on more")
    assert sorted(row["id"] for row in rows(admin, "datasources/coins")) == sorted(changing.ids)
