"""Datasources say in which form CSV has its dates and times."""

from __future__ import annotations

from typing import Any

import orjson

ENTITY, VERSION = "datasource", 3
WHAT = "csv gains date_format and timestamp_format"


def upgrade(item: dict[str, Any]) -> dict[str, Any]:
    """The item of a definition, whose block `csv`, if it has one, has the new fields.

    The block's `header` stays true, which was the default: its pages are read as before.
    """
    document = orjson.loads(item["document"])
    if document.get("csv") is not None:
        document["csv"] = {**document["csv"], "date_format": None, "timestamp_format": None}
    return {**item, "document": orjson.dumps(document).decode()}
