"""Inputs and pins in blueprints: as YAML, as JSON, and with the document in a file beside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sluice.domain.input import InputVersion
from sluice_cli.commands import blueprints as commands
from support.blueprints import write_blueprint
from support.client import Client
from support.command_line import Done, Requests, in_process_api, run_command
from support.workbooks import demand, link, matrix, node, service, topology, topology_workbook, workbook

NORTH = topology("A", "B", "C")
TRAFFIC = matrix(demand("1", "A", "B", service("GE", "1")))
PLAN = {
    "blueprint.yaml": "name: plan\nproject: plan\n",
    "projects/plan.yaml": "name: Plan\nrefresh_on: manual\ninputs:\n  north:\n    version: 1\n  traffic:\n",
    "inputs/north.yaml": "kind: topology\ncomment: Survey\nfile: north.xlsx\n",
    "inputs/rules.yaml": "kind: document\ndocument:\n  most: 3\n",
    "inputs/traffic.json": json.dumps({"kind": "traffic_matrix", "document": TRAFFIC}),
}


@pytest.fixture
def requests(editor: Client, monkeypatch: pytest.MonkeyPatch) -> Requests:
    requests = Requests()
    api = in_process_api(editor, requests)
    monkeypatch.setattr("sluice_cli.connection.connect", lambda: api)
    return requests


@pytest.fixture
def folder(tmp_path: Path, requests: Requests) -> Path:
    folder = write_blueprint(tmp_path / "plan", PLAN)
    (folder / "inputs/north.xlsx").write_bytes(topology_workbook(NORTH))
    return folder


def apply(folder: Path, *options: str) -> Done:
    return run_command(commands.apply, str(folder), "--yes", *options)


def test_inputs_and_pins_are_applied_once(folder: Path, requests: Requests, editor: Client) -> None:
    assert apply(folder).code == 0
    assert requests.writes() == [
        "PUT /projects/plan",
        *(f"PUT /inputs/{slug}" for slug in ("north", "rules", "traffic")),
        *(f"PUT /projects/plan/inputs/{slug}" for slug in ("north", "traffic")),
    ]
    assert editor.get("/inputs/north").json()["document"] == NORTH
    assert editor.get("/inputs/north").json()["comment"] == "Survey"
    assert [pin["version"] for pin in editor.get("/projects/plan/inputs").json()["items"]] == [1, None]
    write_blueprint(folder, {"inputs/north.yaml": "kind: topology\ncomment: Another\nfile: north.xlsx\n"})
    assert "No changes: 6 unchanged." in run_command(commands.apply, str(folder), "--plan").output
    write_blueprint(folder, {"inputs/rules.yaml": "kind: document\ncomment: Fewer\ndocument: {most: 2}\n"})
    requests.seen.clear()
    assert apply(folder).code == 0
    assert requests.writes() == ["PUT /inputs/rules"]
    latest = editor.get("/inputs/rules/versions").json()["items"][0]
    assert (InputVersion.model_validate(latest).number, latest["comment"]) == (2, "Fewer")


def test_pins_that_the_blueprint_lacks_are_pruned(folder: Path, requests: Requests, editor: Client) -> None:
    apply(folder)
    write_blueprint(folder, {"projects/plan.yaml": "name: Plan\nrefresh_on: manual\ninputs: {traffic: {}}\n"})
    assert apply(folder, "--prune").code == 0
    assert [pin["input"] for pin in editor.get("/projects/plan/inputs").json()["items"]] == ["traffic"]
    assert editor.get("/inputs/north").status == 200


def test_export_is_a_blueprint_that_changes_nothing(folder: Path, requests: Requests, tmp_path: Path) -> None:
    apply(folder)
    for options in (("--all",), ("--project", "plan")):
        target = tmp_path / f"export-{len(options)}"
        done = run_command(commands.export, str(target), *options)
        assert (done.code, done.error) == (0, "")
        present = {path.name for path in (target / "inputs").iterdir()}
        assert present == {"north.yaml", "traffic.yaml"} | ({"rules.yaml"} if "--all" in options else set())
        assert "No changes" in run_command(commands.apply, str(target), "--plan").output


@pytest.mark.parametrize(
    ("files", "faults"),
    [
        ({"inputs/rules.yaml": "kind: map\ndocument: {}\n"}, ["rules.yaml:1:7: kind: There is no kind 'map'"]),
        ({"inputs/rules.yaml": "kind: document\n"}, ["document: This field is required"]),
        (
            {"inputs/rules.yaml": "kind: document\nfile: ../x.json\n"},
            ["rules.yaml:2:7: file: It must be the name of a file"],
        ),
        (
            {"inputs/rules.yaml": "kind: document\nfile: x.json\n"},
            ["rules.yaml:2:7: file: The file x.json cannot be read"],
        ),
        ({"inputs/note.txt": ""}, ["note.txt: Only *.yaml files belong here"]),
        ({"inputs/north.yaml": None}, ["north.xlsx: No input names this file"]),
        ({"inputs/templates.yaml": "kind: document\ndocument: {}\n"}, ["The name 'templates' is reserved"]),
        (
            {"inputs/traffic.json": json.dumps({"kind": "traffic_matrix", "document": {"demands": {"1": {}}}})},
            ["traffic.json:1:"],
        ),
        ({"projects/plan.yaml": "name: Plan\ninputs: {south: {version: 0}}\n"}, ["plan.yaml:2:"]),
        ({"projects/plan.yaml": "name: Plan\ninputs: {south: {}}\n"}, ["There is no input 'south'"]),
    ],
)
def test_faults_have_their_places(
    folder: Path, requests: Requests, files: dict[str, str | None], faults: list[str]
) -> None:
    done = apply(write_blueprint(folder, files))
    assert done.code != 0
    assert requests.writes() == []
    for fault in faults:
        assert fault.lower() in done.error.lower()


def test_bad_cells_of_a_workbook_are_faults(folder: Path, requests: Requests) -> None:
    rows = [["ID", "Node", "lat", "lng", "ROADM_Type"], [1, *node("A", lat="x").values()]]
    links = [["ID", "Source", "Destination", "Length", "Fiber Type"], [1, *link("A", "Z").values()]]
    (folder / "inputs/north.xlsx").write_bytes(workbook({"Nodes": rows, "Links": links}))
    done = apply(folder)
    assert "Nodes C2: Input should be a valid number" in done.error
    assert "Links C2: There is no node 'Z'" in done.error
    assert requests.writes() == []
