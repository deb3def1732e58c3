"""How pages lead to each other: by address, cursor and number, in queries and bodies."""

from typing import Any

import httpx
import pytest

from sluice.container import Container
from support.client import Client
from support.documents import http_source, ingest, rows
from support.upstream import StubResponse, Upstream, ok

RECORDS = [{"id": number} for number in range(7)]
URL = "https://coins.example.com/v1"


def outcome(run: dict[str, Any]) -> tuple[str, str, int]:
    return run["status"], run["completeness"], run["rows"]


def source(admin: Client, pagination: dict[str, Any], **http: Any) -> None:
    document = http_source(records="data", http={"pagination": pagination, **http})
    answer = admin.post("/datasources", document)
    assert answer.status == 201, answer.text


def linked(upstream: Upstream, *, header: bool = False, absolute: bool = False, last: Any = None) -> None:
    def answer(request: httpx.Request) -> StubResponse:
        at = int(request.url.params.get("at", 0))
        following = f"?at={at + 3}" if at + 3 < len(RECORDS) else None
        if following and absolute:
            following = URL + following
        page: dict[str, Any] = {"data": RECORDS[at : at + 3]}
        if header:
            link = '<https://x.example.com/>; rel="prev"'
            return ok(page, link=f'{link}, <{following}>; title="a, b"; rel="next"' if following else link)
        return ok({**page, "next": following if following else last})

    upstream.answer = answer


@pytest.mark.parametrize("absolute", [True, False])
@pytest.mark.parametrize("header", [True, False])
def test_next_url(admin: Client, upstream: Upstream, header: bool, absolute: bool) -> None:
    linked(upstream, header=header, absolute=absolute)
    source(admin, {"type": "next_url", **({"from": "link"} if header else {"path": "next"})}, params={"convert": "USD"})
    assert outcome(ingest(admin, "coins")) == ("succeeded", "complete", 7)
    asked = [str(request.url) for request in upstream.requests]
    assert asked == [f"{URL}?convert=USD", f"{URL}?at=3", f"{URL}?at=6"], "a named address is asked for as it is"


@pytest.mark.parametrize("last", [None, "", False])
def test_what_ends_next_url(admin: Client, upstream: Upstream, last: Any) -> None:
    linked(upstream, last=last)
    source(admin, {"type": "next_url", "path": "next"})
    assert outcome(ingest(admin, "coins")) == ("succeeded", "complete", 7)


@pytest.mark.parametrize("following", [7, {"a": 1}, "ftp://x/", "http://[", "mailto:a@b"])
def test_a_next_url_that_is_no_address_fails_the_page(admin: Client, upstream: Upstream, following: Any) -> None:
    upstream.serve({"data": RECORDS[:3], "next": following})
    source(admin, {"type": "next_url", "path": "next"})
    run = ingest(admin, "coins")
    assert run["status"] == "failed"
    assert run["error"]["detail"].startswith("`pagination`")


@pytest.mark.parametrize("circle", ["?at=0", "", "?at=3"])
def test_cycle_of_pages_is_partial(admin: Client, upstream: Upstream, circle: str) -> None:
    def answer(request: httpx.Request) -> StubResponse:
        at = int(request.url.params.get("at", 0))
        return ok({"data": RECORDS[at : at + 3], "next": URL + ("?at=3" if at == 0 else circle)})

    upstream.answer = answer
    source(admin, {"type": "next_url", "path": "next"}, url=URL)
    run = ingest(admin, "coins")
    assert (run["status"], run["completeness"]) == ("partial", "partial")
    assert run["completeness_reasons"]
    assert len(upstream.requests) <= 4


def test_credentials_go_to_the_datasources_own_host_only_and_are_never_stored(
    services: Container, admin: Client, upstream: Upstream
) -> None:
    def answer(request: httpx.Request) -> StubResponse:
        at = request.url.params.get("at")
        following = {None: "?at=1&token=hunter2", "1": "https://other.example.com/?at=2", "2": None}[at]
        return ok({"data": [{"at": at}], "next": following})

    upstream.answer = answer
    admin.put("/secrets/k", {"value": "hunter2"})
    source(
        admin,
        {"type": "next_url", "path": "next"},
        headers={"X-Own": "1"},
        auth={"type": "api_key", "in": "query", "name": "token", "secret": "k"},
    )
    run = ingest(admin, "coins")
    assert outcome(run) == ("succeeded", "complete", 3)
    first, second, third = upstream.requests
    assert [request.url.params.get("token") for request in (first, second, third)] == ["hunter2", "hunter2", None]
    assert (second.headers.get("x-own"), third.headers.get("x-own")) == ("1", None)
    assert "hunter2" not in admin.get(f"/runs/{run['id']}/pages").text
    assert "hunter2" not in str(services.pages.of_run(run["id"]))


