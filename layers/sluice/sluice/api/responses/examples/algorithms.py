"""Examples of algorithms and the results of their runs."""

from __future__ import annotations

from typing import Any

from sluice.api.responses.examples.common import FINGERPRINT, HASH, METADATA, RUN

_RESULT: dict[str, Any] = {"rows": 5000, "columns": 3, "candidate_keys": [["symbol"]]}
_NUMBER: dict[str, Any] = {"nullable": True, "missing": False, "wide": False, "guessed": False, "from_json": False}


def _change(pointer: str, old: Any, new: Any) -> dict[str, Any]:
    return {
        "change": "changed",
        "pointer": pointer,
        "old_pointer": pointer,
        "label": pointer,
        "old": old,
        "new": new,
    }


EXAMPLES: dict[str, Any] = {
    "AlgorithmView": {
        "name": "profile",
        "title": "Profile",
        "description": "Describes each column of a table: types, nulls, quantiles and frequent values.",
        "inputs": {"data": {"kinds": ["table"], "description": "The table.", "required": True}},
        "parameters": {"type": "object", "properties": {"top": {"type": "integer", "default": 10}}},
        "output": {"type": "object", "properties": {"rows": {"type": "integer"}}},
        "tables": {"main": "A row for each column."},
        "layer": "numeric",
        "packages": {"duckdb": "2.0.0"},
        "code": FINGERPRINT,
    },
    "ProjectAlgorithm": {"inputs": {"data": "dataset:merged"}, "on_refresh": True},
    "ProjectAlgorithmView": {
        "inputs": {"data": "dataset:merged"},
        "parameters": {},
        "seed": 0,
        "on_refresh": True,
        "name": "profile",
        "project": "top-coins",
        **METADATA,
    },
    "AlgorithmStart": {"inputs": {"data": "dataset:merged"}, "comment": "after the first merge"},
    "ManualResult": {"result": _RESULT, "comment": "counted by hand"},
    "ResultDocument": _RESULT,
    "ResultOutputs": {
        "document": {"bytes": 25, "sha256": HASH},
        "tables": [{"name": "main", "rows": 3, "schema": [{"name": "column", "type": "string", **_NUMBER}]}],
        "files": [{"name": "materials.xlsx", "bytes": 9120, "sha256": HASH}],
        "restarts": 1,
        "selected": 0,
    },
    "RunComparison": {
        "a": RUN,
        "b": RUN,
        "algorithm": "profile",
        "same_request": False,
        "same_result": False,
        "request": [_change("/seed", 0, 1)],
        "result": [_change("/rows", 4999, 5000)],
        "changes": 1,
        "truncated": False,
    },
}
