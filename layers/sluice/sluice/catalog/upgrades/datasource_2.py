"""Datasources get the fields `csv` and `xlsx`."""

from __future__ import annotations

from typing import Any

import orjson

from sluice.catalog.upgrades.refusal import DowngradeError

ENTITY, VERSION, RELEASE = "datasource", 2, "0.2"
WHAT = "datasources gain csv and xlsx"


def upgrade(item: dict[str, Any]) -> dict[str, Any]:
    """Add the new fields after `format`."""
    document: dict[str, Any] = {}
    for name, value in orjson.loads(item["document"]).items():
        document[name] = value
        if name == "format":
            document |= {"csv": None, "xlsx": None}
    return {**item, "document": orjson.dumps(document).decode()}


def downgrade(item: dict[str, Any]) -> dict[str, Any]:
    """Remove the new fields.

    Raises:
        DowngradeError: one of them is set.
    """
    document = orjson.loads(item["document"])
    for name in ("csv", "xlsx"):
        if document.pop(name, None) is not None:
            raise DowngradeError(f"`{name}` is set")
    return {**item, "document": orjson.dumps(document).decode()}
