"""Answers as files: HEAD, names and headers of data, endpoints, links and reports."""

from __future__ import annotations

import base64

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
# An address of each route that answers with a file, and whether the answer is a redirect.
FILES = {
    "/projects/top-coins/data": False,
    "/projects/top-coins/data?format=csv": False,
    "/projects/top-coins/data?format=parquet": True,
    "/projects/top-coins/data?format=xlsx&where=symbol.eq:BTC": True,
    "/datasources/watch-list/data?format=jsonl": False,
    "/datasources/watch-list/data?format=arrow": True,
    "/projects/top-coins/models/ratio/data?format=parquet": True,
    "/projects/top-coins/models/ratio/data?format=csv&limit=1": False,
    "/endpoints/top-coins/top": False,
    "/endpoints/top-coins/top?format=csv": False,
    "/endpoints/top-coins/top?format=xlsx": True,
    "/projects/top-coins/reports/prices/latest": False,
    "/projects/top-coins/reports/prices/latest?format=csv": False,
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
    paths = {**FILES, link(coins, "data?format=parquet"): True, link(coins, "endpoints/top?format=csv"): False}
    for path, redirects in paths.items():
        client = NOBODY if path.startswith("/links") else coins
        read, head = client.get(path), client.head(path)
        assert (read.status, head.status) == ((303, 303) if redirects else (200, 200)), path
        assert described(head) == described(read), path
        assert (head.text, head.headers["Content-Length"]) == ("", str(len(read.text.encode()))), path
    etag = coins.head("/endpoints/top-coins/top").headers["ETag"]
    assert coins.head("/endpoints/top-coins/top", if_none_match=etag).status == 304
    assert coins.head("/projects/none/data").status == 404
    assert coins.head("/projects").status == 405


def test_head_takes_the_credentials_of_get(coins: Client, viewer: Client) -> None:
    path = "/projects/top-coins/data?format=csv"
    basic = base64.b64encode(f"{viewer.key}:".encode()).decode()
    assert NOBODY.head(path, authorization=f"Basic {basic}").status == 200
    assert NOBODY.head(path).status == 401
    assert NOBODY.head("/endpoints/top-coins/top").status == 200
    assert NOBODY.head("/links?token=x").status == 404
