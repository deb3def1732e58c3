"""Exported blueprints describe what the API stores, and nothing else."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from test_properties import MANY, SIZE, values

from sluice.domain.json_text import same_json
from sluice.errors import Invalid
from sluice_cli.blueprints.export import exported_files, minimal
from sluice_cli.blueprints.folder import Blueprint
from sluice_cli.blueprints.plan import make_plan
from sluice_cli.blueprints.resources import TYPES, ResourceKey
from sluice_cli.blueprints.state import State
from sluice_cli.blueprints.validate import validate_folder
from sluice_cli.blueprints.yaml_file import YamlFile
from sluice_cli.blueprints.yaml_writer import to_yaml
from sluice_cli.commands import blueprints as commands
from sluice_client import Sluice
from support import blueprints as random_documents
from support.blueprints import write_blueprint
from support.client import Client
from support.command_line import in_process_api, run_command
from support.template import ROOT

SOME = settings(max_examples=3 * SIZE, deadline=None, suppress_health_check=list(HealthCheck))
documents = st.one_of(
    st.tuples(st.just("datasource"), st.one_of(*random_documents.datasources.values())),
    st.tuples(st.just("project"), random_documents.projects),
    st.tuples(st.just("assignment"), random_documents.assignments),
    st.tuples(st.just("model"), random_documents.models),
    st.tuples(st.just("report"), random_documents.reports),
    st.tuples(st.just("endpoint"), random_documents.endpoints),
)


def normalized(kind: str, document: dict[str, Any]) -> dict[str, Any]:
    try:
        return TYPES[kind].normalize("x", document)
    except Invalid:
        assume(False)
        raise


def reread(folder: Path, document: dict[str, Any]) -> dict[str, Any]:
    path = folder / "x.yaml"
    path.write_text(to_yaml(document), encoding="utf-8")
    file = YamlFile(path, {})
    assert file.faults == []
    return file.document


@MANY
@given(st.dictionaries(random_documents.words, values | random_documents.texts, min_size=1, max_size=3))
def test_yaml_keeps_every_value(tmp_path_factory: pytest.TempPathFactory, document: dict[str, Any]) -> None:
    folder = tmp_path_factory.getbasetemp()
    assert same_json(reread(folder, document), document)


@MANY
@given(documents)
def test_shortest_form_means_the_same(
    tmp_path_factory: pytest.TempPathFactory, document: tuple[str, dict[str, Any]]
) -> None:
    kind, written = document
    stored = normalized(kind, written)
    short = minimal(ResourceKey(kind, "x"), stored)
    assert same_json(TYPES[kind].normalize("x", reread(tmp_path_factory.getbasetemp(), short)), stored)
    for name in short:
        without = {other: value for other, value in short.items() if other != name}
        with_it = TYPES[kind].normalize("x", short)
        try:
            assert not same_json(TYPES[kind].normalize("x", without), with_it), f"{name} is not needed"
        except Invalid:
            continue


def test_text_of_several_lines_is_a_block() -> None:
    text = to_yaml({"sql": "SELECT 1\nFROM é\n", "key": ["a", "b"], "tests": [{"type": "x"}], "deep": {"a": {"b": 1}}})
    assert text == "sql: |\n  SELECT 1\n  FROM é\nkey: [a, b]\ntests: [{type: x}]\ndeep: {a: {b: 1}}\n"


@pytest.fixture
def connected(admin: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    api = in_process_api(admin)
    monkeypatch.setattr("sluice_cli.connection.connect", lambda: api)
    return admin


def workspace(data: st.DataObject, client: Client) -> None:
    """Store random resources; what the API refuses is left out."""
    client.put("/secrets/key", {"value": "v"})
    for slug, strategy in random_documents.datasources.items():
        client.put(f"/datasources/{slug}", data.draw(strategy))
    for project in ("first", "second"):
        client.put(f"/projects/{project}", data.draw(random_documents.projects))
        for slug in data.draw(st.sets(st.sampled_from(sorted(random_documents.datasources)))):
            client.put(f"/projects/{project}/datasources/{slug}", data.draw(random_documents.assignments))
        for folder in ("models", "reports", "endpoints"):
            client.put(f"/projects/{project}/{folder}/x", data.draw(getattr(random_documents, folder)))


@SOME
@given(st.data())
def test_plan_of_an_exported_workspace_is_empty(connected: Client, data: st.DataObject) -> None:
    workspace(data, connected)
    with tempfile.TemporaryDirectory() as temporary:
        for options in (["--all"], ["--project", "first"]):
            folder = Path(temporary) / options[-1].strip("-")
            assert run_command(commands.export, str(folder), *options).code == 0
            done = run_command(commands.apply, str(folder), "--plan", "--prune")
            assert (done.code, done.error) == (0, "")
            assert done.output.splitlines()[-1].startswith("No changes: "), done.output
            assert validate_folder(Blueprint(folder, {})).faults == []


@pytest.mark.parametrize("name", ["top-coins", "cost-revenue"])
def test_exported_blueprint_is_like_the_shipped_one(name: str, tmp_path: Path) -> None:
    variables = dict.fromkeys(("SHOP_URL", "SHOP_KEY", "COINMARKETCAP_KEY"), "https://x.example.com")
    shipped = Blueprint(ROOT / "blueprints" / name, variables)
    state = State()
    for key, source in shipped.sources.items():
        state.documents[key] = TYPES[key.type].normalize(key.name, source.document)
    files = exported_files(state, [name], "x")
    written = Blueprint(write_blueprint(tmp_path, {path: to_yaml(document) for path, document in files.items()}), {})
    assert written.faults == []
    assert list(written.sources) == list(shipped.sources)
    for key, source in written.sources.items():
        if key.type != "secret":
            assert same_json(TYPES[key.type].normalize(key.name, source.document), state.documents[key])
            assert len(source.document) <= len(shipped.sources[key].document), "no defaults"


def test_secrets_are_variables(tmp_path: Path) -> None:
    limits = {"hosts": ["a.example.com"], "projects": None}
    free: dict[str, Any] = {"hosts": None, "projects": None}
    names = {"shop": free, "a.b": limits, "a-b": free, "1x": free}
    state = State({ResourceKey("secret", name): document for name, document in names.items()})
    text = to_yaml(exported_files(state, None, "all")["blueprint.yaml"])
    assert text.splitlines() == [
        "name: all",
        "secrets:",
        "  1x: ${SECRET_1X}",
        "  a-b: ${A_B}",
        "  a.b: {value: '${A_B_2}', hosts: [a.example.com]}",
        "  shop: ${SHOP}",
    ]


def test_what_is_in_the_folder_is_kept_unless_forced(connected: Client, tmp_path: Path) -> None:
    connected.put("/projects/p", {"name": "P"})
    write_blueprint(tmp_path, {"models/old.yaml": "sql: SELECT 1 AS a\n", "README.md": "mine"})
    done = run_command(commands.export, str(tmp_path), "--project", "p")
    assert (done.code, "is not empty; --force" in done.error) == (1, True)
    done = run_command(commands.export, str(tmp_path), "--project", "none", "--force")
    assert "there is no project 'none'" in done.error
    assert (tmp_path / "models/old.yaml").exists()
    assert run_command(commands.export, str(tmp_path), "--project", "p", "--force").code == 0
    assert not (tmp_path / "models/old.yaml").exists(), "it would be applied"
    assert (tmp_path / "README.md").read_text() == "mine"
    assert make_plan(Blueprint(tmp_path), in_process_api(connected)).changes == []


def test_written_files_name_their_schemas(connected: Client, tmp_path: Path) -> None:
    connected.put("/projects/p", {"name": "P", "refresh_on": "manual"})
    connected.post("/datasources", {"slug": "d", "name": "D", "kind": "push"})
    connected.put("/projects/p/datasources/d", {})
    connected.put("/projects/p/models/m", {"sql": "SELECT 1 AS a"})
    assert run_command(commands.export, str(tmp_path), "--project", "p").code == 0
    named = {}
    for file in sorted(tmp_path.rglob("*.yaml")):
        first = file.read_text().splitlines()[0]
        schema = (file.parent / first.removeprefix("# yaml-language-server: $schema=")).resolve()
        named[str(file.relative_to(tmp_path))] = str(schema.relative_to(ROOT))
        assert schema.is_file()
    assert named == {
        "blueprint.yaml": "docs/schemas/blueprint.schema.json",
        "datasources/d.yaml": "docs/schemas/datasource.schema.json",
        "models/m.yaml": "docs/schemas/model.schema.json",
        "projects/p.yaml": "docs/schemas/project.schema.json",
    }


@pytest.mark.parametrize("options", [[], ["--all", "--project", "p"]], ids=str)
def test_export_needs_a_selection(tmp_path: Path, options: list[str]) -> None:
    assert run_command(commands.export, str(tmp_path), *options).code == 2


@pytest.mark.parametrize(
    ("path", "item"),
    [
        ("/projects", {"slug": "../../out", "name": "P", "merge": {"strategy": "union"}}),
        ("/projects", {"slug": "p\n", "name": "P", "merge": {"strategy": "union"}}),
        ("/datasources", {"slug": "../../../out", "name": "D", "kind": "push"}),
        ("/secrets", {"name": "../out"}),
        ("/projects/p/datasources", {"datasource": "../out"}),
        ("/projects/p/models", {"name": "../../out", "sql": "SELECT 1"}),
        ("/projects/p/reports", {"name": "/out", "title": "R", "sections": []}),
        ("/projects/p/endpoints", {"name": "..", "sql": "SELECT 1"}),
    ],
    ids=str,
)
def test_names_that_are_paths_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, item: dict[str, Any]
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        valid = [{"slug": "p", "name": "P", "merge": {"strategy": "union"}}]
        asked = request.url.path.removeprefix("/v1")
        items = (valid if asked == "/projects" else []) + ([item] if asked == path else [])
        return httpx.Response(200, json={"items": items, "next": None})

    api = Sluice("http://api.test/v1", "key", transport=httpx.MockTransport(answer))
    monkeypatch.setattr("sluice_cli.connection.connect", lambda: api)
    folder = tmp_path / "a/b/blueprint"
    done = run_command(commands.export, str(folder), "--all")
    assert (done.code, done.error.startswith("nothing was written, since the API answered with a ")) == (1, True)
    assert list(tmp_path.iterdir()) == []
