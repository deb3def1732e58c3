"""Published endpoints: parameters, formats, kept answers, who may call; and signed links."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from sluice.api.endpoint_servers import endpoint_server
from sluice.container import Container
from sluice.domain.names import now, rfc3339
from support.client import Client, Reply, client_of_projects
from support.documents import http_source, refresh
from support.upstream import Upstream, ok

NOBODY = Client()
TOP: dict[str, Any] = {
    "sql": "SELECT rank, name, price FROM merged WHERE ($city IS NULL OR name = $city) ORDER BY rank LIMIT $limit",
    "parameters": {
        "limit": {"type": "integer", "default": 2, "min": 1, "max": 200},
        "city": {"type": "string"},
        "datetime": {"type": "datetime"},
    },
    "as_of": "$datetime",
    "columns": {"rank": "Rank", "name": "name", "price": "Price USD"},
}
RECORDS = [
    {"id": 1, "rank": 1, "name": "=cmd()", "price": 2.5},
    {"id": 2, "rank": 2, "name": "Zürich", "price": None},
    {"id": 3, "rank": 3, "name": "Rome", "price": 0.1},
]


@pytest.fixture
def shop(services: Container, admin: Client, upstream: Upstream) -> Client:
    """A project with the endpoint `top`, refreshed."""
    upstream.serve(RECORDS)
    admin.put("/datasources/shop", http_source("shop"))
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/shop", {})
    answer = admin.put("/projects/p/endpoints/top", TOP)
    assert answer.status == 201, answer.text
    refresh(admin, "p")
    return admin


def top(client: Client, query: str = "", **headers: str) -> Reply:
    return client.call("GET", f"/endpoints/p/top{query}", **headers)


def test_an_endpoint_answers(shop: Client, viewer: Client) -> None:
    answer = top(viewer)
    assert answer.json() == {
        "items": [{"rank": 1, "name": "=cmd()", "price": 2.5}, {"rank": 2, "name": "Zürich", "price": None}],
        "columns": [
            {"name": "rank", "type": "bigint"},
            {"name": "name", "type": "string"},
            {"name": "price", "type": "double"},
        ],
        "truncated": False,
        "version": 1,
        "versions": {"merged": 1},
        "completeness": "complete",
        "stale": [],
        "data_as_of": answer.json()["data_as_of"],
    }
    assert [row["rank"] for row in top(viewer, "?limit=200").json()["items"]] == [1, 2, 3]
    assert top(viewer, "?city=Rome").json()["items"][0]["rank"] == 3
    assert top(viewer, "?city=' OR 1=1 --").json()["items"] == []


def test_bad_parameters_are_refused(shop: Client) -> None:
    limits = ("?limit=0", "?limit=201", "?limit=x", "?limit=1.5", "?limit=1&limit=2")
    for query in (*limits, "?nothing=1", "?format=xml", "?datetime=x"):
        answer = top(shop, query)
        assert (answer.status, answer.json()["errors"][0]["pointer"][0]) == (422, "?"), query


def test_formats_for_spreadsheets(shop: Client, services: Container) -> None:
    answer = top(shop, "?format=csv&limit=3")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.text.split("\r\n") == ["Rank,name,Price USD", "1,'=cmd(),2.5", "2,Zürich,", "3,Rome,0.1", ""]
    assert top(shop, "?format=csv&bom=true").text.startswith("\ufeffRank,")
    moved = top(shop, "?format=xlsx&limit=3")
    assert moved.status == 303
    key = moved.headers["Location"].partition("/lake/")[2].partition("?")[0]
    book = services.s3.get_object(Bucket="lake", Key=key)["Body"].read()
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_index(0).to_python()
    assert sheet == [["Rank", "name", "Price USD"], [1.0, "=cmd()", 2.5], [2.0, "Zürich", ""], [3.0, "Rome", 0.1]]


def test_answers_are_cached_until_the_data_changes(shop: Client, upstream: Upstream, services: Container) -> None:
    first = top(shop)
    assert (first.headers["X-Cache"], first.headers["Age"]) == ("miss", "0")
    second = top(shop)
    assert (second.headers["X-Cache"], second.text) == ("hit", first.text)
    assert second.headers["Cache-Control"] == "private, max-age=60"
    unchanged = top(shop, If_None_Match=first.headers["ETag"])
    assert (unchanged.status, unchanged.text) == (304, "")
    server = endpoint_server(services)
    server.cache._local.clear()
    assert top(shop).headers["X-Cache"] == "hit", "another process has computed it"
    upstream.serve([{"id": 1, "rank": 1, "name": "new", "price": 1.0}])
    refresh(shop, "p", ingest="all")
    third = top(shop)
    assert (third.headers["X-Cache"], third.json()["items"][0]["name"]) == ("miss", "new")
    assert top(shop, If_None_Match=first.headers["ETag"]).status == 200
    shop.put("/projects/p/endpoints/top", TOP | {"sql": TOP["sql"].replace("rank, ", "rank + 1 AS rank, ", 1)})
    assert top(shop).json()["items"][0]["rank"] == 2, "and until its own document does"


def test_cached_answer_needs_one_read_of_the_catalog(shop: Client, services: Container) -> None:
    top(shop)
    calls: list[str] = []
    services.clients.dynamodb.meta.events.register(
        "provide-client-params.dynamodb.*", lambda model, **_: calls.append(model.name)
    )
    from query.app import dispatcher
    from support.client import event_of

    event = event_of("GET", "/endpoints/p/top", None, {})
    event["requestContext"]["authorizer"] = shop._authorized(event_of("GET", "/x", None, {"x-api-key": shop.key or ""}))
    calls.clear()
    assert dispatcher.handle(event, None)["statusCode"] == 200
    assert calls == ["BatchGetItem"]


def test_as_of_reads_the_version_published_at_that_time(shop: Client, upstream: Upstream) -> None:
    moment = rfc3339(datetime.now(UTC) + timedelta(milliseconds=1))
    threading.Event().wait(0.01)
    upstream.serve([{"id": 9, "rank": 9, "name": "later", "price": 1.0}])
    refresh(shop, "p", ingest="all")
    assert top(shop).json()["items"][0]["name"] == "later"
    then = top(shop, f"?datetime={moment}").json()
    assert (then["version"], then["items"][0]["rank"]) == (1, 1)
    assert top(shop, "?datetime=2020-01-01T00:00:00Z").status == 404


def test_concurrent_calls_compute_an_answer_once(
    shop: Client, services: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = endpoint_server(services)
    computed: list[int] = []
    gate = threading.Event()

    def compute() -> tuple[bytes, dict[str, Any]]:
        computed.append(1)
        gate.wait(0.3)
        return b"answer", {}

    with ThreadPoolExecutor(8) as pool:
        from sluice.reads.endpoints.cache import AnswerCache

        caches = [AnswerCache(services.locks, services.lake, 1000) for _ in range(8)]
        contents = list(pool.map(lambda cache: cache.get("key", 60, compute).content, caches))
    assert (contents, len(computed)) == ([b"answer"] * 8, 1)
    assert server is endpoint_server(services)


def test_answer_stored_before_the_lock_was_acquired_is_used(
    services: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sluice.reads.endpoints.cache import AnswerCache

    mine, other = (AnswerCache(services.locks, services.lake, 1000) for _ in range(2))
    read = services.locks.read

    def overtaken(name: str) -> Any:
        item = read(name)
        monkeypatch.undo()
        other.get("key", 60, lambda: (b"of the other", {"version": 1}))
        return item

    monkeypatch.setattr(services.locks, "read", overtaken)
    kept = mine.get("key", 60, lambda: (b"mine", {}))
    assert (kept.content, kept.about, kept.hit) == (b"of the other", {"version": 1}, True)


def test_failed_answer_is_not_cached(shop: Client, services: Container) -> None:
    document = {"sql": "SELECT error(name) AS x FROM merged"}
    shop.put("/projects/p/endpoints/top", document)
    assert [top(shop).status for _ in range(2)] == [422, 422]


def test_permissions_to_call_an_endpoint(shop: Client, services: Container) -> None:
    assert top(NOBODY).status == 401
    assert top(Client("sk_wrong")).status == 401
    scoped, other = client_of_projects(services, ["p"]), client_of_projects(services, ["q"])
    assert top(scoped).status == 200
    assert top(other).status == 404
    shop.put("/projects/p/endpoints/top", TOP | {"public": True})
    answer = top(NOBODY)
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "public, max-age=60")
    assert top(other).status == 200
    assert top(Client("sk_wrong")).status == 401
    services.settings = services.settings.model_copy(update={"public_requests_per_minute": 3})
    assert 429 in [top(NOBODY).status for _ in range(5)]
    assert top(scoped).status == 200


INVALID_CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"sql": "SELECT $city FROM nothing LIMIT $limit"}, "there is no table nothing"),
    ({"sql": "SELECT $other FROM merged"}, "$other, which is not in parameters"),
    ({"parameters": {**TOP["parameters"], "unused": {"type": "string"}}}, "does not use the parameter unused"),
    ({"as_of": "$limit"}, "must name a parameter of type datetime"),
    (
        {"parameters": {**TOP["parameters"], "limit": {"type": "integer", "default": 500, "max": 200}}},
        "at most 200",
    ),
    ({"parameters": {**TOP["parameters"], "limit": {"type": "odd"}}}, "input should be"),
    ({"cache_seconds": -1}, "greater than or equal"),
]


def test_invalid_endpoints_are_refused(shop: Client) -> None:
    for changes, message in INVALID_CHANGES:
        answer = shop.put("/projects/p/endpoints/top", TOP | changes)
        assert answer.status == 422, changes
        assert message in answer.text.lower(), changes


def test_typed_parameters(shop: Client) -> None:
    kinds = {"i": "integer", "n": "number", "b": "boolean", "s": "string", "d": "date", "t": "datetime"}
    selected = ", ".join(f"typeof(${name}) AS {name}, ${name}::VARCHAR AS {name}_value" for name in kinds)
    document = {"sql": f"SELECT {selected}", "parameters": {name: {"type": kind} for name, kind in kinds.items()}}
    assert shop.put("/projects/p/endpoints/typed", document).status == 201
    query = "?i=5&n=2.5&b=true&s=5&d=2026-02-03&t=2026-02-03T04:05:06%2B02:00"
    row = shop.get(f"/endpoints/p/typed{query}").json()["items"][0]
    assert (row["i_value"], row["n_value"], row["b_value"], row["s_value"]) == ("5", "2.5", "true", "5")
    assert (row["d"], row["d_value"], row["t"]) == ("DATE", "2026-02-03", "TIMESTAMP")
    assert row["t_value"] == "2026-02-03 02:05:06"
    assert shop.get("/endpoints/p/typed?b=perhaps").status == 422


def test_links(shop: Client, viewer: Client) -> None:
    assert viewer.post("/projects/p/links", {"target": "data"}).status == 403
    for target, text in (
        ("endpoints/top?format=csv", "Rank,name"),
        ("data?format=csv&select=name", "name"),
        ("data", "{"),
    ):
        response = shop.post("/projects/p/links", {"target": target, "expires_in_seconds": 60})
        assert response.status == 201, response.text
        path = response.json()["url"].partition("/v1")[2]
        opened = NOBODY.get(path)
        assert (opened.status, opened.text.startswith(text)) == (200, True), opened.text
        assert NOBODY.get(path[:-2] + ("AA" if path[-2:] != "AA" else "BB")).status == 404
    assert NOBODY.get("/links?token=x").status == 404
    assert NOBODY.get("/links").status == 404
    assert shop.post("/projects/p/links", {"target": "runs"}).status == 422
    assert shop.post("/projects/p/links", {"target": "data", "expires_in_seconds": 0}).status == 422


def test_a_link_expires(shop: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    body = shop.post("/projects/p/links", {"target": "data", "expires_in_seconds": 60}).json()
    path = body["url"].partition("/v1")[2]

    monkeypatch.setattr("sluice.access.links.now", lambda: now() + timedelta(seconds=61))
    assert NOBODY.get(path).status == 404
    assert shop.get("/projects/p/links").json()["items"] == []


def test_data_as_a_workbook(shop: Client, services: Container) -> None:
    moved = shop.get("/projects/p/data?format=xlsx&order=rank")
    key = moved.headers["Location"].partition("/lake/")[2].partition("?")[0]
    book = services.s3.get_object(Bucket="lake", Key=key)["Body"].read()
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_index(0).to_python()
    assert sheet[0] == ["id", "rank", "name", "price"]
    assert sheet[1] == [1.0, 1.0, "=cmd()", 2.5]


INVALID_PARAMETERS: list[dict[str, Any]] = [
    {"type": "integer", "min": "abc"},
    {"type": "integer", "min": 5, "max": 1},
    {"type": "number", "min": "NaN"},
    {"type": "number", "default": "Infinity", "max": 5},
    {"type": "date", "values": ["2024-13-01"]},
    {"type": "boolean", "min": 1},
    {"type": "integer", "required": True, "default": 1},
]


def test_invalid_parameters_of_an_endpoint_are_refused(shop: Client) -> None:
    for parameter in INVALID_PARAMETERS:
        document = {"sql": "SELECT $x AS x", "parameters": {"x": parameter}}
        assert shop.put("/projects/p/endpoints/x", document).status == 422, parameter


def test_bounds_of_parameters_are_enforced(shop: Client) -> None:
    start = {"type": "datetime", "min": "2024-01-01T00:00:00Z", "default": "2024-01-01T00:00:00Z"}
    number = {"type": "number", "min": 0, "max": 10, "default": 0}
    document = {"sql": "SELECT $t AS t, $n AS n", "parameters": {"t": start, "n": number}}
    assert shop.put("/projects/p/endpoints/x", document).status == 201
    for query, status in (
        ("", 200),
        ("?t=2024-01-01T00:00:00Z", 200),
        ("?t=2024-01-01", 200),
        ("?t=2023-12-31", 422),
        ("?n=10", 200),
        *((f"?n={word}", 422) for word in ("NaN", "Infinity", "-Infinity", "10.1")),
    ):
        assert shop.get(f"/endpoints/p/x{query}").status == status, query


def test_a_changed_view_changes_the_answer(shop: Client, services: Container) -> None:
    services.settings = services.settings.model_copy(update={"endpoint_recheck_seconds": 0.0})
    for version in (1, 2):
        shop.put("/projects/p/models/vw", {"sql": f"SELECT {version} AS v FROM merged LIMIT 1", "materialize": False})
        shop.put("/projects/p/endpoints/x", {"sql": "SELECT v FROM vw", "cache_seconds": 600})
        assert shop.get("/endpoints/p/x").json()["items"] == [{"v": version}]


def test_unusual_values_in_every_format(shop: Client) -> None:
    sql = "SELECT ['nan'::double] AS l, -1.5::DECIMAL(5,2) AS d, DATE '5000-01-01 (BC)' AS b, TIMESTAMP '12000-01-01' t"
    shop.put("/projects/p/endpoints/x", {"sql": sql})
    assert shop.get("/endpoints/p/x").json()["items"][0]["l"] == [None]
    assert shop.get("/endpoints/p/x?format=csv").text.splitlines()[1].startswith("[null],-1.50,")
    assert shop.get("/endpoints/p/x?format=xlsx").status == 303


def test_links_are_limited_to_the_project(shop: Client) -> None:
    for target in ("http://[bad", "//[x", "http://evil.com/data", "//evil/data", "", "../data"):
        assert shop.post("/projects/p/links", {"target": target}).status == 422, target


@pytest.fixture
def model_and_report(shop: Client) -> None:
    """The model `m` and the report `r`, refreshed once."""
    shop.put("/projects/p/models/m", {"sql": "SELECT name FROM merged"})
    section = {"type": "table", "sql": "SELECT name FROM merged"}
    assert shop.put("/projects/p/reports/r", {"title": "R", "sections": [section]}).status == 201
    assert refresh(shop, "p", ingest="none")["status"] == "succeeded"


@pytest.mark.usefixtures("model_and_report")
def test_link_with_a_query_opens(shop: Client) -> None:
    for target in (
        "data?where=name.ne:x&order=-rank&limit=2&format=jsonl",
        "models/m/data?select=name",
        "reports/r/latest?format=csv&section=0",
    ):
        link = shop.post("/projects/p/links", {"target": target})
        assert link.status == 201, link.text
        assert NOBODY.get(link.json()["url"].partition("/v1")[2]).status == 200, target


def test_link_may_be_created_before_there_is_data(admin: Client) -> None:
    admin.put("/projects/new", {"name": "new"})
    assert admin.post("/projects/new/links", {"target": "data?where=name.eq:x"}).status == 201
    assert admin.post("/projects/new/links", {"target": "data?version=1"}).status == 422


INVALID_TARGETS = [
    ("endpoints/none", "no endpoint 'none'"),
    ("reports/none/latest", "no report 'none'"),
    ("endpoints/top?limit=many", "limit"),
    ("endpoints/top?unknown=1", "unknown"),
    ("data?where=zz", "'zz' is not <column>.<operator>:<value>"),
    ("data?select=none", "no column 'none'"),
    ("data?order=-none", "no column 'none'"),
    ("data?format=pdf", "format cannot be 'pdf'"),
    ("data?limit=0", "limit cannot be '0'"),
    ("data?version=99", "no version 99"),
    ("data?cursor=abc", "cannot have a cursor"),
    ("data?page=2", "page is unknown"),
    ("models/m/data?where=zz", "'zz' is not"),
    ("models/m/data?cursor=abc", "cannot have a cursor"),
    ("reports/r/latest?format=pdf", "format cannot be 'pdf'"),
    ("reports/r/latest?where=zz", "where is unknown"),
    ("reports/r/latest?format=csv&section=7", "no such section"),
]


@pytest.mark.usefixtures("model_and_report")
def test_link_with_an_invalid_target_is_refused(shop: Client) -> None:
    for target, message in INVALID_TARGETS:
        problem = shop.post("/projects/p/links", {"target": target})
        assert problem.status == 422, target
        assert problem.json()["errors"][0]["pointer"] == "/target", target
        assert message in problem.json()["detail"], target


def test_a_coin_that_moves_from_199_to_200(admin: Client, upstream: Upstream) -> None:
    """The ranks of the blueprint top-coins: positions over two pages of a hundred."""
    coins = [f"C{number}" for number in range(1, 251)]

    def answer(request: Any) -> Any:
        page, size = int(request.url.params["page"]), int(request.url.params["limit"])
        return ok({"Data": [{"symbol": coin} for coin in coins[page * size : (page + 1) * size]]})

    upstream.answer = answer
    pages = {"type": "page", "page_param": "page", "start": 0, "size_param": "limit", "size": 100, "total_pages": "`2`"}
    fields = {"symbol": "symbol", "rank": "$position"}
    admin.put("/datasources/ranks", http_source("ranks", http={"pagination": pages}, records="Data[]", fields=fields))
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "join", "key": ["symbol"]}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/ranks", {})
    sql = "SELECT rank, symbol FROM merged ORDER BY rank LIMIT $limit"
    limit = {"type": "integer", "default": 200, "min": 1, "max": 200}
    for expected in (["C199", "C200"], ["C200", "C199"]):
        assert refresh(admin, "p", ingest="all")["completeness"] == "complete"
        admin.put("/projects/p/endpoints/ranks", {"sql": sql, "parameters": {"limit": limit}})
        ranks = admin.get("/endpoints/p/ranks").json()["items"]
        assert [row["rank"] for row in ranks] == list(range(1, 201))
        assert [row["symbol"] for row in ranks[198:]] == expected
        coins[198:200] = ["C200", "C199"]


UNKNOWN = [
    ("SELECT rank, price AS cost FROM merged", "price"),
    ("SELECT merged.rank, count(*) AS n FROM merged GROUP BY ALL", "price"),
    ("WITH t AS (SELECT rank, price FROM merged) SELECT rank FROM t", "price"),
    ("SELECT rank FROM merged UNION ALL SELECT price FROM merged", "price"),
    ("SELECT * EXCLUDE (price) FROM merged", "price"),
    ("SELECT rank, price + $x FROM merged", "price"),
]


def test_columns_that_the_query_lacks_are_refused(shop: Client) -> None:
    for number, (sql, unknown) in enumerate(UNKNOWN):
        path = f"/projects/p/endpoints/new{number}"
        parameters = {"x": {"type": "number"}} if "$x" in sql else {}
        document = {"sql": sql, "parameters": parameters, "columns": {"rank": "Rank", unknown: "P"}}
        answer = shop.put(path, document)
        assert (answer.status, answer.json()["errors"][0]["pointer"]) == (422, f"/columns/{unknown}"), answer.text
        assert shop.get(path).status == 404, "nothing is stored"
        assert shop.put(path, {**document, "columns": {"rank": "Rank"}}).status == 201, sql


def test_unknown_columns_are_accepted_until_the_query_can_run(services: Container, admin: Client) -> None:
    admin.put("/projects/p", {"name": "p"})
    document = {"sql": "SELECT * FROM merged", "columns": {"rank": "Rank"}}
    assert admin.put("/projects/p/endpoints/new", document).status == 201
    refused = admin.put("/projects/p/endpoints/new", {**document, "sql": "SELECT 1 AS one FROM merged"})
    assert refused.status == 422
