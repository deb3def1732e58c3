"""Endpoints that promise freshness: reads of older data refresh the project first, once for all readers."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest

from sluice.api.endpoint_freshness import refresh_if_too_old
from sluice.api.endpoint_servers import endpoint_server
from sluice.container import Container
from sluice.domain.names import new_run_id, now, rfc3339
from sluice.domain.run import Run
from sluice.errors import Unavailable
from support.client import Client, Reply
from support.documents import drop, http_source, refresh
from support.upstream import Upstream, raw
from support.workflows import LocalWorkflows

NOBODY = Client()
PRICES: dict[str, Any] = {
    "sql": "SELECT id, price FROM merged ORDER BY id",
    "parameters": {"datetime": {"type": "datetime"}},
    "as_of": "$datetime",
    "cache_seconds": 3000,
    "max_age_seconds": 3600,
}


@pytest.fixture
def shop(services: Container, admin: Client, upstream: Upstream) -> Client:
    """A project with the endpoint `prices`, refreshed just now; `upstream` has newer prices meanwhile."""
    upstream.serve([{"id": 1, "price": 1.5}])
    admin.put("/datasources/shop", http_source("shop", schedule={"expression": "rate(1 hour)"}))
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/shop", {})
    answer = admin.put("/projects/p/endpoints/prices", PRICES)
    assert answer.status == 201, answer.text
    refresh(admin, "p")
    upstream.requests.clear()
    upstream.serve([{"id": 1, "price": 2.5}])
    return admin


def read(client: Client, query: str = "", **headers: str) -> Reply:
    return client.call("GET", f"/endpoints/p/prices{query}", **headers)


def put_endpoint(client: Client, **changes: Any) -> None:
    assert client.put("/projects/p/endpoints/prices", PRICES | changes).status == 200


def set_attributes(table: str, key: dict[str, Any], **changes: str) -> None:
    names = {f"#{number}": name for number, name in enumerate(changes)}
    boto3.resource("dynamodb").Table(table).update_item(
        Key=key,
        UpdateExpression="SET " + ", ".join(f"#{number} = :{number}" for number in range(len(changes))),
        ExpressionAttributeNames=names,
        ExpressionAttributeValues={f":{number}": value for number, value in enumerate(changes.values())},
    )


def make_older(seconds: int, *slugs: str) -> None:
    """Let the data have been fetched and merged some time ago, by runs of that time."""
    moment, earlier = (rfc3339(now() - timedelta(seconds=more + seconds)) for more in (0, 1))
    for run in boto3.resource("dynamodb").Table("RunsTable").scan()["Items"]:
        key = {"workspace": "main", "run_id": str(run["run_id"])}
        set_attributes("RunsTable", key, created_at=earlier, finished_at=moment)
    for slug in slugs or ("shop",):
        key = {"workspace": "main", "dataset": f"datasource/{slug}"}
        set_attributes("DatasetsTable", key, checked_at=moment, data_as_of=moment)
    merged = {"workspace": "main", "dataset": "project/p"}
    set_attributes("DatasetsTable", merged, checked_at=moment, data_as_of=moment, refreshed_at=moment)


def read_runs(client: Client) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = client.get("/runs?project=p").json()["items"]
    return [run for run in runs if run["trigger"] == "read"]


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def test_data_that_is_young_enough_is_not_refreshed(shop: Client, viewer: Client, upstream: Upstream) -> None:
    make_older(1800)
    answer = read(viewer)
    assert answer.json()["items"] == [{"id": 1, "price": 1.5}]
    freshness = answer.json()["freshness"]
    assert (freshness["max_age_seconds"], freshness["older_than_promised"]) == (3600, False)
    age = int(answer.headers["Age"])
    assert 1800 <= age < 3600
    assert freshness["refreshed_at"] == answer.headers["X-Sluice-Refreshed-At"]
    assert answer.headers["Cache-Control"] == f"private, max-age={3600 - age}", "clients may not keep it longer"
    assert "X-Sluice-Older-Than-Promised" not in answer.headers
    assert (upstream.requests, read_runs(shop)) == ([], [])


@pytest.mark.parametrize("public", [False, True])
def test_older_data_is_refreshed_first(shop: Client, viewer: Client, upstream: Upstream, public: bool) -> None:
    put_endpoint(shop, public=public)
    caller = NOBODY if public else viewer
    assert read(caller).json()["items"][0]["price"] == 1.5
    make_older(3700)
    answer = read(caller)
    assert answer.json()["items"] == [{"id": 1, "price": 2.5}]
    assert (answer.json()["freshness"]["older_than_promised"], int(answer.headers["Age"]) < 1800) == (False, True)
    [run] = read_runs(shop)
    assert (run["kind"], run["status"]) == ("refresh", "succeeded")
    key = next(item["id"] for item in shop.get("/keys").json()["items"] if item["name"] == "viewer")
    assert run["created_by"] == ("endpoint/prices" if public else f"key/{key}")
    # The upstream gives the same again: that counts as fresh, too.
    make_older(3700)
    assert read(caller).json()["freshness"]["older_than_promised"] is False
    assert read(caller).headers["X-Cache"] == "hit"
    assert (len(upstream.requests), len(read_runs(shop))) == (2, 2)


def test_readers_at_once_share_a_refresh(
    services: Container, shop: Client, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.settings = services.settings.model_copy(update={"endpoint_wait_seconds": 60.0})
    make_older(3700)
    serve, fetching, resume, stored = upstream.answer, threading.Event(), threading.Event(), services.runs.get
    server = endpoint_server(services)
    endpoint = server.find("p", "prices", lambda document: None)

    def answer(request: Any) -> Any:
        fetching.set()
        assert resume.wait(20)
        return serve(request)

    def wait_for_commit(run_id: str) -> Run:
        run = stored(run_id)
        # DynamoDB makes all writes of a transaction visible at once, moto one after the other.
        if run.finished and threading.current_thread().name.startswith("waiting"):
            first.result()
        return run

    def version() -> int | None:
        return refresh_if_too_old(services, server, endpoint, None).pointers["merged"].published

    upstream.answer = answer
    monkeypatch.setattr(services.runs, "get", wait_for_commit)
    with ThreadPoolExecutor(1) as starting, ThreadPoolExecutor(2, "waiting") as waiting:
        first = starting.submit(version)
        assert fetching.wait(20)
        others = [waiting.submit(version) for _ in range(2)]
        until(lambda: len(services.slots.holders("waiting-calls")) == 2)
        resume.set()
        assert [reader.result() for reader in (first, *others)] == [2, 2, 2]
    assert (len(read_runs(shop)), len(upstream.requests)) == (1, 1)
    assert services.slots.holders("waiting-calls") == set()


def test_failed_refresh_is_not_repeated_by_each_reader(shop: Client, viewer: Client, upstream: Upstream) -> None:
    fresh = read(viewer)
    table = read(viewer, "?format=csv")
    make_older(3700)
    upstream.answer = lambda request: raw(b"", 403)
    for _ in range(3):
        old = read(viewer, If_None_Match=fresh.headers["ETag"])
        assert (old.status, old.json()["items"]) == (200, fresh.json()["items"])
        assert old.json()["freshness"]["older_than_promised"] is True
        assert (old.headers["X-Sluice-Older-Than-Promised"], old.headers["Cache-Control"][-9:]) == ("true", "max-age=0")
        assert int(old.headers["Age"]) >= 3700
    same = read(viewer, "?format=csv", If_None_Match=table.headers["ETag"])
    assert (same.status, same.headers["X-Sluice-Older-Than-Promised"]) == (304, "true"), "unchanged rows say so, too"
    assert len(read_runs(shop)) == 1
    [run] = read_runs(shop)
    ended_at = rfc3339(datetime.fromisoformat(run["finished_at"]) - timedelta(seconds=301))
    set_attributes("RunsTable", {"workspace": "main", "run_id": run["id"]}, finished_at=ended_at)
    upstream.serve([{"id": 1, "price": 3.5}])
    assert read(viewer).json()["items"][0]["price"] == 3.5
    assert len(read_runs(shop)) == 2


def test_wait_is_bounded(services: Container, shop: Client, viewer: Client, workflows: LocalWorkflows) -> None:
    services.settings = services.settings.model_copy(update={"endpoint_wait_seconds": 0.3})
    workflows.hold = True
    make_older(3700)
    for _ in range(2):  # the second reader joins, and does not start to wait again
        old = read(viewer)
        assert (old.json()["items"], old.json()["freshness"]["older_than_promised"]) == (
            [{"id": 1, "price": 1.5}],
            True,
        )
    assert [run["status"] for run in read_runs(shop)] == ["pending"]


@pytest.mark.parametrize("query", ["?datetime={now}", "?datetime=x", "?nothing=1"], ids=["as of", "bad", "unknown"])
def test_read_that_does_not_refresh(shop: Client, upstream: Upstream, query: str) -> None:
    moment = rfc3339(now())
    make_older(3700)
    answer = read(shop, query.format(now=moment))
    assert (answer.status, "freshness" in answer.text) == (200 if "now" in query else 422, False)
    assert (upstream.requests, read_runs(shop)) == ([], [])


def test_disabled_project_is_not_refreshed(shop: Client, upstream: Upstream) -> None:
    shop.patch("/projects/p", {"enabled": False})
    make_older(3700)
    assert read(shop).json()["freshness"]["older_than_promised"] is True
    assert upstream.requests == []


def test_refresh_of_a_reader_that_was_killed_is_continued(services: Container, shop: Client) -> None:
    make_older(3700)
    run = new_run_id()
    assert services.locks.acquire("read-refresh#p", 60, run=run) is None
    assert read(shop).json()["items"][0]["price"] == 2.5
    assert [started["id"] for started in read_runs(shop)] == [run]


def test_refresh_that_cannot_be_started_is_tried_by_the_next_reader(
    shop: Client, workflows: LocalWorkflows, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(run: Any) -> None:
        raise Unavailable("Step Functions refuses.")

    make_older(3700)
    with monkeypatch.context() as patched:
        patched.setattr(workflows, "start", refuse)
        assert read(shop).json()["freshness"]["older_than_promised"] is True
    assert read(shop).json()["items"][0]["price"] == 2.5
    assert len(read_runs(shop)) == 1


def test_age_is_that_of_data_that_refreshes_fetch(services: Container, shop: Client, upstream: Upstream) -> None:
    shop.put("/datasources/notes", {"name": "notes", "kind": "file"})
    shop.put("/datasources/static", http_source("static", max_age_seconds=0))
    for slug in ("notes", "static"):
        shop.put(f"/projects/p/datasources/{slug}", {})
    drop(services, "notes/notes.csv", b"id,note\n1,x\n")
    refresh(shop, "p", ingest="all")
    make_older(9000, "notes", "static", "shop")
    upstream.requests.clear()
    assert read(shop).json()["freshness"]["older_than_promised"] is False
    assert [request.url.host for request in upstream.requests] == ["shop.example.com"]
    for table, fresh in (("shop", True), ("notes", None), ("static", None)):
        put_endpoint(shop, sql=f"SELECT * FROM {table}")
        answer = read(shop).json()
        assert answer.get("freshness", {}).get("older_than_promised") is (False if fresh else None)
    assert len(read_runs(shop)) == 1


def test_data_of_a_datasource_is_refreshed_with_the_project(shop: Client, upstream: Upstream) -> None:
    shop.put("/projects/p/models/doubled", {"sql": "SELECT id, 2 * price AS price FROM shop"})
    refresh(shop, "p", ingest="none")
    for table, price in (("shop", 2.5), ("doubled", 7.0)):
        put_endpoint(shop, sql=f"SELECT id, price FROM {table}")
        make_older(3700)
        assert read(shop).json()["items"][0]["price"] == price
        upstream.serve([{"id": 1, "price": 3.5}])
    assert len(read_runs(shop)) == 2


def test_first_read_of_unpublished_data_refreshes(shop: Client) -> None:
    shop.put("/projects/q", {"name": "q", "merge": {"strategy": "join", "key": ["id"]}, "refresh_on": "manual"})
    shop.put("/projects/q/datasources/shop", {})
    shop.put("/projects/q/endpoints/prices", PRICES)
    assert shop.get("/endpoints/q/prices").json()["items"] == [{"id": 1, "price": 2.5}]


def test_promise_of_an_endpoint_document(shop: Client) -> None:
    assert shop.put("/projects/p/endpoints/other", {"sql": "SELECT 1 AS x"}).json()["max_age_seconds"] is None
    for seconds in (0, -1, 1.5, "60"):
        answer = shop.put("/projects/p/endpoints/other", {"sql": "SELECT 1 AS x", "max_age_seconds": seconds})
        assert (answer.status, answer.json()["errors"][0]["pointer"]) == (422, "/max_age_seconds")


def test_reader_with_a_key_can_wait_when_those_without_cannot(
    services: Container, shop: Client, viewer: Client, workflows: LocalWorkflows, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.settings = services.settings.model_copy(
        update={"endpoint_wait_seconds": 0.3, "max_waiting_calls": 2, "max_anonymous_waiting_calls": 1}
    )
    put_endpoint(shop, public=True)
    workflows.hold = True
    make_older(3700)
    take, taken = services.slots.take, []

    def count(kind: str, holder: str, most: int) -> bool:
        taken.append(take(kind, holder, most))
        return taken[-1]

    assert take("waiting-calls", f"{int(time.time()) + 60:011d}#other", 1)
    monkeypatch.setattr(services.slots, "take", count)
    for client in (NOBODY, viewer):
        assert read(client).json()["freshness"]["older_than_promised"] is True
    assert taken == [False, True]


@pytest.mark.parametrize(("ingest", "own"), [("all", 0), ("stale", 1), ("none", 1)])
def test_readers_join_a_refresh_that_fetches_everything(
    services: Container, shop: Client, viewer: Client, workflows: LocalWorkflows, ingest: str, own: int
) -> None:
    services.settings = services.settings.model_copy(update={"endpoint_wait_seconds": 0.3})
    make_older(3700)
    workflows.hold = True
    requested = shop.post("/projects/p/runs", {"ingest": ingest}).json()["id"]
    assert read(viewer).json()["freshness"]["older_than_promised"] is True
    assert len(read_runs(shop)) == own
    # A refresh that has ended, or takes too long, keeps no reader from starting another.
    moment = rfc3339(now() - timedelta(seconds=60))
    set_attributes("RunsTable", {"workspace": "main", "run_id": requested}, created_at=moment)
    read(viewer)
    assert len(read_runs(shop)) == 1


def test_promoted_older_version_is_replaced_when_its_data_becomes_too_old(shop: Client, viewer: Client) -> None:
    refresh(shop, "p", ingest="all")
    assert shop.post("/projects/p/versions/1/promote").status == 200
    assert read(viewer).json()["items"][0]["price"] == 1.5
    make_older(3700)
    assert read(viewer).json()["items"][0]["price"] == 2.5
