"""The commands of `sluice`, over the API in this process."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from rich.console import Console

from sluice import __version__
from sluice.container import Container
from sluice_cli.blueprints.yaml_file import YamlFile
from sluice_cli.commands import REGISTRY
from sluice_cli.commands.init import commented_yaml
from sluice_cli.group import LazyGroup
from sluice_cli.main import cli
from sluice_cli.output.formats import FORMATS
from sluice_cli.runs.follow import _table
from sluice_cli.runs.state import RunState, SourceState
from support.client import Client
from support.command_line import Commands
from support.documents import http_source
from support.upstream import Upstream, raw
from support.workflows import LocalWorkflows

RECORDS: list[dict[str, Any]] = [{"id": 1, "name": "Ada", "tags": ["a", "b"]}, {"id": 2, "name": None, "tags": []}]


@pytest.fixture
def sluice(
    services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Commands:
    return Commands(services, admin, monkeypatch, capsys)


@pytest.fixture
def shop(sluice: Commands, admin: Client, upstream: Upstream) -> Commands:
    """The project `shop` of the datasource `orders`, refreshed once."""
    upstream.serve(RECORDS)
    admin.post("/datasources", http_source("orders"))
    merge = {"strategy": "join", "key": ["id"]}
    admin.put("/projects/shop", {"name": "Shop", "merge": merge, "refresh_on": "manual"})
    admin.put("/projects/shop/datasources/orders", {})
    assert sluice("run", "project", "shop").code == 0
    return sluice


def test_every_command_can_be_imported_and_has_the_help_of_the_list() -> None:
    group = cli
    assert isinstance(group, LazyGroup)
    context = cli.make_context("sluice", ["--help"], resilient_parsing=True)
    for name in REGISTRY:
        command = group.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert command.help


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_lists_the_commands_and_the_environment(sluice: Commands, option: str) -> None:
    shown = sluice(option)
    assert shown.code == 0
    for word in (*REGISTRY, "SLUICE_API", "SLUICE_API_KEY"):
        assert word in shown.out


def test_help_imports_nothing_that_is_slow() -> None:
    code = (
        "import sys\nsys.argv = ['sluice', '--help']\nfrom sluice_cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('boto3', 'httpx', 'rich', 'yaml', 'pydantic', 'duckdb') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_key_of_the_environment_is_used_for_the_local_stack_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from sluice_cli.connection import connect
    from sluice_cli.errors import StepFailed

    monkeypatch.setenv("SLUICE_LOCAL", str(tmp_path))
    (tmp_path / "stack.json").write_text(json.dumps({"api": "http://127.0.0.1:1/v1", "api_key": "admin"}))
    used: list[tuple[str, str]] = []
    monkeypatch.setattr("sluice_cli.connection.Sluice", lambda url, key: used.append((url, key)))
    monkeypatch.delenv("SLUICE_API", raising=False)
    monkeypatch.delenv("SLUICE_API_KEY", raising=False)
    connect()
    monkeypatch.setenv("SLUICE_API_KEY", "viewer")
    connect()
    assert used == [("http://127.0.0.1:1/v1", "admin"), ("http://127.0.0.1:1/v1", "viewer")]
    monkeypatch.setenv("SLUICE_API", "https://api.example.com/v1")
    monkeypatch.delenv("SLUICE_API_KEY")
    with pytest.raises(StepFailed, match="SLUICE_API_KEY"):
        connect()


def test_version(sluice: Commands) -> None:
    assert sluice("--version").out == f"sluice {__version__}\n"


def test_misspelled_command_gets_a_suggestion(sluice: Commands) -> None:
    shown = sluice("dta", "project", "x")
    assert (shown.code, shown.out) == (2, "")
    assert "Did you mean: data?" in shown.err


def test_misspelled_slug_gets_a_suggestion_on_stderr(shop: Commands) -> None:
    shown = shop("run", "project", "shp")
    assert (shown.code, shown.out) == (1, "")
    assert "Did you mean: shop?" in shown.err
    assert "Did you mean: orders?" in shop("data", "datasource", "order").err
    assert "Did you mean" not in shop("promote", "shop", "9").err, "the slug is right, the version is not"


@pytest.mark.parametrize("name", ["", ".."])
def test_name_that_cannot_be_in_a_path_is_an_error(sluice: Commands, tmp_path: Path, name: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text("id\n1\n")
    for command in (("run", "project", name), ("explain", name, "1"), ("drop", name, str(file))):
        shown = sluice(*command)
        assert (shown.code, shown.out) == (1, "")
        assert f"✗ {name!r} is not a name" in shown.err


def test_get_keeps_the_query_of_a_path(shop: Commands, admin: Client) -> None:
    for _ in range(3):
        shop("run", "datasource", "orders")
    shown = shop("get", "runs?limit=2&kind=ingest", "-o", "json")
    assert [run["kind"] for run in json.loads(shown.out)] == ["ingest", "ingest"]
    assert len(json.loads(shop("get", "runs?limit=2", "--all", "-o", "json").out)) == len(
        admin.get("/runs?limit=200").json()["items"]
    )


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


def test_dropped_file_is_ingested(sluice: Commands, admin: Client, tmp_path: Path) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file"})
    file = tmp_path / "notes.csv"
    file.write_text("id,note\n1,x\n")
    shown = sluice("drop", "notes", str(file))
    assert shown.code == 0, shown.err
    assert "succeeded, 1 rows, version 1" in shown.out
    unknown = sluice("drop", "note", str(file))
    assert unknown.code == 1
    assert "Did you mean: notes?" in unknown.err


def test_previews_of_saved_and_unsaved_datasources(shop: Commands, tmp_path: Path) -> None:
    assert shop("preview", "orders").out.splitlines()[0].startswith("1\tAda")
    file = tmp_path / "new.yaml"
    file.write_text("name: New\nkind: http\nhttp: {url: https://new.example.com/v1}\nfields: {n: name}\n")
    assert shop("preview", str(file)).out == "Ada\n\n"
    assert "n\tstring" in shop("preview", str(file), "--schema").out


def test_delete_asks_and_names_what_it_needs(shop: Commands, admin: Client) -> None:
    admin.put("/projects/shop/models/names", {"sql": "SELECT name FROM merged"})
    assert shop("delete", "model", "shop", "names", stdin="n\n").code == 1
    assert admin.get("/projects/shop/models/names").status == 200
    assert shop("delete", "model", "shop", "names", "--yes").code == 0
    assert admin.get("/projects/shop/models/names").status == 404
    assert shop("delete", "model", "shop", "--yes").code == 2
    assert "assigned" in shop("delete", "datasource", "orders", "--yes").err
    assert shop("delete", "datasource", "orders", "--yes", "--force").code == 0


def test_keys_and_secrets(sluice: Commands, admin: Client) -> None:
    key = sluice("keys", "create", "reader", "--role", "viewer").out.strip()
    assert Client(key).get("/me").json()["role"] == "viewer"
    listed = json.loads(sluice("keys", "list", "-o", "json").out)
    key_id = next(item["id"] for item in listed if item["name"] == "reader")
    rotated = sluice("keys", "rotate", key_id).out.strip()
    assert (Client(key).get("/me").status, Client(rotated).get("/me").status) == (401, 200)
    sluice("keys", "delete", key_id, "--yes")
    assert Client(rotated).get("/me").status == 401
    assert sluice("secrets", "set", "shop", "--host", "api.example.com", stdin="s3cret\n").code == 0
    shown = sluice("secrets", "list")
    assert "shop\t" in shown.out
    assert "s3cret" not in shown.out + shown.err
    assert sluice("secrets", "delete", "shop", "-y").code == 0


def test_completion_of_commands_and_slugs(
    shop: Commands, admin: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    admin.put("/projects/shop/models/names", {"sql": "SELECT name FROM merged"})

    def completed(words: str, position: int) -> str:
        capsys.readouterr()
        monkeypatch.setenv("_SLUICE_COMPLETE", "zsh_complete")
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(position))
        shown = shop()
        monkeypatch.delenv("_SLUICE_COMPLETE")
        return shown.out

    assert "promote" in completed("sluice pro", 1)
    assert "shop" in completed("sluice run project ", 3)
    assert "orders" in completed("sluice run datasource o", 3)
    assert "names" in completed("sluice data model shop ", 4)
    assert "shop" in completed("sluice delete report ", 3)
    assert "_SLUICE_COMPLETE" in shop("completion", "zsh").out


def test_reasons_are_comments_above_their_fields() -> None:
    document = {"slug": "coins", "name": "Coins", "http": {"url": "https://a.example.com"}, "records": "data[]"}
    reasons = [
        {"pointer": "/records", "reason": "the longest list", "confidence": "likely"},
        {"pointer": "/http/pagination", "reason": "a Link\nheader", "confidence": "verified"},
    ]
    text = commented_yaml(document, reasons)
    assert yaml.safe_load(text) == {name: value for name, value in document.items() if name != "slug"}
    assert "# likely: the longest list\nrecords:" in text
    assert "# verified: a Link header\nhttp:" in text


def test_words_in_tables_stay_whole_on_narrow_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    run, time, note = "01M8BSE2H1TA4VFWDGMD20HB4N", "2026-01-30T18:00:00Z", "a note of several words"
    shown = FORMATS["table"]([{"id": run, "at": time, "note": note}], ["id", "at", "note"])
    assert run in shown
    assert time in shown
    assert note not in shown, "texts with spaces are wrapped"
    long = FORMATS["table"]([{"token": "x" * 200}], ["token"])
    assert max(len(line) for line in long.splitlines()) < 80, "very long words are broken"


def test_proposed_document_has_no_variables(tmp_path: Path) -> None:
    document = {"slug": "coins", "name": "${HOME}", "fields": {"${USER}": "a", "plain": "$${x}"}}
    reasons = [{"pointer": "/fields", "reason": "the keys ${A} and \x1b[31m\u2028name: b", "confidence": "likely"}]
    file = tmp_path / "coins.yaml"
    file.write_text(commented_yaml(document, reasons))
    read = YamlFile(file, {"HOME": "/home/me", "USER": "me"})
    assert (read.faults, read.document) == ([], {"name": "${HOME}", "fields": document["fields"]})


def test_proposal_stays_in_its_folder(sluice: Commands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    proposal = {"document": {"slug": "../../out", "name": "D"}, "reasons": [], "warnings": []}
    monkeypatch.setattr(sluice.transport, "handle_request", lambda _: httpx.Response(200, json=proposal))
    refused = sluice("init", "https://api.example.com", "--into", str(tmp_path / "a/b"))
    assert (refused.code, "'../../out'" in refused.err, list(tmp_path.iterdir())) == (1, True, [])


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
    run = {"kind": "ingest", "project": None, "datasource": HOSTILE, "status": HOSTILE, "progress": None}
    console = Console(file=io.StringIO(), width=200)
    console.print(_table(RunState(run, [source])))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "RED" in shown
    assert not set(shown) & {"\x1b", "\x07", "\r", "\x9b", "\u202e"}


def test_formulas_in_csv_are_quoted_as_in_the_csv_of_the_api(shop: Commands) -> None:
    sql = "SELECT '=1+1' AS a, '@x' AS b, -5 AS c, '-1.5'::DECIMAL(4, 1) AS d, 'x=1' AS e"
    assert shop("query", "shop", sql, "-o", "csv").out == "a,b,c,d,e\n'=1+1,'@x,-5,-1.5,x=1\n"


def test_limit_of_a_path_is_no_surprise(shop: Commands) -> None:
    shop("run", "project", "shop")
    assert shop("get", "runs?limit=1").err == ""


def test_interrupted_command_has_its_exit_code(sluice: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: httpx.Request) -> httpx.Response:
        raise KeyboardInterrupt

    monkeypatch.setattr(sluice.transport, "handle_request", interrupt)
    shown = sluice("get", "runs")
    assert (shown.code, shown.err.strip()) == (130, "Interrupted.")


def test_deeply_nested_answer_is_one_line(sluice: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = {"Content-Type": "application/json"}
    deep = httpx.Response(200, headers=headers, content=b"[" * 100_000 + b"]" * 100_000)
    monkeypatch.setattr(sluice.transport, "handle_request", lambda _: deep)
    shown = sluice("get", "me")
    assert (shown.code, shown.err.count("\n"), "nested too deeply" in shown.err) == (1, 1, True)


@pytest.mark.parametrize("closed", [True, False], ids=["closed pipe", "full disk"])
@pytest.mark.parametrize("argument", ["--help", "completion zsh"])
def test_output_that_nobody_takes(argument: str, closed: bool) -> None:
    read, write = os.pipe()
    os.close(read)
    with open(write if closed else "/dev/full", "wb") as output:
        done = subprocess.run(
            [sys.executable, "-c", "from sluice_cli.main import main; main()", *argument.split()],
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    if not closed:
        os.close(write)
    assert (done.returncode, done.stderr) == ((0, "") if closed else (1, "✗ No space left on device\n"))
