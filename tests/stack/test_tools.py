"""The recipes of docs/how-to/tools.md: run where the tool is a Python package or curl, else its requests."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx
import polars as pl
import pytest

from support.server import Server
from support.stack import ROOT, Deployed

PAGE = (ROOT / "docs/how-to/tools.md").read_text()
COINS = [
    {"rank": rank, "symbol": symbol, "price_usd": price, "tags": tags, "updated_at": f"2026-01-0{rank}T00:00:00Z"}
    for rank, symbol, price, tags in (
        (1, "BTC", 97000.5, ["pow"]),
        (2, "ETH", 3300.0, ["pos", "l1"]),
        (3, "X", 0.1, []),
    )
]
TOP = [(coin["rank"], coin["symbol"], coin["price_usd"]) for coin in COINS]


def blocks(section: str, language: str) -> list[str]:
    """The code blocks of a section of the page, which read this test's project."""
    text = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    (body,) = [part for part in text if part.startswith(section)]
    found = re.findall(rf"```{language}\n(.*?)```", body, re.DOTALL)
    assert found, f"{section} has no block of {language}"
    return [block.replace("top-coins", "tool-coins") for block in found]


@pytest.fixture(scope="module")
def project(deployed: Deployed, server: Server) -> Deployed:
    """A stack with the project, its report, and the endpoint of the page."""
    server.answer("/tool-coins", json.dumps(COINS).encode())
    http, types = {"url": f"{server.url}/tool-coins"}, {"updated_at": "timestamp"}
    deployed.done("PUT", "/datasources/tool-coins", {"name": "Coins", "kind": "http", "http": http, "types": types})
    merge = {"strategy": "join", "key": ["symbol"]}
    deployed.done("PUT", "/projects/tool-coins", {"name": "Coins", "merge": merge, "refresh_on": "manual"})
    deployed.done("PUT", "/projects/tool-coins/datasources/tool-coins", {})
    table = {"type": "table", "sql": "SELECT rank, symbol FROM merged ORDER BY rank"}
    deployed.done("PUT", "/projects/tool-coins/reports/prices", {"title": "Prices", "sections": [table]})
    ended = deployed.ended(deployed.done("POST", "/projects/tool-coins/runs", {}))
    assert (ended["status"], ended["rows"]) == ("succeeded", 3), ended
    return deployed


