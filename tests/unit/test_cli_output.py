"""What the commands of `sluice` print: formats, tables, files, and texts that others have written."""

import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from rich.console import Console

from sluice_cli.output.formats import FORMATS
from sluice_cli.runs.follow import _table
from sluice_cli.runs.state import RunState, SourceState
from support.client import Client
from support.command_line import RECORDS, Commands
from support.upstream import Upstream


def test_get_keeps_the_query_of_a_path(shop: Commands, admin: Client) -> None:
    for _ in range(3):
        shop("run", "datasource", "orders")
    shown = shop("get", "runs?limit=2&kind=ingest", "-o", "json")
    assert [run["kind"] for run in json.loads(shown.out)] == ["ingest", "ingest"]
    assert len(json.loads(shop("get", "runs?limit=2", "--all", "-o", "json").out)) == len(
        admin.get("/runs?limit=200").json()["items"]
    )


def test_limit_of_a_path_is_no_surprise(shop: Commands) -> None:
    shop("run", "project", "shop")
    assert shop("get", "runs?limit=1").err == ""


@pytest.mark.parametrize("output", FORMATS)
def test_each_format_has_nested_values_as_json(shop: Commands, output: str) -> None:
    shown = shop("data", "project", "shop", "-o", output)
    assert shown.code == 0
    if output in ("json", "yaml"):  # JSON is YAML, too
        assert yaml.safe_load(shown.out) == RECORDS
    if output == "jsonl":
        assert [json.loads(line) for line in shown.out.splitlines()] == RECORDS
    assert "['a', 'b']" not in shown.out, "never as Python shows it"
    assert "None" not in shown.out


def test_piped_values_are_tab_separated_and_whole(shop: Commands) -> None:
    shown = shop("data", "project", "shop", "--select", "id,name,tags")
    assert shown.out == '1\tAda\t["a", "b"]\n2\t\t[]\n'


def test_document_is_yaml(shop: Commands) -> None:
    assert yaml.safe_load(shop("get", "projects/shop").out)["merge"]["key"] == ["id"]


def test_data_can_be_written_into_a_file(shop: Commands, tmp_path: Path) -> None:
    file = tmp_path / "shop.csv"
    assert shop("data", "project", "shop", "--select", "id,name", "--into", str(file)).out == ""
    assert file.read_text().splitlines() == ["id,name", "1,Ada", "2,"]
    whole = tmp_path / "shop.json"
    shop("data", "project", "shop", "--into", str(whole))
    assert json.loads(whole.read_text()) == RECORDS
    assert shop("data", "project", "shop", "--into", str(tmp_path / "shop")).code == 2, "which format?"
    missing = shop("data", "project", "shop", "--into", str(tmp_path / "no/shop.csv"))
    assert (missing.code, "cannot be written" in missing.err) == (1, True)
    assert shop("data", "project", "shop", "-p", "limit=1").code == 2, "only endpoints have parameters"
    parquet = tmp_path / "shop.parquet"
    shop("data", "project", "shop", "--into", str(parquet))
    assert parquet.read_bytes()[:4] == b"PAR1"


def test_models_and_endpoints_have_data(shop: Commands, admin: Client) -> None:
    admin.put("/projects/shop/models/names", {"sql": "SELECT name FROM merged WHERE name IS NOT NULL"})
    parameters = {"least": {"type": "integer", "default": 0}}
    admin.put(
        "/projects/shop/endpoints/ids", {"sql": "SELECT id FROM merged WHERE id > $least", "parameters": parameters}
    )
    shop("run", "project", "shop")
    assert shop("data", "model", "shop", "names").out == "Ada\n"
    assert shop("data", "endpoint", "shop", "ids", "-p", "least=1").out == "2\n"
    limited = shop("data", "endpoint", "shop", "ids", "--limit", "1")
    assert (limited.code, "-p limit=5" in limited.err) == (2, True)
    assert shop("data", "model", "shop").code == 2


