"""Physical topologies as inputs, and their workbooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sluice.inputs.kind import InputKind, WorkbookForm
from sluice.inputs.workbooks import Parsed, Row, Sheet, SheetReader, SheetTemplate
from sluice.planning.topology import topology_faults, topology_warnings

# The fields by the headers of their columns.
_NODE = {"Node": "name", "lat": "lat", "lng": "lng", "ROADM_Type": "roadm_type"}
_LINK = {"Source": "source", "Destination": "destination", "Length": "length", "Fiber Type": "fiber_type"}
# Names of nodes may be numbers, which are read as text; a type of fibre may not.
_READ: dict[str, Callable[[Row, str], Any]] = {
    **dict.fromkeys(("name", "roadm_type", "source", "destination"), Row.text),
    **dict.fromkeys(("lat", "lng", "length"), Row.numeric),
    "fiber_type": Row.raw,
}
_NODES = SheetTemplate("Nodes", ("ID", *_NODE))
_LINKS = SheetTemplate("Links", ("ID", *_LINK))
_CODES = {"lat": 1, "lng": 1, "roadm_type": 2, "source": 3, "destination": 3, "length": 4, "fiber_type": 5}


def parse_workbook(reader: SheetReader) -> Parsed:
    """The topology in a workbook."""
    nodes, links = reader.sheets(_NODES, _LINKS)
    parsed = Parsed({"nodes": [], "links": []})
    for sheet, key, fields in ((nodes, "nodes", _NODE), (links, "links", _LINK)):
        parsed.cells[(key,)] = sheet.place()
        parsed.document[key] = _objects(parsed, sheet, key, fields)
    return parsed


def _objects(parsed: Parsed, sheet: Sheet, key: str, fields: dict[str, str]) -> list[dict[str, Any]]:
    objects: list[dict[str, Any]] = []
    for row in sheet.rows():
        values: dict[str, Any] = {}
        for header, field in fields.items():
            values[field] = _READ[field](row, header)
            parsed.cells[key, len(objects), field] = row.place(header)
        objects.append(values)
    return objects


KIND = InputKind(
    "topology",
    "Physical topology",
    "The nodes of a network, and the links between them.",
    topology_faults,
    topology_warnings,
    keys={"nodes": ("name",), "links": ("source", "destination")},
    workbook=WorkbookForm((_NODES, _LINKS), parse_workbook, _CODES),
)