@pytest.fixture(scope="module")
def variables(project: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The variables that the page's first block and the block of links set."""
    folder = tmp_path_factory.mktemp("tools")
    (folder / ".local").mkdir()
    (folder / ".local/stack.json").write_text(json.dumps(project.description))
    script = "\n".join(
        ["set -euo pipefail", PAGE.partition("```sh\n")[2].partition("```")[0], *blocks("Links", "sh"), "env"]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("NO_PROXY", "127.0.0.1")
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
        names = dict(line.partition("=")[::2] for line in done.stdout.splitlines() if line.startswith("SLUICE_"))
        for name, value in names.items():
            patch.setenv(name, value)
        yield names


def run_python(section: str) -> list[dict[str, Any]]:
    """Run the Python blocks of a section; the variables of each."""
    spaces: list[dict[str, Any]] = []
    for block in blocks(section, "python"):
        spaces.append({})
        exec(compile(block, "docs/how-to/tools.md", "exec"), spaces[-1])
    return spaces


def shell(section: str) -> str:
    script = "\n".join(["set -euo pipefail", *blocks(section, "sh")])
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout


def test_curl(variables: dict[str, str]) -> None:
    assert re.search(r"(?mi)^x-sluice-version: 1\r?$", shell("curl"))
    assert pl.read_parquet("tool-coins-v1.parquet").height == 3


def test_pandas(variables: dict[str, str]) -> None:
    (space,) = run_python("pandas")
    for frame in (space["coins"], space["shared"]):
        assert {coin["symbol"]: list(coin["tags"]) for coin in frame.to_dict("records")} == {
            coin["symbol"]: coin["tags"] for coin in COINS
        }
        assert str(frame.dtypes["updated_at"]).startswith("datetime64")
    assert list(space["top"].itertuples(index=False, name=None)) == TOP


def test_polars(variables: dict[str, str]) -> None:
    scanned, downloaded = run_python("Polars")
    assert scanned["top"].rows() == TOP
    assert downloaded["coins"].schema == scanned["coins"].collect_schema()
    assert downloaded["coins"].schema["tags"] == pl.List(pl.String)
    assert downloaded["coins"].sort("rank")["tags"].to_list() == [coin["tags"] for coin in COINS]


def test_duckdb(variables: dict[str, str]) -> None:
    (space,) = run_python("DuckDB")
    assert space["top"] == TOP


def test_redirects_are_signed_for_their_method(variables: dict[str, str]) -> None:
    with httpx.Client(trust_env=False) as client:
        signed = {
            method: client.request(method, variables["SLUICE_LINK"]).headers["location"] for method in ("HEAD", "GET")
        }
        content = client.get(signed["GET"])
        head = client.head(signed["HEAD"])
        assert (head.status_code, head.headers["content-length"]) == (200, str(len(content.content)))
        assert head.headers["etag"] == content.headers["etag"]
        part = client.get(signed["GET"], headers={"Range": "bytes=-4"})
        assert (part.status_code, part.content) == (206, b"PAR1")
        assert client.head(signed["GET"]).status_code == 403, "which is why HEAD has an address of its own"


def read(project: Deployed, path: str, *, basic: bool = True) -> httpx.Response:
    """Read an address as Excel and Power BI do: first without a key, then with it as the user name."""
    url = f"{project.url}/{path.lstrip('/')}"
    with httpx.Client(trust_env=False, follow_redirects=True) as client:
        key = project.description["api_key"]
        if not basic:
            return client.get(url, headers={"x-api-key": key})
        challenge = client.get(url)
        assert (challenge.status_code, challenge.headers["www-authenticate"].split()[0]) == (401, "Basic")
        encoded = base64.b64encode(f"{key}:".encode()).decode()
        return client.get(url, headers={"Authorization": f"Basic {encoded}"})


def web_contents(query: str) -> str:
    """The path and the query of `Web.Contents` in a Power Query."""
    found = re.search(r'RelativePath = "([^"]+)", Query = \[([^\]]*)\]', query)
    assert found is not None
    parameters = re.findall(r'(\w+) = "([^"]*)"', found[2])
    return f"{found[1]}?{urlencode(parameters)}"


def test_excel(project: Deployed, variables: dict[str, str]) -> None:
    query, web_query = blocks("Excel", "text")
    answer = read(project, web_contents(query))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    header, *rows = answer.text.splitlines()
    assert (set(re.findall(r'\{"(\w+)", ', query)) <= set(header.split(",")), len(rows)) == (True, 3)
    kind, version, url, empty, *options = web_query.splitlines()
    assert (kind, version, empty) == ("WEB", "1", "")
    assert all("=" in option for option in options)
    page = read(project, url.partition("/v1")[2])
    assert page.headers["content-type"].startswith("text/html")
    assert "<td>BTC</td>" in re.sub(r"<td[^>]*>", "<td>", page.text)


def test_power_bi_and_grafana(project: Deployed, variables: dict[str, str]) -> None:
    shell("Grafana")
    (query,) = blocks("Power BI", "text")
    assert [row["symbol"] for row in read(project, web_contents(query)).json()["items"]] == ["BTC", "ETH", "X"]
    (panel,) = map(json.loads, blocks("Grafana", "json"))
    times = {"${__from:date:iso}": "2026-01-02T00:00:00.000Z", "${__to:date:iso}": "2026-01-02T23:59:59.999Z"}
    parameters = {each["key"]: times[each["value"]] for each in panel["url_options"]["params"]}
    path = f"{panel['url'].partition('/v1')[2]}?{urlencode(parameters)}"
    (row,) = read(project, path, basic=False).json()[panel["root_selector"]]
    assert [row[column["selector"]] for column in panel["columns"]] == ["2026-01-02T00:00:00Z", "ETH", 3300.0]


def test_r(project: Deployed, variables: dict[str, str]) -> None:
    (script,) = blocks("R\n", "r")
    csv, page = (read(project, path, basic=False) for path in re.findall(r'api, "([^"]+)"', script))
    assert csv.text.startswith("rank,") or ",rank," in csv.text.splitlines()[0]
    assert [row["rank"] for row in page.json()["items"]] == [1, 2, 3]
    assert "SLUICE_LINK" in os.environ
