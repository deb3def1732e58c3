"""Inputs through the Python client, over the API in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice.container import Container
from sluice_client import Conflict, NotFound, PreconditionFailed, Sluice, ValidationError
from support.api_transport import API, ApiTransport
from support.client import Client
from support.workbooks import topology, topology_workbook, workbook

NORTH = topology("A", "B", "C")


@pytest.fixture
def sluice(services: Container, editor: Client) -> Iterator[Sluice]:
    with Sluice(API, editor.key, transport=ApiTransport(services)) as client:
        yield client


def test_versions_are_put_read_compared_and_restored(sluice: Sluice) -> None:
    north = sluice.input("north")
    first = north.put(NORTH, "topology", "First survey")
    north.put(topology("A", "B", "C", "D"), "topology", etag=first["etag"])
    with pytest.raises(PreconditionFailed):
        north.put(NORTH, "topology", etag=first["etag"])
    assert north.get()["version"] == 2
    assert north.get(1)["document"] == NORTH
    assert "First survey" in (north.get(1) and north._repr_html_())
    assert next(change["label"] for change in north.diff() if change["change"] == "added") == "/nodes/D"
    assert north.restore(1, "Back")["document"] == NORTH
    assert [version["comment"] for version in north.versions()] == ["Back", None, "First survey"]
    assert [item["slug"] for item in sluice.inputs("topology")] == ["north"]


def test_projects_pin_inputs(sluice: Sluice) -> None:
    sluice.put("/projects/plan", {"name": "Plan"})
    sluice.input("north").put(NORTH, "topology")
    plan = sluice.project("plan")
    assert plan.pin("north", 1)["current"] == 1
    assert [pin["input"] for pin in plan.inputs()] == ["north"]
    with pytest.raises(Conflict, match="plan"):
        sluice.input("north").delete()
    plan.unpin("north")
    sluice.input("north").delete()
    with pytest.raises(NotFound):
        sluice.input("north").get()
    assert sluice.input("north").restore()["version"] == 2


def test_workbooks_are_imported_and_templates_saved(sluice: Sluice, tmp_path: Path) -> None:
    file = tmp_path / "north.xlsx"
    file.write_bytes(topology_workbook(NORTH))
    north = sluice.input("north")
    assert not north.import_workbook(file, "topology", check=True)["stored"]
    assert north.import_workbook(file, "topology", "From Excel")["version"] == 1
    assert north.get()["comment"] == "From Excel"
    file.write_bytes(workbook({"Nodes": []}))
    with pytest.raises(ValidationError) as refused:
        north.import_workbook(file)
    assert "Links" in str(refused.value)
    blank = sluice.input_template("topology", tmp_path / "blank.xlsx")
    assert blank.read_bytes().startswith(b"PK")
    with pytest.raises(NotFound):
        sluice.input_template("document", blank)
