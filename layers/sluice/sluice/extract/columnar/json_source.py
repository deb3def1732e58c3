"""The files of JSON that are read, as SQL."""

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

# A text that the engine writes as it was has no comma behind the last value, and no number that a double changes.
SAME = "json_extract(json, '$')::VARCHAR = json::VARCHAR"
# Where these first documents are like that, the others are asked.
_FIRST = 8
# A file's name is its place among the pages.
_PLACE = "parse_filename(filename, true)::INTEGER AS place"
_LARGEST_LINE = 16 << 20


@dataclass(frozen=True)
class JsonSource:
    """Files with records.

    Args:
        way: the keys that lead to the records within a document.
        single: whether they lead to one record, and not to a list of them.
    """

    files: list[JsonFile]
    layout: Layout
    way: list[str]
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
        """The SQL of the documents: `json`, with `place`."""
        return f"(SELECT json, {_PLACE} FROM read_json_objects({self._options}))"

    @property
    def records_path(self) -> str:
        """The engine's path to what the keys lead to."""
        return "$" + "".join(map(path_step, self.way))

    @property
    def texts(self) -> str:
        """The SQL of the records as JSON: `record`, with `place`."""
        return self.records_of(self.documents)

    @property
    def is_single(self) -> bool:
        """Whether a document has a single record."""
        return self.single or self.layout == "lines"

    def records_of(self, documents: str) -> str:
        """The SQL of the records of documents, as JSON: `record`, with `place`.

        Args:
            documents: the SQL of the documents: `json`, with `place`.
        """
        if self.layout == "lines":
            return f"(SELECT json AS record, place FROM {documents})"
        found = f"json_extract(json, {literal(self.records_path + ('' if self.single else '[*]'))})"
        return f"(SELECT {found if self.single else f'unnest({found})'} AS record, place FROM {documents})"

    def typed(self, record: Node) -> str:
        """The SQL of the records as structs: `record`, with `place`.

        The engine raises an error for a key that an object has twice.
        """
        kind = record.stored if self.is_single else f"{record.stored}[]"
        found = "document" + "".join(f".{quoted(key)}" for key in self.way)
        for key in reversed(self.way):
            kind = f"STRUCT({quoted(key)} {kind})"
        listed = found if self.is_single else f"unnest({found})"
        columns = f"columns = {{document: {literal(kind)}}}, records = false"
        return f"(SELECT {listed} AS record, {_PLACE} FROM read_json({self._options}, {columns}))"

    def begins_same(self, connection: DuckDBPyConnection) -> bool:
        """Whether the engine writes the first documents as they are."""
        query = f"SELECT bool_and({SAME}) FROM (SELECT json FROM {self.documents} LIMIT {_FIRST})"
        return bool((connection.execute(query).fetchone() or (False,))[0])

    def load(self, connection: DuckDBPyConnection, query: str) -> int:
        """Make the table of a query's rows, in their order, each with its page and its place within it.

        Args:
            query: with `place`, in the order of the records.

        Returns:
            How many rows there are.
        """
        answer = connection.execute(f"CREATE OR REPLACE TABLE {TABLE}_read AS {query}").fetchone()
        number_rows(connection, [file.page for file in self.files])
        return int(answer[0]) if answer else 0


# JSON of the engine's that Python would write in another way.
_STRANGE = r"(^|[\[,:])-?([0-9.]+e|[0-9]{16,}[.]|NaN|Inf)|\\u00"


def require_plain(connection: DuckDBPyConnection, cells: list[str], rows: str) -> None:
    """Refuse JSON that the engine writes otherwise than Python does.

    Args:
        cells: the SQL of JSON in a row.

    Raises:
        NotColumnar: some of it is like that.
    """
    conditions = [f"regexp_matches({one}::VARCHAR, {literal(_STRANGE)})" for one in cells]
    _require_none(connection, [f"FROM {rows} WHERE {condition}" for condition in conditions])


def require_single_keys(connection: DuckDBPyConnection, cells: list[str], rows: str) -> None:
    """Refuse JSON in which an object has a key twice: the engine takes the first one.

    Args:
        cells: the SQL of JSON in a row.

    Raises:
        NotColumnar: some of it is like that.
    """
    queries = []
    for cell in cells:
        objects = f"SELECT rowid AS one, {cell} AS value FROM {rows} WHERE contains({cell}::VARCHAR, '{{')"
        twice = "GROUP BY one, part.fullkey HAVING count(*) > 1"
        queries.append(f"SELECT 1 FROM ({objects}), json_tree(value) AS part {twice}")
    _require_none(connection, queries)


def _require_none(connection: DuckDBPyConnection, queries: list[str]) -> None:
    if not queries:
        return
    found = connection.execute(f"SELECT {' OR '.join(f'EXISTS ({query})' for query in queries)}").fetchone()
    if found is None or found[0]:
        raise NotColumnar
