"""The commands of `sluice` in general: help, suggestions, completion, errors, and access; see test_cli_*.py."""

import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
import httpx
import pytest

from sluice import __version__
from sluice.container import Container
from sluice_cli.commands import REGISTRY
from sluice_cli.group import LazyGroup
from sluice_cli.main import cli
from support.client import Client
from support.command_line import Commands


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


def test_files_of_readings_are_sent(sluice: Commands, services: Container, tmp_path: Path) -> None:
    file = tmp_path / "january.csv"
    file.write_text("sensor,time,value\na,2026-01-01T00:00:00Z,1\n")
    shown = sluice("send-readings", str(file))
    assert (shown.code, shown.err) == (
        0,
        "january.csv is sent; readings that are refused are in `sluice get readings/quarantine`\n",
    )
    s3 = boto3.client("s3")
    assert s3.get_object(Bucket="inbox", Key="_readings/january.csv")["Body"].read() == file.read_bytes()


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
    old, key = key, sluice("keys", "rotate", key_id).out.strip()
    assert (Client(old).get("/me").status, Client(key).get("/me").status) == (200, 200)
    rotated = sluice("keys", "rotate", key_id, "--keep-old", "0").out.strip()
    assert [Client(secret).get("/me").status for secret in (old, key, rotated)] == [401, 401, 200]
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