def test_a_body_is_not_posted_to_another_host(admin: Client, upstream: Upstream) -> None:
    upstream.serve({"data": RECORDS[:1], "next": "https://other.example.com/"})
    source(admin, {"type": "next_url", "path": "next"}, method="POST", body={"q": 1})
    run = ingest(admin, "coins")
    assert outcome(run) == ("partial", "partial", 1)
    assert "another host" in run["completeness_reasons"][0]
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("where", ["param", "header", "body"])
def test_cursor(admin: Client, upstream: Upstream, where: str) -> None:
    def answer(request: httpx.Request) -> StubResponse:
        if where == "body":
            import json

            body = json.loads(request.content)
            assert body["query"]["size"] == 3
            at = body["query"]["page"].get("cursor", 0)
        else:
            at = int(request.url.params.get("cursor", 0))
        following = at + 3 if at + 3 < len(RECORDS) else None
        page = {"data": RECORDS[at : at + 3]}
        if where == "header":
            return ok(page, **({"x-next": str(following)} if following else {}))
        return ok({**page, "meta": {"next": following}})

    upstream.answer = answer
    given = {"header": "X-Next"} if where == "header" else {"path": "meta.next"}
    taken = {"body_path": "/query/page/cursor"} if where == "body" else {"param": "cursor"}
    http = {"method": "POST", "body": {"query": {"size": 3, "page": {}}}} if where == "body" else {}
    source(admin, {"type": "cursor", **given, **taken}, **http)
    assert outcome(ingest(admin, "coins")) == ("succeeded", "complete", 7)
    assert len(upstream.requests) == 3


def test_repeated_cursor_is_partial(admin: Client, upstream: Upstream) -> None:
    counter = iter(range(100))
    upstream.answer = lambda request: ok({"data": [{"id": next(counter)}], "next": "same"})
    source(admin, {"type": "cursor", "path": "next", "param": "c"})
    run = ingest(admin, "coins")
    assert outcome(run) == ("partial", "partial", 2)
    assert "leads back" in run["completeness_reasons"][0]


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ('<?at=3>; title="a; rel=prev"; rel=next', ("succeeded", "complete", 6)),
        ("<?at=3>; rel='next'", ("succeeded", "complete", 6)),
        ('<?at=3>;rel="last next"', ("succeeded", "complete", 6)),
        ("garbage", ("succeeded", "unproven", 3)),
    ],
)
def test_odd_link_headers(admin: Client, upstream: Upstream, link: str, expected: tuple[str, str, int]) -> None:
    def answer(request: httpx.Request) -> StubResponse:
        at = int(request.url.params.get("at", 0))
        return ok({"data": RECORDS[at : at + 3]}, **({"link": link} if at == 0 else {}))

    upstream.answer = answer
    source(admin, {"type": "next_url", "from": "link"})
    assert outcome(ingest(admin, "coins")) == expected


def test_pages_of_a_cycle_count_once(admin: Client, upstream: Upstream) -> None:
    def answer(request: httpx.Request) -> StubResponse:
        at = request.url.params.get("c", "0")
        return ok({"data": [{"id": int(at)}, {"id": 10 + int(at)}], "next": {"0": "1", "1": "0"}[at]})

    upstream.answer = answer
    source(admin, {"type": "cursor", "path": "next", "param": "c"})
    run = ingest(admin, "coins")
    assert outcome(run) == ("partial", "partial", 4)
    assert sorted(row["id"] for row in rows(admin, "datasources/coins")) == [0, 1, 10, 11]


@pytest.mark.parametrize("end", [False, [], "", None])
def test_what_ends_a_cursor(admin: Client, upstream: Upstream, end: Any) -> None:
    upstream.serve({"data": RECORDS[:2], "next": end})
    source(admin, {"type": "cursor", "path": "next", "param": "c"})
    assert outcome(ingest(admin, "coins")) == ("succeeded", "complete", 2)


