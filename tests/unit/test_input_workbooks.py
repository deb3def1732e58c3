"""Reading topologies and traffic matrices from workbooks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.errors import Invalid, WorkbookInvalid
from sluice.inputs.check import Checked, check_workbook
from sluice.inputs.kinds import KINDS
from sluice.inputs.workbooks import write_blank_workbook
from sluice.settings import Settings
from support.workbooks import (
    LINK_HEADER,
    NODE_HEADER,
    SERVICES,
    TRAFFIC_HEADER,
    topology_workbook,
    traffic_workbook,
    workbook,
)

SETTINGS = Settings()
NODES: list[list[Any]] = [NODE_HEADER, [1, "A", 52, 4, "CDC"], [2, "B", 53, 5, "Directionless"]]
LINKS: list[list[Any]] = [LINK_HEADER, [1, "A", "B", 10, "sm"]]


def checked(kind: str, sheets: dict[str, Any]) -> Checked:
    return check_workbook(KINDS[kind], workbook(sheets), SETTINGS)


def cells(result: Checked) -> list[tuple[str, str, int | None]]:
    """The cells of the errors, with their codes."""
    return [(error["sheet"], error["cell"], error["code"]) for error in result.errors]


def traffic(*rows: list[Any]) -> Checked:
    return checked("traffic_matrix", {"Sheet1": [["Demand"], TRAFFIC_HEADER, *rows]})


def row(*, restoration: Any = "None", protection: Any = "NoProtection", **quantities: Any) -> list[Any]:
    return [1, " A ", "B", restoration, protection, *(quantities.get(name) for name in SERVICES)]


def test_topology_is_read() -> None:
    nodes = [NODE_HEADER, [1, 101, 52.5, 4, " CDC "], [2], [3, " B ", -53, 5.25, "Directionless"], [None] * 5]
    result = checked("topology", {"Other": [], "Links": [LINK_HEADER, [9, 101, "B", 10, "sm"]], "Nodes": nodes})
    assert result.errors == []
    assert result.document == {
        "nodes": [
            {"name": "101", "lat": 52.5, "lng": 4, "roadm_type": "CDC"},
            {"name": "B", "lat": -53, "lng": 5.25, "roadm_type": "Directionless"},
        ],
        "links": [{"source": "101", "destination": "B", "length": 10, "fiber_type": "sm"}],
    }


def test_bad_cells_of_a_topology_have_codes_and_are_marked_in_the_document() -> None:
    nodes = [NODE_HEADER, [1, "A", "north", None, "CDC"], [2, "B", 53, 5, "Router"], [3, "A", 91, 5, None]]
    links = [LINK_HEADER, [1, "A", "X", "long", 652], [2, "B", "A", None, None], [3, "B", "B", 0, "sm"]]
    result = checked("topology", {"Nodes": nodes, "Links": links})
    assert cells(result) == [
        *(("Nodes", "C2", 1), ("Nodes", "D2", 1), ("Nodes", "E3", 2)),
        *(("Nodes", "C4", 1), ("Nodes", "E4", 2), ("Nodes", "B4", None)),
        *(("Links", "D2", 4), ("Links", "E2", 5), ("Links", "C2", 3)),
        *(("Links", "D3", 4), ("Links", "E3", 5), ("Links", "D4", 4), ("Links", "C4", 3)),
    ]
    first = result.errors[0]
    assert (first["pointer"], first["row"], first["column"]) == ("/nodes/0/lat", 2, "lat")
    assert result.document["nodes"][0]["lat"] == "north"
    assert result.document["nodes"][0]["lat_error"] == {"code": 1, "message": "Input should be a valid number."}
    assert "'X'" in result.document["links"][0]["destination_error"]["message"]
    assert result.errors[1]["message"].startswith("The cell is empty.")
    assert "13 faults" in result.detail
    assert "Nodes C2" in result.detail


def test_traffic_is_read_from_the_first_sheet_with_numbered_demands_and_services() -> None:
    result = traffic(row(GE=2, FE=0, **{"STM1 Electrical": 1}), [None] * 15, row(restoration=" JointSame ", E1=1))
    assert result.errors == []
    assert result.document["demands"]["1"] == {
        "id": "1",
        "source": "A",
        "destination": "B",
        "restoration_type": "None",
        "protection_type": "NoProtection",
        "services": [
            {"type": "STM1 Electrical", "quantity": 1, "service_id_list": ["1"]},
            {"type": "GE", "quantity": 2, "service_id_list": ["2", "3"]},
        ],
    }
    second = result.document["demands"]["2"]
    assert (second["restoration_type"], second["services"][0]["service_id_list"]) == ("JointSame", ["4"])


def test_bad_cells_of_traffic_have_codes() -> None:
    result = traffic(
        row(restoration="Joint", GE="x"), row(protection=None, GE=2.7), row(GE=-1), row(GE=True), row(GE="=1/0")
    )
    column = "M"  # Quantity_GE
    assert cells(result) == [
        *(("Sheet1", "D3", 7), ("Sheet1", f"{column}3", 8)),
        *(("Sheet1", "E4", 6), ("Sheet1", f"{column}4", 8)),
        *(("Sheet1", f"{column}{number}", 8) for number in (5, 6, 7)),
    ]
    quantities = [error["message"] for error in result.errors if error["code"] == 8]
    assert all("must be a whole number, 0 or more; an empty cell is 0." in message for message in quantities)
    assert result.detail.startswith("There are 7 faults in the traffic matrix; the first, at Sheet1 D3: ")
    assert result.document["demands"]["2"]["services"][0]["quantity"] == 2.7
    assert result.document["demands"]["2"]["services"][0]["quantity_error"]["code"] == 8


def test_too_many_services_are_refused_without_building_them() -> None:
    result = traffic(row(GE=400_000), row(GE=100_001), row(GE=1e15))
    assert cells(result) == [("Sheet1", "M4", 8), ("Sheet1", "M5", 8)]
    assert "MAX_IMPORTED_SERVICES" in result.errors[0]["message"]


def test_formulas_without_a_result_are_not_read_as_empty() -> None:
    nodes = [NODE_HEADER, [1, "A", "=1+1", 4, "CDC"]]
    result = checked("topology", {"Nodes": nodes, "Links": [LINK_HEADER]})
    assert cells(result) == [("Nodes", "C2", 1)]
    assert "formula" in result.errors[0]["message"]


@pytest.mark.parametrize(
    ("kind", "sheets", "expected"),
    [
        ("topology", {"Nodes": NODES}, [("Links", None, None)]),
        ("topology", {"Sheet1": []}, [("Nodes", None, None), ("Links", None, None)]),
        (
            "topology",
            {"Nodes": [["ID", "Node", "lat", "ROADM_Type"]], "Links": [LINK_HEADER[:-1]]},
            [("Nodes", 1, "lng"), ("Links", 1, "Fiber Type")],
        ),
        (
            "traffic_matrix",
            {"S": [["Demand"], TRAFFIC_HEADER[1:-1]]},
            [("S", 2, "ID"), ("S", 2, "Quantity_100GE")],
        ),
        ("traffic_matrix", {"S": [TRAFFIC_HEADER]}, [("S", 2, header) for header in TRAFFIC_HEADER]),
    ],
)
def test_missing_sheets_and_columns_are_all_named(kind: str, sheets: Any, expected: list[Any]) -> None:
    with pytest.raises(WorkbookInvalid) as refused:
        checked(kind, sheets)
    assert [(error["sheet"], error["row"], error["column"]) for error in refused.value.errors] == expected


@pytest.mark.parametrize("content", [b"", b"ID,Node\n", b"PK\x03\x04broken", workbook({"Nodes": NODES})[:-100]])
def test_what_is_no_workbook_is_refused(content: bytes) -> None:
    with pytest.raises(WorkbookInvalid):
        check_workbook(KINDS["topology"], content, SETTINGS)


def test_too_large_workbook_is_refused() -> None:
    content = workbook({"Nodes": NODES, "Links": LINKS})
    for limit in ("max_input_bytes", "max_input_cells"):
        with pytest.raises(WorkbookInvalid):
            check_workbook(KINDS["topology"], content, SETTINGS.model_copy(update={limit: 5}))


def test_kind_without_workbooks_is_refused() -> None:
    with pytest.raises(Invalid, match="topology, traffic_matrix"):
        check_workbook(KINDS["document"], b"", SETTINGS)


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.workbook])
def test_blank_workbook_has_the_required_columns(kind: str, tmp_path: Path) -> None:
    form = KINDS[kind].workbook
    assert form is not None
    write_blank_workbook(tmp_path / "blank.xlsx", form.sheets)
    result = check_workbook(KINDS[kind], (tmp_path / "blank.xlsx").read_bytes(), SETTINGS)
    assert not any(result.document.values())


NAMES = st.text("abcXYZ 019é", min_size=1, max_size=6).filter(lambda text: text == text.strip())
NUMBERS = st.floats(-90, 90).map(lambda value: round(value, 3))


@st.composite
def topologies(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.lists(NAMES, min_size=1, max_size=5, unique=True))
    kinds = st.sampled_from(["CDC", "Directionless"])
    nodes = [{"name": name, "lat": draw(NUMBERS), "lng": draw(NUMBERS), "roadm_type": draw(kinds)} for name in names]
    pairs = [(one, other) for index, one in enumerate(names) for other in names[index + 1 :]]
    length = st.integers(1, 10**6) | st.floats(0.001, 1e4).map(lambda value: round(value, 3))
    links = [
        {"source": one, "destination": other, "length": draw(length), "fiber_type": draw(NAMES)}
        for one, other in pairs
        if draw(st.booleans())
    ]
    return {"nodes": nodes, "links": links}


@given(topologies())
def test_topology_survives_a_workbook(topology: dict[str, Any]) -> None:
    result = check_workbook(KINDS["topology"], topology_workbook(topology), SETTINGS)
    assert (result.errors, result.document) == ([], topology)


@st.composite
def matrices(draw: st.DrawFn) -> dict[str, Any]:
    demands: dict[str, Any] = {}
    last = 0
    for number in range(1, draw(st.integers(0, 4)) + 1):
        source, destination = draw(st.lists(NAMES, min_size=2, max_size=2, unique=True))
        services = []
        for name in SERVICES:
            if quantity := draw(st.integers(0, 3)):
                ids = [str(last + index + 1) for index in range(quantity)]
                services.append({"type": name, "quantity": quantity, "service_id_list": ids})
                last += quantity
        demands[str(number)] = {
            "id": str(number),
            "source": source,
            "destination": destination,
            "restoration_type": draw(st.sampled_from(["None", "JointSame", "AdvJointSame"])),
            "protection_type": draw(st.sampled_from(["NoProtection", "1+1_NodeDisjoint"])),
            "services": services,
        }
    return {"demands": demands}


@given(matrices())
def test_traffic_survives_a_workbook(matrix: dict[str, Any]) -> None:
    result = check_workbook(KINDS["traffic_matrix"], traffic_workbook(matrix), SETTINGS)
    assert (result.errors, result.document) == ([], matrix)
