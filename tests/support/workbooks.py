"""Workbooks of topologies and traffic matrices, and the documents that they stand for."""

from __future__ import annotations

import io
from typing import Any, get_args

import xlsxwriter

from sluice.planning.traffic import ServiceType

NODE_HEADER = ["ID", "Node", "lat", "lng", "ROADM_Type"]
LINK_HEADER = ["ID", "Source", "Destination", "Length", "Fiber Type"]
SERVICES = get_args(ServiceType)
TRAFFIC_HEADER = [
    *("ID", "Source", "Destination", "Restoration_Type", "Protection_Type"),
    *(f"Quantity_{name}" for name in SERVICES),
]


def workbook(sheets: dict[str, list[Any]]) -> bytes:
    """A workbook of sheets, each a list of rows; None is an empty cell, and text with `=` a formula."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for row, cells in enumerate(rows):
                for column, value in enumerate(cells):
                    if isinstance(value, str) and value.startswith("="):
                        sheet.write_formula(row, column, value, None, "")
                    elif isinstance(value, str):
                        sheet.write_string(row, column, value)
                    else:
                        sheet.write(row, column, value)
    return file.getvalue()


def topology_workbook(topology: dict[str, Any]) -> bytes:
    """The workbook of a topology."""
    nodes = [[number, *node.values()] for number, node in enumerate(topology["nodes"], start=1)]
    links = [[number, *link.values()] for number, link in enumerate(topology["links"], start=1)]
    return workbook({"Nodes": [NODE_HEADER, *nodes], "Links": [LINK_HEADER, *links]})


def traffic_workbook(matrix: dict[str, Any]) -> bytes:
    """The workbook of a traffic matrix whose demands and services are numbered."""
    rows = []
    for demand in matrix["demands"].values():
        quantities = {service["type"]: service["quantity"] for service in demand["services"]}
        ends = [demand["source"], demand["destination"], demand["restoration_type"], demand["protection_type"]]
        rows.append([demand["id"], *ends, *(quantities.get(name) for name in SERVICES)])
    return workbook({"Any name": [["Demand"], TRAFFIC_HEADER, *rows]})


def node(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "lat": 52.5, "lng": 4.25, "roadm_type": "CDC", **fields}


def link(source: str, destination: str, **fields: Any) -> dict[str, Any]:
    return {"source": source, "destination": destination, "length": 12.5, "fiber_type": "sm", **fields}


def demand(key: str, source: str, destination: str, *services: dict[str, Any], **fields: Any) -> dict[str, Any]:
    types = {"restoration_type": "None", "protection_type": "NoProtection"}
    return {"id": key, "source": source, "destination": destination, **types, **fields, "services": list(services)}


def service(name: str, *ids: str, **fields: Any) -> dict[str, Any]:
    return {"type": name, "quantity": len(ids), "service_id_list": list(ids), **fields}


def topology(*names: str) -> dict[str, Any]:
    """A ring of nodes."""
    ring = zip(names, [*names[1:], names[0]], strict=True)
    return {"nodes": [node(name) for name in names], "links": [link(source, other) for source, other in ring]}


def matrix(*demands: dict[str, Any]) -> dict[str, Any]:
    return {"demands": {item["id"]: item for item in demands}}
