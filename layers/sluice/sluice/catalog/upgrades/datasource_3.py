"""`csv` gets the fields `date_format` and `timestamp_format`; `max_age_seconds` 0 gets another meaning."""

from __future__ import annotations

from typing import Any

import orjson

from sluice.catalog.upgrades.refusal import DowngradeError

ENTITY, VERSION, RELEASE = "datasource", 3, "0.3"
WHAT = "csv gains date_format and timestamp_format; max_age_seconds 0 means never"
_KINDS = ("http", "file", "push")


def upgrade(item: dict[str, Any]) -> dict[str, Any]:
    """Add the new fields to `csv`, if the document has it, and keep the meaning of `max_age_seconds`."""
    # `header` stays true, which was the default of earlier releases, so that pages are read as before.
    document = orjson.loads(item["document"])
    if document.get("csv") is not None:
        document["csv"] = {**document["csv"], "date_format": None, "timestamp_format": None}
    # 0 meant that data is always stale, and means now that it never expires. Null would not do: with a schedule it
    # stands for the schedule's interval.
    if document.get("max_age_seconds") == 0:
        document["max_age_seconds"] = 1
    return {**item, "document": orjson.dumps(document).decode()}


def downgrade(item: dict[str, Any]) -> dict[str, Any]:
    """Remove the fields that release 0.2 does not have.

    Raises:
        DowngradeError: release 0.2 would send other requests, or read the pages differently.
    """
    document = orjson.loads(item["document"])
    http, csv = document.get("http"), document.get("csv")
    if document["kind"] not in _KINDS:
        raise DowngradeError(f"its kind is {document['kind']}")
    if document.get("max_age_seconds") == 0:
        raise DowngradeError(
            "`max_age_seconds` is 0, so its data never expires; that release takes it for always stale"
        )
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
