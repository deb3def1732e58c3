"""Datasources say in which form CSV has its dates and times."""

from __future__ import annotations

from typing import Any

import orjson

from sluice.catalog.upgrades.refusal import DowngradeError

ENTITY, VERSION, RELEASE = "datasource", 3, "0.3"
WHAT = "csv gains date_format and timestamp_format"


def upgrade(item: dict[str, Any]) -> dict[str, Any]:
    """The item of a definition, whose block `csv`, if it has one, has the new fields.

    The block's `header` stays true, which was the default: its pages are read as before.
    """
    document = orjson.loads(item["document"])
    if document.get("csv") is not None:
        document["csv"] = {**document["csv"], "date_format": None, "timestamp_format": None}
    return {**item, "document": orjson.dumps(document).decode()}


def downgrade(item: dict[str, Any]) -> dict[str, Any]:
    """The item as release 0.2 can read it: without what came with 0.3.

    `http.concurrency` and `pagination.verify` are left out whatever their values: without them
    the same records are fetched.

    Raises:
        DowngradeError: the datasource would be read or asked in another way.
    """
    document = orjson.loads(item["document"])
    http, csv = document.get("http"), document.get("csv")
    if http is not None:
        if http["method"] not in ("GET", "POST"):
            raise DowngradeError(f"`http.method` is {http['method']}")
        http.pop("concurrency", None)
        http["pagination"].pop("verify", None)
    if csv is not None:
        if csv["header"] is None:
            raise DowngradeError("`csv.header` is null; set it to true or false")
        for name in ("date_format", "timestamp_format"):
            if csv.pop(name, None) is not None:
                raise DowngradeError(f"`csv.{name}` is set")
    return {**item, "document": orjson.dumps(document).decode()}
