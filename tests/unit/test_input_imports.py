"""Inputs are imported from workbooks."""

from __future__ import annotations

from typing import Any

from support.client import Client, Reply
from support.inputs import NORTH, put
from support.workbooks import demand, matrix, topology, topology_workbook, traffic_workbook, workbook

XLSX = {"content_type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


def import_(client: Client, slug: str, content: bytes, query: str = "") -> Reply:
    return client.call("POST", f"/inputs/{slug}/import?{query}", content, **XLSX)


def test_workbook_is_imported_as_a_version(editor: Client) -> None:
    content = topology_workbook(NORTH)
    checked = import_(editor, "north", content, "kind=topology&check=true")
    assert (checked.status, checked.json()["stored"], checked.json()["version"]) == (200, False, None)
    assert checked.json()["document"] == NORTH
    assert editor.get("/inputs/north").status == 404
    created = import_(editor, "north", content, "kind=topology&comment=From+the+survey")
    assert (created.status, created.json()["version"], created.json()["document"]) == (201, 1, NORTH)
    assert editor.get("/inputs/north").json()["comment"] == "From the survey"
    assert import_(editor, "north", content).json()["version"] == 1
    changed = import_(editor, "north", topology_workbook(topology("A", "B", "D")))
    assert (changed.status, changed.json()["version"]) == (200, 2)


def test_faulty_workbook_stores_nothing_and_names_each_cell(editor: Client) -> None:
    nodes: list[list[Any]] = [["ID", "Node", "lat", "lng", "ROADM_Type"], [1, "A", "x", 4, "CDC"]]
    content = workbook({"Nodes": nodes, "Links": [["ID", "Source", "Destination", "Length", "Fiber Type"]]})
    refused = import_(editor, "north", content, "kind=topology")
    assert refused.status == 422
    assert refused.json()["errors"] == [
        {
            "pointer": "/nodes/0/lat",
            "sheet": "Nodes",
            "row": 2,
            "column": "lat",
            "cell": "C2",
            "code": 1,
            "message": "Input should be a valid number.",
        }
    ]
    assert "document" not in refused.json()
    assert editor.get("/inputs/north").status == 404
    checked = import_(editor, "north", content, "kind=topology&check=true")
    assert (checked.status, checked.json()["errors"]) == (422, refused.json()["errors"])
    assert checked.json()["document"]["nodes"][0]["lat_error"]["code"] == 1


def test_import_needs_a_kind_and_a_workbook(editor: Client, viewer: Client) -> None:
    content = traffic_workbook(matrix(demand("1", "A", "B")))
    assert import_(editor, "new", content).json()["errors"][0]["pointer"] == "?kind"
    assert import_(editor, "new", content, "kind=document").json()["errors"][0]["pointer"] == "?kind"
    assert import_(editor, "new", content, "kind=traffic_matrix&check=yes").status == 422
    assert "Content-Type" in editor.post("/inputs/new/import?kind=topology", "PK").json()["detail"]
    assert import_(viewer, "new", content, "kind=traffic_matrix").status == 403
    put(editor, "doc", {})
    assert import_(editor, "doc", content, "kind=traffic_matrix").json()["errors"][0]["pointer"] == "/kind"


def test_blank_workbooks_are_downloaded(viewer: Client) -> None:
    assert viewer.get("/inputs/templates/topology").status == 303
    assert viewer.head("/inputs/templates/topology").status == 303
    assert viewer.get("/inputs/templates/document").status == 404
