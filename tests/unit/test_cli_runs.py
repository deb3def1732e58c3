"""The commands of `sluice` that start, follow and end runs, over the API in this process."""

from pathlib import Path

from support.client import Client
from support.command_line import RECORDS, Commands
from support.documents import http_source, rows
from support.upstream import Upstream, raw
from support.workflows import LocalWorkflows


def test_stale_run_has_a_visible_line_and_its_own_exit_code(shop: Commands, upstream: Upstream) -> None:
    upstream.answer = lambda request: raw(b"", 401)
    shown = shop("run", "project", "shop")
    assert shown.code == 3
    assert "stale: orders: " in shown.err
    assert "Using version 1 from" in shown.err
    assert "0 of 1 source fetched, orders failed" in shown.out
    read = shop("data", "project", "shop")
    assert (read.code, "stale: orders: " in read.err) == (0, True)
    for command in (("data", "project", "shop", "-o", "csv"), ("query", "shop", "SELECT * FROM merged")):
        read = shop(*command)
        assert (read.code, "stale: orders: The upstream answered 401" in read.err) == (0, True)
    failed = shop("run", "datasource", "orders")
    assert failed.code == 1
    assert "sluice redrive" in failed.err


def test_followed_run_shows_its_sources(shop: Commands) -> None:
    shown = shop("run", "project", "shop", "--fetch", "all", "--follow")
    assert shown.code == 0
    assert "orders: succeeded, 1 page, 2 rows" in shown.err
    run_id = shown.out.partition(":")[0]
    again = shop("watch", run_id)
    assert (again.code, "orders: succeeded" in again.err) == (0, True)


def test_runs_are_cancelled_redriven_and_replayed(
    shop: Commands, workflows: LocalWorkflows, upstream: Upstream
) -> None:
    workflows.hold = True
    run_id = shop("run", "project", "shop", "--no-wait").out.partition(":")[0]
    assert shop("cancel", run_id).out == f"{run_id}: cancelled\n"
    assert shop("get", f"runs/{run_id}", "-o", "json").out.count('"cancelled"') == 1
    workflows.hold = False
    assert shop("redrive", run_id).code == 0
    requests = len(upstream.requests)
    assert "succeeded" in shop("replay", "orders", "1").out
    assert len(upstream.requests) == requests, "the upstream was not called"


def test_a_record_is_erased(sluice: Commands, admin: Client, tmp_path: Path) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file", "primary_key": ["id"]})
    file = tmp_path / "notes.csv"
    file.write_text("id,note\n1,x\n2,y\n")
    sluice("drop", "notes", str(file))
    counted = sluice("erase", "notes", "2", "--reason", "asked", "--dry-run")
    assert (counted.code, "records: 1" in counted.out, "dry run" in counted.err) == (0, True, True)
    assert len(rows(admin, "datasources/notes")) == 2
    assert sluice("erase", "notes", "2", "--reason", "asked").code == 0
    assert rows(admin, "datasources/notes") == [{"id": 1, "note": "x"}]
    assert sluice("erase", "notes", "2").code == 2, "a reason is required"


def test_dropped_file_is_ingested(sluice: Commands, admin: Client, tmp_path: Path) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file"})
    file = tmp_path / "notes.csv"
    file.write_text("id,note\n1,x\n")
    shown = sluice("drop", "notes", str(file))
    assert shown.code == 0, shown.err
    assert "succeeded, 1 row, version 1" in shown.out
    unknown = sluice("drop", "note", str(file))
    assert unknown.code == 1
    assert "Did you mean: notes?" in unknown.err


def test_reasons_of_a_partial_run_are_shown_once(shop: Commands, admin: Client, upstream: Upstream) -> None:
    upstream.serve({"total": 5, "d": RECORDS})
    pages = {"type": "offset", "offset_param": "o", "limit_param": "l", "limit": 2, "total": "total"}
    http = {"url": "https://orders.example.com/v1", "pagination": pages}
    admin.put("/datasources/orders", http_source("orders", records="d", http=http))
    ingested = shop("run", "datasource", "orders").err.splitlines()
    assert ingested[0].startswith("partial: page 4 repeats the one before")
    assert [
        line for line in ingested[1:] if ingested[0].removeprefix("partial: ") == line.strip().removeprefix("note: ")
    ] == []
    admin.post("/datasources", {"name": "notes", "kind": "file"})
    admin.put("/projects/shop/datasources/notes", {})
    refreshed = shop("run", "project", "shop", "--fetch", "none").err.splitlines()
    assert refreshed[0].startswith("stale: orders: ")
    assert refreshed[1:] == [
        "partial: notes: it has no data yet",
        "  note: version 1 stays published: it is more complete than this one",
    ]
