"""The examples of docs/reference/python.md, run in their order and exactly as printed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from sluice.container import Container
from support.api_transport import API, ApiTransport
from support.client import Client
from support.documents import drop, http_source
from support.template import ROOT
from support.upstream import StubResponse, Upstream, ok

PAGE = ROOT / "docs/reference/python.md"
MARKET: list[dict[str, Any]] = [
    {"symbol": "BTC", "name": "Bitcoin", "rank": 1, "price_usd": 64000.5},
    {"symbol": "ETH", "name": "Ethereum", "rank": 2, "price_usd": 3200.25},
]
TOP = {
    "sql": "SELECT rank, symbol, price_usd FROM merged WHERE rank IS NOT NULL ORDER BY rank LIMIT $limit",
    "parameters": {"limit": {"type": "integer", "default": 100}},
}


def examples() -> list[str]:
    """The page's blocks of Python."""
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.fixture
def top_coins(services: Container, admin: Client, upstream: Upstream) -> None:
    """A project like that of `make run`, whose prices rise with each request."""

    def rising_prices(_: httpx.Request) -> StubResponse:
        return ok([{**coin, "price_usd": coin["price_usd"] + len(upstream.requests)} for coin in MARKET])

    upstream.answer = rising_prices
    admin.put("/datasources/coinmarketcap", http_source("coinmarketcap"))
    admin.put("/datasources/watch-list", {"name": "Watch list", "kind": "file"})
    merge = {"strategy": "join", "key": ["symbol", "name"]}
    admin.put("/projects/top-coins", {"name": "Top coins", "merge": merge, "refresh_on": "manual"})
    for name in ("coinmarketcap", "watch-list"):
        admin.put(f"/projects/top-coins/datasources/{name}", {"optional": True})
    admin.put("/projects/top-coins/endpoints/top", TOP)
    drop(services, "watch-list/notes.csv", b"symbol,name,note\nBTC,Bitcoin,hold\n")
    admin.post("/projects/top-coins/runs", {})


@pytest.mark.usefixtures("top_coins")
def test_examples_run_as_printed(
    services: Container,
    admin: Client,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLUICE_API", API)
    monkeypatch.setenv("SLUICE_API_KEY", admin.key or "")
    # `Sluice()` on the page has no transport.
    monkeypatch.setattr(httpx._client, "HTTPTransport", lambda **_: ApiTransport(services))
    namespace: dict[str, Any] = {}
    for number, code in enumerate(examples(), start=1):
        capsys.readouterr()
        exec(compile(code, f"{PAGE.name}, example {number}", "exec"), namespace)
        printed = [line.rstrip() for line in capsys.readouterr().out.splitlines() if not line.startswith('{"_aws"')]
        expected = re.findall(r"^ *print\(.*\)  # (.+)$", code, re.MULTILINE)
        assert [line for line in expected if line not in printed] == [], f"example {number} printed {printed}"
    namespace["sluice"].close()


def test_every_public_name_is_on_the_page() -> None:
    import sluice_client

    text = PAGE.read_text()
    internal = {"Fault", "RunError", "__version__"}
    assert [name for name in sluice_client.__all__ if f"`{name}" not in text and name not in internal] == []
    for owner in ("Project", "Datasource", "Run", "Result", "Sluice"):
        for name in vars(getattr(sluice_client, owner)):
            assert name.startswith("_") or f"{name}" in text, f"{owner}.{name}"


def test_install_command_names_the_package() -> None:
    commands = re.findall(r"^pip install '?\./(\w+)", PAGE.read_text(), re.MULTILINE)
    assert commands
    assert all((ROOT / folder / "pyproject.toml").exists() for folder in commands)
