"""The forms in which an endpoint answers: JSON, CSV for programs and spreadsheets, XLSX."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import orjson

from sluice.domain.endpoint import Endpoint
from sluice.domain.json_text import loads_with_digits
from sluice.errors import Invalid, QueryLimit
from sluice.reads.csv_text import csv_head, csv_rows
from sluice.reads.workbook import write_workbook
from sluice.sandbox.sandbox import QueryResult

FORMATS = ("json", "csv", "xlsx")
MEDIA_TYPES = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# By which spreadsheets know UTF-8 when a file is opened with a double click.
_BOM = "\ufeff"


@dataclass(frozen=True)
class About:
    """What an answer says of the data that it is of."""

    version: int | None
    versions: dict[str, int]
    completeness: str
    data_as_of: str | None

    def presented(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "version": self.version,
            "versions": self.versions,
            "completeness": self.completeness,
            "data_as_of": self.data_as_of,
        }


def body(endpoint: Endpoint, found: QueryResult, about: About, form: str, *, bom: bool) -> bytes:
    """The rows in one of the forms."""
    if form == "json":
        told = {"columns": found.columns, "truncated": found.truncated, **about.presented()}
        return b'{"items":' + found.items + b"," + orjson.dumps(told)[1:]
    if found.truncated:
        raise QueryLimit(
            f"The answer has more than {found.rows} rows, which {form.upper()} could not tell; ask for less of it."
        )
    items: list[dict[str, Any]] = loads_with_digits(found.items)
    types = {one["name"]: one["type"] for one in found.columns}
    names = list(endpoint.columns or types)
    if unknown := [name for name in names if name not in types]:
        raise Invalid(f"The endpoint's columns name {unknown[0]!r}; its query gives {', '.join(types)}.")
    kinds, rows = [types[name] for name in names], ([row[name] for name in names] for row in items)
    heads = [endpoint.columns.get(name, name) for name in names]
    if form == "xlsx":
        file = io.BytesIO()
        write_workbook(file, heads, kinds, rows)
        return file.getvalue()
    return ((_BOM if bom else "") + csv_head(heads) + csv_rows(kinds, rows)).encode()
