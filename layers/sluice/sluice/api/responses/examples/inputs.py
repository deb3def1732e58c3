"""Examples of inputs, their versions and pins."""

from __future__ import annotations

from typing import Any

from sluice.api.responses.examples.common import BY, HASH, TIME

_TOPOLOGY: dict[str, Any] = {
    "nodes": [
        {"name": "Amsterdam", "lat": 52.37, "lng": 4.9, "roadm_type": "CDC"},
        {"name": "Utrecht", "lat": 52.09, "lng": 5.12, "roadm_type": "Directionless"},
    ],
    "links": [{"source": "Amsterdam", "destination": "Utrecht", "length": 42.5, "fiber_type": "sm"}],
}
_REQUEST: dict[str, Any] = {"kind": "topology", "document": _TOPOLOGY, "comment": "First survey"}
_VERSION: dict[str, Any] = {"comment": "First survey", "hash": HASH, "size": 236, "warnings": [], "restored_from": None}
_SUMMARY: dict[str, Any] = {
    "slug": "north",
    "kind": "topology",
    "version": 1,
    **_VERSION,
    "created_at": TIME,
    "created_by": BY,
    "updated_at": TIME,
    "updated_by": BY,
    "deleted_at": None,
    "etag": "1",
}
_CHANGE: dict[str, Any] = {
    "change": "changed",
    "pointer": "/links/0/length",
    "old_pointer": "/links/0/length",
    "label": "/links/Amsterdam–Utrecht/length",
    "old": 42.5,
    "new": 44.0,
}

EXAMPLES: dict[str, Any] = {
    "InputRequest": _REQUEST,
    "NewInput": {"slug": "south", **_REQUEST},
    "InputSummaryView": _SUMMARY,
    "InputView": {**_SUMMARY, "document": _TOPOLOGY},
    "InputVersionView": {
        "number": 1,
        **_VERSION,
        "created_at": TIME,
        "created_by": BY,
        "deleted_at": None,
        "deleted_by": None,
    },
    "RestoreRequest": {"version": 1, "comment": "Back to the first survey"},
    "InputDiff": {"items": [_CHANGE], "next": None, "from": 1, "to": 2, "truncated": False},
    "import_input.body": "PK… (the bytes of the workbook)",
    "InputImportView": {
        "slug": "north",
        "kind": "topology",
        "stored": True,
        "version": 2,
        "document": _TOPOLOGY,
        "warnings": [],
    },
    "PinRequest": {"version": 1},
    "PinView": {
        "project": "top-coins",
        "input": "north",
        "kind": "topology",
        "version": 1,
        "current": 1,
        "hash": HASH,
        "comment": "First survey",
        "latest": 2,
        "deleted": False,
        "etag": "1",
        "created_at": TIME,
        "created_by": BY,
    },
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "PK… (the bytes of the workbook)",
}
