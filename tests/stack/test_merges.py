"""Merged versions on the deployed stack: Athena reads them, and promotions are atomic for readers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from support.stack import Deployed, athena, until


def project(deployed: Deployed, name: str) -> tuple[str, str]:
    """A project that joins two datasources of files by id; their names."""
    sources = f"{name}-a", f"{name}-b"
    join = {"strategy": "join", "key": ["id"]}
    deployed.done("PUT", f"/projects/{name}", {"name": name, "merge": join, "refresh_on": "manual"})
    for source in sources:
        deployed.done("PUT", f"/datasources/{source}", {"name": source, "kind": "file"})
        deployed.done("PUT", f"/projects/{name}/datasources/{source}", {})
    return sources


def refreshed(deployed: Deployed, name: str, source: str, records: list[dict[str, Any]]) -> dict[str, Any]:
    """Drop a file and refresh; the refresh, ended."""
    before = deployed.call("GET", f"/datasources/{source}/data").json().get("version", 0)
    deployed.drop(f"{source}/records.json", json.dumps(records).encode())
    until(lambda: deployed.call("GET", f"/datasources/{source}/data").json().get("version", 0) > before)
    return deployed.ended(deployed.done("POST", f"/projects/{name}/runs", {"ingest": "none"}))


def test_athena_reads_the_published_version(deployed: Deployed, name: str) -> None:
    first, second = project(deployed, name)
    refreshed(deployed, name, first, [{"id": 1, "price": 1.5, "tags": ["x"]}, {"id": 2, "price": None}])
    refreshed(deployed, name, second, [{"id": 2, "name": "Ä"}])
    table = f"project_{name}"
    glue = deployed.client("glue")

    def columns() -> list[str]:
        described = glue.get_table(DatabaseName="sluice_main", Name=table)["Table"]
        return [column["Name"] for column in described["StorageDescriptor"]["Columns"]]

    # The table follows the published version a moment later.
    assert until(lambda: "name" in columns())
    sql = f"SELECT id, price, tags, name FROM {table} ORDER BY id"
    assert until(lambda: found if len(found := athena(deployed, sql)) == 3 and found[2][3] == "Ä" else None) == [
        ["id", "price", "tags", "name"],
        ["1", "1.5", '["x"]', None],
        ["2", None, None, "Ä"],
    ]
    joined = f"SELECT sum(m.price) FROM {table} m JOIN datasource_{name}_a a ON a.id = m.id"
    assert athena(deployed, joined)[1] == ["1.5"]
    deployed.done("POST", f"/projects/{name}/versions/1/promote")
    assert athena(deployed, f"SELECT count(*) FROM {table}")[1] == ["2"]
    assert athena(deployed, f"SELECT * FROM {table}")[0] == ["id", "price", "tags"]


@pytest.fixture
def few_rows(deployed: Deployed) -> Iterator[None]:
    """Within a test, merges of more than fifty rows are done in parts."""
    with deployed.configured(["merge", "partition"], MERGE_PARTITION_ROWS="50"):
        yield


@pytest.mark.usefixtures("few_rows")
def test_merge_in_parts_is_read_like_any_other(deployed: Deployed, name: str) -> None:
    first, second = project(deployed, name)
    a = [{"id": number * 7 % 300, "price": number} for number in range(0, 300, 2)]
    b: list[dict[str, Any]] = [{"id": number, "name": f"n{number}"} for number in range(0, 300, 3)]
    refreshed(deployed, name, first, a)
    run = refreshed(deployed, name, second, b)
    assert run["status"] == "succeeded", run
    objects = deployed.done("GET", f"/projects/{name}/versions/{run['version']}")["objects"]
    assert len(objects) > 3, "it is in parts"
    prices = {one["id"]: one["price"] for one in a}
    ids = sorted({*prices, *(one["id"] for one in b)})
    found = deployed.rows(f"projects/{name}")
    assert (
        found
        == [{"id": key, "price": prices.get(key), "name": f"n{key}" if key % 3 == 0 else None} for key in ids[:200]][
            : len(found)
        ]
    )
    counted = until(lambda: said if (said := athena(deployed, f"SELECT count(*) FROM project_{name}"))[1:] else None)
    assert counted[1] == [str(len(ids))]
    told = deployed.done("GET", f"/projects/{name}/explain?key={ids[-1]}")["fields"]
    assert told["id"]["value"] == ids[-1]


def test_readers_never_see_a_mixture_during_promotions(deployed: Deployed, name: str) -> None:
    first, _ = project(deployed, name)
    for value in (1, 2):
        refreshed(deployed, name, first, [{"id": key, "v": value} for key in range(30)])

    def read(number: int) -> set[tuple[int, int]]:
        """Which values stand in which version, over all pages."""
        answer = deployed.done("GET", f"/projects/{name}/data?limit=10")
        rows = answer["items"]
        while answer["next"]:
            answer = deployed.done("GET", f"/projects/{name}/data?limit=10&cursor={answer['next']}")
            rows += answer["items"]
        assert len(rows) == 30
        return {(answer["version"], row["v"]) for row in rows}

    def promote(number: int) -> set[tuple[int, int]]:
        deployed.done("POST", f"/projects/{name}/versions/{1 + number % 2}/promote")
        return set()

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(promote if number % 3 == 0 else read, number) for number in range(45)]
        seen = [one.result() for one in asked]
    assert {len(one) for one in seen} == {0, 1}
    assert set().union(*seen) <= {(1, 1), (2, 2)}