def test_query_explain_and_diff(shop: Commands, upstream: Upstream) -> None:
    answer = shop("query", "shop", "SELECT name FROM merged WHERE id = $id", "-p", "id=1")
    assert answer.out == "Ada\n"
    assert shop("query", "shop", "-", stdin="SELECT count(*) AS n FROM merged").out == "2\n"
    refused = shop("query", "shop", "DROP TABLE merged")
    assert (refused.code, refused.out) == (1, "")
    explained = shop("explain", "shop", "1", "-o", "json")
    assert json.loads(explained.out)["fields"]["name"]["winners"][0]["pointer"] == "/0/name"
    assert "orders" in shop("explain", "shop", "1").out
    upstream.serve([{**RECORDS[0], "name": "Eve"}, RECORDS[1]])
    shop("run", "project", "shop", "--fetch", "all")
    changed = shop("diff", "shop")
    assert "changed" in changed.out
    assert "Ada\tEve" in changed.out
    assert "version 1 to 2: 0 added, 0 removed, 1 changed" in changed.err
    assert shop("promote", "shop", "1").code == 0
    assert shop("data", "project", "shop", "--select", "name").out.splitlines()[0] == "Ada"


def test_words_in_tables_stay_whole_on_narrow_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    run, time, note = "01M8BSE2H1TA4VFWDGMD20HB4N", "2026-01-30T18:00:00Z", "a note of several words"
    shown = FORMATS["table"]([{"id": run, "at": time, "note": note}], ["id", "at", "note"])
    assert run in shown
    assert time in shown
    assert note not in shown, "texts with spaces are wrapped"
    long = FORMATS["table"]([{"token": "x" * 200}], ["token"])
    assert max(len(line) for line in long.splitlines()) < 80, "very long words are broken"


def test_formulas_in_csv_are_quoted_as_in_the_csv_of_the_api(shop: Commands) -> None:
    sql = "SELECT '=1+1' AS a, '@x' AS b, -5 AS c, '-1.5'::DECIMAL(4, 1) AS d, 'x=1' AS e"
    assert shop("query", "shop", sql, "-o", "csv").out == "a,b,c,d,e\n'=1+1,'@x,-5,-1.5,x=1\n"


HOSTILE = "\x1b]0;t\x07\x1b[31mRED\x9b0m\r\nspoof\rX\u202e[/]"


STALE_RUN = {
    "id": HOSTILE, "status": "succeeded", "completeness": "stale", "rows": 1, "version": 1, "summary": HOSTILE,
    "stale": [{"datasource": HOSTILE, "error": HOSTILE, "version": 1, "data_as_of": HOSTILE}], "warnings": [HOSTILE],
    "error": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("status", "document", "arguments"),
    [
        (200, {"items": [{HOSTILE: HOSTILE, "b": {"x": HOSTILE}}]}, ["get", "projects", "-o", "table"]),
        (200, {"items": [{HOSTILE: HOSTILE, "b": {"x": HOSTILE}}]}, ["get", "projects", "-o", "json"]),
        (200, {"items": [{"a": HOSTILE}]}, ["get", "projects"]),
        (200, {"a": HOSTILE, "b": [HOSTILE]}, ["get", "me"]),
        (200, HOSTILE, ["get", "me"]),
        (422, {"detail": HOSTILE, "errors": [{"pointer": HOSTILE, "message": HOSTILE}]}, ["get", "me"]),
        (200, STALE_RUN, ["cancel", "r"]),
        (200, {"records": [], "warnings": [HOSTILE]}, ["preview", "orders"]),
    ],
    ids=["table", "json", "plain", "document", "text", "error", "run", "note"],
)
def test_no_text_controls_the_terminal(
    sluice: Commands, monkeypatch: pytest.MonkeyPatch, status: int, document: dict[str, Any], arguments: list[str]
) -> None:
    monkeypatch.setattr(sluice.transport, "handle_request", lambda _: httpx.Response(status, json=document))
    shown = sluice(*arguments)
    text = shown.out + shown.err
    assert "RED" in text or status == 200
    assert [character for character in text if ord(character) < 32 and character not in "\n\t"] == []
    assert not set(text) & {"\x7f", "\x9b"}
    if arguments[-1] == "json":
        assert json.loads(shown.out) == document["items"], "JSON is exact"


def test_live_table_has_no_controls() -> None:
    source = SourceState(HOSTILE, "r", HOSTILE, None, 1, 1, 1, 0, 1.0)
    run = {"kind": "ingest", "status": HOSTILE, "progress": None}
    run |= {"project": None, "algorithm": None, "datasource": HOSTILE}
    console = Console(file=io.StringIO(), width=200)
    console.print(_table(RunState(run, [source])))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "RED" in shown
    assert not set(shown) & {"\x1b", "\x07", "\r", "\x9b", "\u202e"}