def numbered(upstream: Upstream, pages: int | None, start: int = 1) -> None:
    def answer(request: httpx.Request) -> StubResponse:
        number = int(request.url.params["page"]) - start
        page: dict[str, Any] = {"data": RECORDS[3 * number : 3 * number + 3]}
        return ok(page | ({"pages": pages} if pages is not None else {}))

    upstream.answer = answer


@pytest.mark.parametrize(
    ("spec", "pages", "expected"),
    [
        ({"total_pages": "pages"}, 3, ("succeeded", "complete", 7)),
        ({"total_pages": "pages", "start": 0}, 3, ("succeeded", "complete", 7)),
        ({"total_pages": "pages"}, 5, ("partial", "partial", 7)),
        ({"total_pages": "pages"}, 0, ("succeeded", "unproven", 3)),
        ({"size": 3, "size_param": "size"}, None, ("succeeded", "unproven", 7)),
        ({}, None, ("succeeded", "unproven", 7)),
        ({"max_pages": 2}, None, ("partial", "partial", 6)),
        ({"has_more": "length(data) == `3`"}, None, ("succeeded", "complete", 7)),
        ({"stop_when": "length(data) < `3`"}, None, ("succeeded", "complete", 7)),
    ],
    ids=[
        "total",
        "from zero",
        "total too high",
        "total too low",
        "short",
        "empty",
        "max_pages",
        "has_more",
        "stop_when",
    ],
)
def test_page(
    admin: Client, upstream: Upstream, spec: dict[str, Any], pages: int | None, expected: tuple[str, str, int]
) -> None:
    numbered(upstream, pages, spec.get("start", 1))
    source(admin, {"type": "page", "page_param": "page", **spec})
    run = ingest(admin, "coins")
    assert outcome(run) == expected
    if "size" in spec:
        assert {request.url.params["size"] for request in upstream.requests} == {"3"}


def test_numbers_in_the_body_of_a_post(admin: Client, upstream: Upstream) -> None:
    import json

    def answer(request: httpx.Request) -> StubResponse:
        body = json.loads(request.content)
        return ok({"data": RECORDS[body["from"] : body["from"] + body["page"]["size"]], "total": 7})

    upstream.answer = answer
    pagination = {"type": "offset", "offset_param": "/from", "limit_param": "/page/size", "limit": 3, "total": "total"}
    source(admin, pagination, method="POST", body={"q": "x"})
    assert outcome(ingest(admin, "coins")) == ("succeeded", "complete", 7)
    assert [json.loads(request.content)["q"] for request in upstream.requests] == ["x", "x", "x"]


@pytest.mark.parametrize(
    "pagination",
    [
        {"type": "next_url"},
        {"type": "next_url", "path": "a", "from": "link"},
        {"type": "next_url", "from": "body"},
        {"type": "next_url", "path": "["},
        {"type": "cursor", "path": "a"},
        {"type": "cursor", "path": "a", "param": "c", "body_path": "/c"},
        {"type": "cursor", "param": "c"},
        {"type": "cursor", "path": "a", "body_path": "/c"},
        {"type": "page"},
        {"type": "offset", "offset_param": "/from"},
        {"type": "odd"},
    ],
    ids=str,
)
def test_pagination_that_cannot_work_is_refused(admin: Client, pagination: dict[str, Any]) -> None:
    answer = admin.post("/datasources", http_source(http={"pagination": pagination}))
    assert answer.status == 422
    assert answer.json()["errors"][0]["pointer"].startswith("/http")


def test_interrupted_run_continues_at_the_next_address(services: Container, admin: Client, upstream: Upstream) -> None:
    linked(upstream)
    healthy = upstream.answer
    upstream.answer = lambda request: (
        StubResponse(403, b"", {}) if request.url.params.get("at") == "6" else healthy(request)
    )
    source(admin, {"type": "next_url", "path": "next"})
    run = ingest(admin, "coins")
    assert outcome(run) == ("partial", "partial", 6)
    upstream.answer = healthy
    upstream.requests.clear()
    admin.post(f"/runs/{run['id']}/redrive")
    assert outcome(admin.get(f"/runs/{run['id']}").json()) == ("succeeded", "complete", 7)
    assert [request.url.params.get("at") for request in upstream.requests] == ["3", "6"]
    assert rows(admin, "datasources/coins") == RECORDS
