"""Datasources get the fields `csv.date_format` and `csv.timestamp_format`."""

from __future__ import annotations

from typing import Any

import orjson

from sluice.catalog.upgrades.refusal import DowngradeError

ENTITY, VERSION, RELEASE = "datasource", 3, "0.3"
WHAT = "csv gains date_format and timestamp_format"


def upgrade(item: dict[str, Any]) -> dict[str, Any]:
    """Add the new fields to `csv`, if the document has it."""
    # `header` stays true, which was the default of earlier releases, so that pages are read as before.
    document = orjson.loads(item["document"])
    if document.get("csv") is not None:
        document["csv"] = {**document["csv"], "date_format": None, "timestamp_format": None}
    return {**item, "document": orjson.dumps(document).decode()}


def downgrade(item: dict[str, Any]) -> dict[str, Any]:
    """Remove the fields that release 0.2 does not have.

    Raises:
        DowngradeError: release 0.2 would send other requests, or read the pages differently.
    """
    document = orjson.loads(item["document"])
    http, csv = document.get("http"), document.get("csv")
    if http is not None:
        if http["method"] not in ("GET", "POST"):
            raise DowngradeError(f"`http.method` is {http['method']}")
        # Without these two, the same records are fetched, only more slowly or with fewer checks.
        http.pop("concurrency", None)
        http["pagination"].pop("verify", None)
    if csv is not None:
        if csv["header"] is None:
            raise DowngradeError("`csv.header` is null; set it to true or false")
        for name in ("date_format", "timestamp_format"):
            if csv.pop(name, None) is not None:
                raise DowngradeError(f"`csv.{name}` is set")
    return {**item, "document": orjson.dumps(document).decode()}
