"""The SQL that reads JSON files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.extract.columnar.expressions import path_step
from sluice.extract.columnar.json_files import JsonFile, Layout
from sluice.extract.columnar.pages import TABLE, NotColumnar, number_rows
from sluice.extract.columnar.structure import Node
from sluice.lake.parquet import literal, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# A text that the engine reproduces has no trailing comma and no number that a double would change.
VERBATIM = "json_extract(json, '$')::VARCHAR = json::VARCHAR"
# Only if these first documents are verbatim are all others checked.
_FIRST = 8
# The name of a file is its index among the pages.
_PLACE = "parse_filename(filename, true)::INTEGER AS place"
# A longer line raises an error, and the pages are then read by record, whose cap is a setting.
_LARGEST_LINE = 16 << 20


@dataclass(frozen=True)
class JsonSource:
    """Files with records.

    Args:
        files: the files, in page order.
        layout: whether a file is one document or JSON Lines.
        path: the keys that lead to the records within a document.
        single: whether they lead to one record, not a list.
    """

    files: list[JsonFile]
    layout: Layout
    path: list[str]
    single: bool = False

    @property
    def _options(self) -> str:
        files = ", ".join(literal(str(file.path)) for file in self.files)
        if self.layout == "lines":
            return f"[{files}], format = 'newline_delimited', filename = true, maximum_object_size = {_LARGEST_LINE}"
        size = max(2 * max(file.largest for file in self.files), 1 << 20)
        return f"[{files}], format = 'unstructured', filename = true, maximum_object_size = {size}"

    @property
    def documents(self) -> str:
        """The SQL of the documents: `json` and `place`."""
        return f"(SELECT json, {_PLACE} FROM read_json_objects({self._options}))"

    @property
    def records_path(self) -> str:
        """The engine's path to the records."""
        return "$" + "".join(map(path_step, self.path))

    @property
    def records_sql(self) -> str:
        """The SQL of the records as JSON: `record` and `place`."""
        return self.records_of(self.documents)

    @property
    def is_single(self) -> bool:
        """Whether each document has a single record."""
        return self.single or self.layout == "lines"

    def records_of(self, documents: str) -> str:
        """The SQL of the records in documents as JSON: `record` and `place`.

        Args:
            documents: the SQL of the documents: `json` and `place`.
        """
        if self.layout == "lines":
            return f"(SELECT json AS record, place FROM {documents})"
        extracted = f"json_extract(json, {literal(self.records_path + ('' if self.single else '[*]'))})"
        return f"(SELECT {extracted if self.single else f'unnest({extracted})'} AS record, place FROM {documents})"

    def structs_sql(self, record: Node) -> str:
        """The SQL of the records as structs: `record` and `place`.

        The engine raises an error for duplicate keys.

        Args:
            record: the structure of the records.
        """
        kind = record.engine_type if self.is_single else f"{record.engine_type}[]"
        member = "document" + "".join(f".{quoted(key)}" for key in self.path)
        for key in reversed(self.path):
            kind = f"STRUCT({quoted(key)} {kind})"
        records = member if self.is_single else f"unnest({member})"
        columns = f"columns = {{document: {literal(kind)}}}, records = false"
        return f"(SELECT {records} AS record, {_PLACE} FROM read_json({self._options}, {columns}))"

    def begins_verbatim(self, connection: DuckDBPyConnection) -> bool:
        """Whether the engine reproduces the first documents byte for byte."""
        query = f"SELECT bool_and({VERBATIM}) FROM (SELECT json FROM {self.documents} LIMIT {_FIRST})"
        return bool((connection.execute(query).fetchone() or (False,))[0])

    def load(self, connection: DuckDBPyConnection, query: str) -> int:
        """Create the table of a query's rows in their order, each with its page and its place within it.

        Args:
            connection: the engine.
            query: a query with `place`, in record order.

        Returns:
            The number of rows.
        """
        answer = connection.execute(f"CREATE OR REPLACE TABLE {TABLE}_read AS {query}").fetchone()
        number_rows(connection, [file.page for file in self.files])
        return int(answer[0]) if answer else 0


# JSON that the engine writes differently than Python.
_STRANGE = r"(^|[\[,:])-?([0-9.]+e|[0-9]{16,}[.]|NaN|Inf)|\\u00"


def require_plain(connection: DuckDBPyConnection, cells: list[str], rows: str) -> None:
    """Refuse JSON that the engine writes differently than Python.

    Args:
        connection: the engine.
        cells: the SQL of the JSON values of a row.
        rows: the SQL of the rows.

    Raises:
        NotColumnar: there is such JSON.
    """
    conditions = [f"regexp_matches({cell}::VARCHAR, {literal(_STRANGE)})" for cell in cells]
    _require_none(connection, [f"FROM {rows} WHERE {condition}" for condition in conditions])


def require_single_keys(connection: DuckDBPyConnection, cells: list[str], rows: str) -> None:
    """Refuse duplicate keys in JSON: the engine uses the first one, JSON parsers the last.

    Args:
        connection: the engine.
        cells: the SQL of the JSON values of a row.
        rows: the SQL of the rows.

    Raises:
        NotColumnar: there are duplicate keys.
    """
    queries = []
    for cell in cells:
        objects = f"SELECT rowid AS record_id, {cell} AS value FROM {rows} WHERE contains({cell}::VARCHAR, '{{')"
        twice = "GROUP BY record_id, part.fullkey HAVING count(*) > 1"
        queries.append(f"SELECT 1 FROM ({objects}), json_tree(value) AS part {twice}")
    _require_none(connection, queries)


def _require_none(connection: DuckDBPyConnection, queries: list[str]) -> None:
    if not queries:
        return
    row = connection.execute(f"SELECT {' OR '.join(f'EXISTS ({query})' for query in queries)}").fetchone()
    if row is None or row[0]:
        raise NotColumnar
