"""Traffic matrices as inputs, and their workbooks."""

from __future__ import annotations

from typing import Any, get_args

from sluice.inputs.kind import InputKind, WorkbookForm
from sluice.inputs.workbooks import Parsed, Row, SheetReader, SheetTemplate
from sluice.planning.topology import parse_topology
from sluice.planning.traffic import ServiceType, parse_traffic, require_nodes, traffic_faults

# The fields by the headers of their columns.
_DEMAND = {
    "Source": "source",
    "Destination": "destination",
    "Restoration_Type": "restoration_type",
    "Protection_Type": "protection_type",
}
_QUANTITIES = {f"Quantity_{name}": name for name in get_args(ServiceType)}
_SHEET = SheetTemplate(
    "Traffic",
    ("ID", *_DEMAND, *_QUANTITIES),
    header_row=2,
    groups=(("Demand", 1 + len(_DEMAND)), ("Services", len(_QUANTITIES))),
    first=True,
)
_CODES = {"protection_type": 6, "restoration_type": 7, "quantity": 8}


def parse_workbook(reader: SheetReader) -> Parsed:
    """The traffic matrix in a workbook. Ids of demands and services are numbered by row."""
    (sheet,) = reader.sheets(_SHEET)
    demands: dict[str, Any] = {}
    parsed = Parsed({"demands": demands})
    parsed.cells["demands",] = sheet.place()
    last_id = 0
    for number, row in enumerate(sheet.rows(), start=1):
        key = str(number)
        demands[key] = {"id": key}
        for header, field in _DEMAND.items():
            demands[key][field] = row.text(header)
            parsed.cells["demands", key, field] = row.place(header)
        demands[key]["services"] = []
        for header, name in _QUANTITIES.items():
            last_id = _add_services(parsed, key, name, row, header, last_id, reader.max_services)
    return parsed


def _add_services(parsed: Parsed, demand: str, name: str, row: Row, header: str, last_id: int, most: int) -> int:
    """Add the services of a cell to their demand, if there are some.

    Args:
        parsed: the matrix so far.
        demand: the id of the demand.
        name: the type of the services.
        row, header: the cell with their quantity.
        last_id: the last id of the services before them.
        most: the most services of a matrix.

    Returns:
        The last id of these services.
    """
    quantity = row.numeric(header)
    if quantity is None or (type(quantity) is int and quantity == 0):
        return last_id
    services = parsed.document["demands"][demand]["services"]
    path = ("demands", demand, "services", len(services), "quantity")
    parsed.cells[path] = row.place(header)
    count = quantity if type(quantity) is int and quantity > 0 else 0
    if last_id + count > most:
        parsed.messages[path] = f"With these, there are more than {most} services (MAX_IMPORTED_SERVICES)."
        quantity, count = float(quantity), 0  # no valid quantity, so that the check refuses it
    elif count == 0:
        parsed.messages[path] = "The quantity must be a whole number, 0 or more; an empty cell is 0."
    ids = [str(number) for number in range(last_id + 1, last_id + count + 1)]
    services.append({"type": name, "quantity": quantity, "service_id_list": ids})
    return last_id + count


def _require_topology(matrix: Any, topology: Any) -> None:
    require_nodes(parse_traffic(matrix), parse_topology(topology))


KIND = InputKind(
    "traffic_matrix",
    "Traffic matrix",
    "The services that pairs of nodes demand.",
    traffic_faults,
    keys={"services": ("type",)},
    fits={"topology": _require_topology},
    workbook=WorkbookForm((_SHEET,), parse_workbook, _CODES),
)
