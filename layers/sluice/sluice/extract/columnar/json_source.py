"""The files of JSON that are read, as SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.extract.columnar.json_files import JsonFile
from sluice.extract.columnar.pages import Otherwise
from sluice.extract.columnar.structure import Node
from sluice.lake.parquet import literal, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# What a file's name says: the place of its page among the pages, the page's number, its first record.
_PARTS = "string_split(parse_filename(filename, true), '-')"
_NAMED = ", ".join(
    f"{_PARTS}[{number}]::INTEGER AS {name}" for number, name in ((1, "place"), (2, "page"), (3, "first"))
)


@dataclass(frozen=True)
class JsonSource:
    """Files that each hold one document with records.

    Args:
        way: the keys that lead to the records.
        single: whether they lead to one record, and not to a list of them.
        nulls: how many members of records are null; none where that is not known.
    """

    files: list[JsonFile]
    way: list[str]
    single: bool = False
    nulls: int | None = None

    @property
    def documents(self) -> str:
        """The SQL of the documents: `json`, with the file's `name`, `place`, `page` and `first`."""
        return f"(SELECT json, parse_filename(filename) AS name, {_NAMED} FROM read_json_objects({self._options}))"

    @property
    def _options(self) -> str:
        files = ", ".join(literal(str(file.path)) for file in self.files)
        size = max(2 * max(file.size for file in self.files), 1 << 20)
        return f"[{files}], format = 'unstructured', filename = true, maximum_object_size = {size}"

    def typed(self, record: Node) -> str:
        """The SQL of the records as structs: `record`, with `place`, `page` and `nth`.

        The engine raises an error for a key that an object has twice.
        """
        kind = record.stored if self.single else f"{record.stored}[]"
        found = "document" + "".join(f".{quoted(key)}" for key in self.way)
        for key in reversed(self.way):
            kind = f"STRUCT({quoted(key)} {kind})"
        listed = f"[{found}]" if self.single else found
        columns = f"columns = {{document: {literal(kind)}}}, records = false"
        return f"""
            SELECT place, page, first + unnest(range(len(records))) AS nth, unnest(records) AS record
            FROM (SELECT {listed} AS records, {_NAMED} FROM read_json({self._options}, {columns}))
        """

    @property
    def texts(self) -> str:
        """The SQL of the records as JSON: `record`, with `place`, `page` and `nth`."""
        path = "$" + "".join(self.key(key) for key in self.way) + ("" if self.single else "[*]")
        found = f"json_extract(json, {literal(path)})"
        listed = f"[{found}]" if self.single else found
        return f"""
            SELECT place, page, first + unnest(range(len(records))) AS nth, unnest(records) AS record
            FROM (SELECT {listed} AS records, place, page, first FROM {self.documents})
        """

    @staticmethod
    def key(name: str) -> str:
        """A key in a path of the engine's.

        Raises:
            Otherwise: its paths have no escapes.
        """
        if '"' in name or "\\" in name:
            raise Otherwise
        return f'."{name}"'


# Numbers in JSON of the engine's that Python would write in another way.
_STRANGE = r"(^|[\[,:])-?([0-9.]+e|[0-9]{16,}[.])"


def require_plain(connection: DuckDBPyConnection, cells: list[str], rows: str) -> None:
    """Refuse JSON that the engine writes otherwise than Python does.

    Args:
        cells: the SQL of JSON in a row.

    Raises:
        Otherwise: some of it is like that.
    """
    _require_none(
        connection, [f"FROM {rows} WHERE regexp_matches({one}::VARCHAR, {literal(_STRANGE)})" for one in cells]
    )


def require_single_keys(connection: DuckDBPyConnection, cells: list[str], rows: str) -> None:
    """Refuse JSON in which an object has a key twice: the engine takes the first one.

    Args:
        cells: the SQL of JSON in a row.

    Raises:
        Otherwise: some of it is like that.
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
        raise Otherwise
