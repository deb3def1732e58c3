"""The formats of an endpoint's answers: JSON, CSV for programs and spreadsheets, XLSX."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import orjson

from sluice.domain.endpoint import Endpoint
from sluice.domain.json_text import loads_with_digits
from sluice.domain.run import Completeness
from sluice.domain.stale_input import StaleInput
from sluice.errors import Invalid, QueryLimit
from sluice.reads.csv_text import csv_header, csv_rows
from sluice.reads.endpoints.freshness import Freshness
from sluice.reads.workbook import write_workbook
from sluice.sandbox.sandbox import QueryResult

FORMATS = ("json", "csv", "xlsx")
MEDIA_TYPES = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# Excel reads a CSV file as UTF-8 only if it begins with a byte order mark.
_BOM = "\ufeff"


@dataclass(frozen=True)
class AnswerInfo:
    """The versions and the completeness of the data of an answer.

    Args:
        version: the version of the project's merged dataset; of other tables the lowest; None without any table.
        versions: the version of each table, by name.
        completeness: the least complete of these versions; `stale` if `stale` has entries and none is partial.
        stale: the versions among the inputs that stand in for datasources that could not be fetched.
        data_as_of: the time of the oldest data, RFC 3339.
        freshness: the data's age compared with the endpoint's promise; None if the answer is under no promise.
    """

    version: int | None
    versions: dict[str, int]
    completeness: Completeness
    stale: list[StaleInput]
    data_as_of: str | None
    freshness: Freshness | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the fields of the JSON answer."""
        return {
            "version": self.version,
            "versions": self.versions,
            "completeness": self.completeness,
            "stale": [entry.model_dump() for entry in self.stale],
            "data_as_of": self.data_as_of,
            **({"freshness": self.freshness.as_json()} if self.freshness is not None else {}),
        }


def answer_body(endpoint: Endpoint, result: QueryResult, about: AnswerInfo, form: str, *, bom: bool) -> bytes:
    """Return the rows in one of `FORMATS`.

    Args:
        endpoint: the endpoint, with the names of its columns in CSV and XLSX.
        result: the query's result.
        about: the versions of the data, for JSON.
        form: the format.
        bom: whether CSV begins with a byte order mark.

    Raises:
        QueryLimit: the result is truncated, which only JSON can say.
        Invalid: the endpoint names a column that the query does not have.
    """
    if form == "json":
        metadata = {"columns": result.columns, "truncated": result.truncated, **about.as_json()}
        return b'{"items":' + result.items + b"," + orjson.dumps(metadata)[1:]
    if result.truncated:
        raise QueryLimit(
            f"The answer has more than {result.rows} rows, and {form.upper()} cannot say that it is truncated; "
            "request fewer rows."
        )
    items: list[dict[str, Any]] = loads_with_digits(result.items)
    types = {column["name"]: column["type"] for column in result.columns}
    names = list(endpoint.columns or types)
    if unknown := [name for name in names if name not in types]:
        raise Invalid(f"The endpoint's columns name {unknown[0]!r}; the query's columns are {', '.join(types)}.")
    column_types, rows = [types[name] for name in names], ([row[name] for name in names] for row in items)
    headers = [endpoint.columns.get(name, name) for name in names]
    if form == "xlsx":
        file = io.BytesIO()
        write_workbook(file, headers, column_types, rows)
        return file.getvalue()
    return ((_BOM if bom else "") + csv_header(headers) + csv_rows(column_types, rows)).encode()
