"""Parquet read by the engine, by column."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from sluice.domain.run import PageReceipt
from sluice.domain.schema import Column
from sluice.extract.by_record.flatten import ColumnNames
from sluice.extract.by_record.typing import ColumnTypes
from sluice.extract.column_decision import Observations
from sluice.extract.columnar.json_values import cell_of
from sluice.extract.columnar.pages import Cell, NotColumnar, Pages, build_query, link_or_copy
from sluice.extract.records import Records
from sluice.formats.parquet_format import ParquetPage
from sluice.formats.parsed_page import open_page
from sluice.lake.parquet import literal, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from duckdb.sqltypes import DuckDBPyType

# The engine's types whose values are the same in Python, and our types for them.
_KINDS = {
    "boolean": "boolean",
    "tinyint": "bigint",
    "smallint": "bigint",
    "integer": "bigint",
    "bigint": "bigint",
    "utinyint": "bigint",
    "usmallint": "bigint",
    "uinteger": "bigint",
    "float": "double",
    "double": "double",
    "varchar": "string",
    "date": "date",
    "timestamp": "timestamp",
    "timestamp_s": "timestamp",
    "timestamp_ms": "timestamp",
    "timestamp with time zone": "timestamp",
}
_DECIMAL = re.compile(r"decimal\(\d+,\d+\)")
_EXACT = 2**53


class ParquetReader:
    """Reads Parquet pages with the same columns, without loading them into memory."""

    def __init__(self, pages: Pages, connection: DuckDBPyConnection, folder: Path) -> None:
        if pages.selected or pages.datasource.records != "@":
            raise NotColumnar
        self._pages = pages
        self._connection = connection
        self._folder = folder
        self._files: list[Path] = []
        self._numbers: list[int] = []
        self._notes: list[str] = []
        self._types: dict[str, DuckDBPyType] = {}
        self._known: dict[str, str | None] = {}

    def add_page(self, receipt: PageReceipt, content: IO[bytes]) -> None:
        """Store a page as a file."""
        with open_page(self._pages.datasource, receipt, content, self._pages.limits) as page:
            if not isinstance(page.rows, ParquetPage) or (self._files and page.rows.types != self._types):
                raise NotColumnar
            if list(page.rows.types) != list(page.rows.shapes):
                raise NotColumnar  # the engine renamed a column
            self._types, self._known = page.rows.types, page.rows.columns()
            self._notes += [note for note in page.rows.notes if note not in self._notes]
            path = self._folder / f"page-{len(self._files)}.parquet"
            link_or_copy(page.rows.path, path)
            self._files.append(path)
            self._numbers.append(receipt.number)

    def records(self) -> Records:
        """The records of all pages."""
        pages, column_names = self._pages, ColumnNames(self._pages.limits.columns, self._pages.known)
        for name in pages.metadata:
            column_names.reserve(name)
        leaves = [leaf for name, kind in self._types.items() for leaf in _leaves((name,), kind)]
        names = [column_names.column_for(leaf.path) for leaf in leaves]
        if len({name.lower() for name in [*names, *pages.metadata]}) < len(names) + len(pages.metadata):
            raise NotColumnar
        rows = self._rows(leaves)
        kinds = {name: leaf.kind for name, leaf in zip(names, leaves, strict=True)}
        counts, wide = self._counts(rows, list(kinds.values()))
        types = ColumnTypes(pages.datasource)
        types.add_page_columns(dict(kinds), text=False)
        for number, name in enumerate(names):
            examples: list[tuple[Any, int]] = [(_EXACT + 1 if wide[number] else 1, counts[number + 1])]
            types.add_summary(name, [*examples, (None, counts[0] - counts[number + 1])], counts[0])
        pages.summarize_metadata(types, counts[0])
        observed = Observations(types, column_names, self._notes)
        types, columns = pages.context.decide_columns(observed)
        cells = self._cells(types, columns, rows, kinds)
        query = build_query(pages, columns, cells, rows=rows)
        return Records(types.with_failures(columns), counts[0], query, observed.warnings(types), True)

    def _rows(self, leaves: list[_Leaf]) -> str:
        """The SQL of the rows, whose values are `c0`, `c1` and so on."""
        selects, before = [], 0
        for place, (file, number) in enumerate(zip(self._files, self._numbers, strict=True)):
            cells = [f"{leaf.cell} AS c{index}" for index, leaf in enumerate(leaves)]
            cells += ["file_row_number AS nth", f"file_row_number + {before} AS position"]
            cells += [f"{number} AS page", f"{place} AS place"]
            source = f"read_parquet({literal(str(file))}, file_row_number = true)"
            selects.append(f"SELECT {', '.join(cells)} FROM {source}")
            before += int((self._connection.execute(f"SELECT count(*) FROM {source}").fetchone() or (0,))[0])
        return f"({' UNION ALL '.join(selects)}) AS sluice_records"

    def _counts(self, rows: str, kinds: list[str]) -> tuple[list[int], list[bool]]:
        """Count rows and values.

        Returns:
            The number of rows and those of values in each column; and whether each column has integers that a
            double cannot represent.

        Raises:
            NotColumnar: there are no rows, or times that Python cannot represent.
        """
        numbers = range(len(kinds))
        counts = ["count(*)", *(f"count(c{number})" for number in numbers)]
        largest = [f"max(abs(c{number}::HUGEINT))" if kinds[number] == "bigint" else "0" for number in numbers]
        times = [f"c{number}" for number in numbers if kinds[number] in ("date", "timestamp")]
        unreadable_times = [
            f"count(*) FILTER (NOT isfinite({cell}) OR year({cell}) NOT BETWEEN 1 AND 9999)" for cell in times
        ]
        query = f"SELECT {', '.join([*counts, *largest, *unreadable_times])} FROM {rows}"
        results = [int(value or 0) for value in self._connection.execute(query).fetchone() or ()]
        width = len(kinds)
        if not results[0] or any(results[1 + 2 * width :]):
            raise NotColumnar
        return results[: width + 1], [value > _EXACT for value in results[width + 1 : 2 * width + 1]]

    def _cells(self, types: ColumnTypes, columns: list[Column], rows: str, kinds: dict[str, str]) -> dict[str, Cell]:
        column_types = {column.name: column.type for column in columns}
        cells = {}
        for number, (name, kind) in enumerate(kinds.items()):
            if kind != column_types[name] and kind not in ("bigint", "double", "string", "boolean"):
                raise NotColumnar
            cells[name] = cell_of(self._connection, types, name, f"c{number}", kind, column_types[name], rows, number)
        return cells


@dataclass(frozen=True)
class _Leaf:
    """A column that a column of the file becomes: itself, or a member of a struct.

    Args:
        path: the name of the column and of the members.
        engine_type: the engine's name for the type.
    """

    path: tuple[str, ...]
    engine_type: str

    @property
    def kind(self) -> str:
        """The column type.

        Raises:
            NotColumnar: Python would represent the values differently.
        """
        if _DECIMAL.fullmatch(self.engine_type):
            return self.engine_type
        if self.engine_type not in _KINDS:
            raise NotColumnar
        return _KINDS[self.engine_type]

    @property
    def cell(self) -> str:
        """The SQL of a value as Python represents it. Times become UTC without the engine's time zone data."""
        cell = ".".join(map(quoted, self.path))
        match self.engine_type:
            case "timestamp with time zone":
                return f"make_timestamp(epoch_us({cell}))"
            case "float":
                return f"{cell}::DOUBLE"
            case _:
                return cell


def _leaves(path: tuple[str, ...], kind: DuckDBPyType) -> list[_Leaf]:
    """The columns that a column of the file becomes; each member of a struct is one."""
    if kind.id == "struct" and kind.children:
        members = cast("list[tuple[str, DuckDBPyType]]", kind.children)
        return [leaf for name, inner in members for leaf in _leaves((*path, name), inner)]
    text = str(kind).lower()
    return [_Leaf(path, text.replace(" ", "") if text.startswith("decimal") else text)]
