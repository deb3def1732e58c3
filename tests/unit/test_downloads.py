"""Answers as files: HEAD, names and headers of data, endpoints, links and reports."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs, urlsplit

import pytest

from sluice.container import Container
from support.client import Client, Reply
from support.documents import http_source, refresh
from support.upstream import Upstream

NOBODY = Client()
RECORDS = [
    {"symbol": "BTC", "price": 2.5, "tags": ["pow", "l1"]},
    {"symbol": "ETH", "price": None, "tags": []},
]
# The name of the file at an address of each route that answers with one.
INLINE = {
    "/projects/top-coins/data": 'inline; filename="top-coins-v1.json"',
    "/projects/top-coins/data?format=csv": 'attachment; filename="top-coins-v1.csv"',
    "/datasources/watch-list/data?format=jsonl": 'attachment; filename="watch-list-v1.jsonl"',
    "/projects/top-coins/models/ratio/data?format=csv&limit=1": 'attachment; filename="top-coins-ratio-v1.csv"',
    "/endpoints/top-coins/top": 'inline; filename="top-coins-top-v1.json"',
    "/endpoints/top-coins/top?format=csv": 'attachment; filename="top-coins-top-v1.csv"',
    "/endpoints/top-coins/empty?format=csv": 'attachment; filename="top-coins-empty.csv"',
    "/projects/top-coins/reports/prices/latest": 'inline; filename="top-coins-prices-report-v1.html"',
    "/projects/top-coins/reports/prices/latest?format=csv": (
        'attachment; filename="top-coins-prices-report-v1-section-0.csv"'
    ),
}
REDIRECTS = {
    "/datasources/watch-list/data?format=arrow": "watch-list-v1.arrows",
    "/projects/top-coins/models/ratio/data?format=parquet": "top-coins-ratio-v1.parquet",
    "/endpoints/top-coins/top?format=xlsx": "top-coins-top-v1.xlsx",
}


@pytest.fixture
def coins(services: Container, admin: Client, upstream: Upstream) -> Client:
    """A refreshed project with a model, an endpoint and a report."""
    upstream.serve(RECORDS)
    admin.put("/datasources/watch-list", http_source("watch-list"))
    merge = {"strategy": "join", "key": ["symbol"], "fields": {"tags": {"rule": "union"}}}
    admin.put("/projects/top-coins", {"name": "Top coins", "merge": merge, "refresh_on": "manual"})
    admin.put("/projects/top-coins/datasources/watch-list", {})
    sql = "SELECT symbol, price FROM merged ORDER BY symbol"
    admin.put("/projects/top-coins/models/ratio", {"sql": sql})
    admin.put("/projects/top-coins/endpoints/top", {"sql": sql, "public": True})
    admin.put("/projects/top-coins/endpoints/empty", {"sql": "SELECT 1 AS one"})
    sections = [{"type": "table", "sql": sql}]
    admin.put("/projects/top-coins/reports/prices", {"title": "Prices", "sections": sections})
    refresh(admin, "top-coins")
    return admin


def link(client: Client, target: str) -> str:
    """The path of a new link."""
    answer = client.post("/projects/top-coins/links", {"target": target})
    assert answer.status == 201, answer.text
    path: str = answer.json()["url"].partition("/v1")[2]
    return path


def described(reply: Reply) -> dict[str, str]:
    """The headers without those that differ between two requests for the same answer."""
    changing = ("Content-Length", "Age", "X-Cache")
    headers = {name: value for name, value in reply.headers.items() if name not in changing}
    if "Location" in headers:
        headers["Location"] = headers["Location"].partition("?")[0]
    return headers


def test_head_has_the_status_and_headers_of_get(coins: Client) -> None:
    links = [link(coins, target) for target in ("data?format=parquet", "endpoints/top?format=csv")]
    for path in (*INLINE, *REDIRECTS, *links):
        client = NOBODY if path.startswith("/links") else coins
        read, head = client.get(path), client.head(path)
        assert (read.status, head.status) in [(200, 200), (303, 303)], path
        assert described(head) == described(read), path
        assert (head.text, head.headers["Content-Length"]) == ("", str(len(read.text.encode()))), path
    etag = coins.head("/endpoints/top-coins/top").headers["ETag"]
    assert coins.head("/endpoints/top-coins/top", if_none_match=etag).status == 304
    assert coins.head("/projects/none/data").status == 404
    assert coins.head("/projects").status == 405


def test_files_have_names(coins: Client) -> None:
    assert {path: coins.head(path).headers["Content-Disposition"] for path in INLINE} == INLINE
    for path, name in REDIRECTS.items():
        query = parse_qs(urlsplit(coins.head(path).headers["Location"]).query)
        assert query["response-content-disposition"] == [f'attachment; filename="{name}"'], path


def test_every_format_of_an_endpoint_has_the_headers_of_its_data(coins: Client, services: Container) -> None:
    services.settings = services.settings.model_copy(update={"cors_origins": "https://a.example"})
    answer = coins.get("/endpoints/top-coins/top").json()
    for query, cache in (("", "hit"), ("?format=csv", "miss"), ("?format=csv", "hit"), ("?format=xlsx", "miss")):
        headers = coins.head(f"/endpoints/top-coins/top{query}").headers
        assert headers["X-Cache"] == cache
        assert headers["X-Sluice-Version"] == str(answer["version"])
        assert headers["X-Sluice-Completeness"] == answer["completeness"]
        assert headers["X-Sluice-Data-As-Of"] == answer["data_as_of"]
    no_tables = coins.head("/endpoints/top-coins/empty").headers
    assert (no_tables.get("X-Sluice-Version"), no_tables["X-Sluice-Completeness"]) == (None, "complete")
    visible = coins.head("/projects/top-coins/data?format=csv&limit=1", origin="https://a.example").headers
    sent = {name for name in visible if name.startswith(("X-Sluice-", "Content-D"))}
    assert sent <= set(visible["Access-Control-Expose-Headers"].split(", "))
    assert sent >= {"X-Sluice-Next", "Content-Disposition"}


def test_link_leads_to_a_model(coins: Client) -> None:
    opened = NOBODY.get(link(coins, "models/ratio/data?format=csv&where=symbol.eq:BTC"))
    assert (opened.status, opened.text) == (200, "symbol,price\r\nBTC,2.5\r\n")
    coins.put("/projects/top-coins/models/view", {"sql": "SELECT 1 AS one", "materialize": False})
    for target, message in (("models/none/data", "no model 'none'"), ("models/view/data", "is a view")):
        refused = coins.post("/projects/top-coins/links", {"target": target})
        assert (refused.status, refused.json()["errors"][0]["pointer"]) == (422, "/target")
        assert message in refused.json()["detail"]


def test_head_takes_the_credentials_of_get(coins: Client, viewer: Client) -> None:
    path = "/projects/top-coins/data?format=csv"
    basic = base64.b64encode(f"{viewer.key}:".encode()).decode()
    assert NOBODY.head(path, authorization=f"Basic {basic}").status == 200
    assert NOBODY.head(path).status == 401
    assert NOBODY.head("/endpoints/top-coins/top").status == 200
    assert NOBODY.head("/links?token=x").status == 404
