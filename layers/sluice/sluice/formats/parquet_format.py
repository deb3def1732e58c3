"""Parquet pages: typed rows, read by DuckDB."""

from __future__ import annotations

import io
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Any

from sluice.errors import DataTooLarge, UnreadableData
from sluice.formats.detect import mistaken
from sluice.formats.limits import Limits
from sluice.formats.parquet_size import require_decodable, require_small_footer
from sluice.formats.parquet_values import Shape, children_of, quoted, schema_tree, shape_of, unique

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# The most rows, and about the most bytes, that are brought to Python at once.
_BATCH, _BATCH_BYTES = 1_000, 100_000_000
# The digits of a number that a double keeps whatever they are.
_DOUBLE_DIGITS = 15


class ParquetPage:
    """One Parquet page.

    Raises:
        UnreadableData: it is not Parquet, or was cut off.
        DataTooLarge: it has more bytes once decoded than may be read.
    """

    text = False

    def __init__(self, content: IO[bytes], limits: Limits, stack: ExitStack) -> None:
        self._require_parquet(content)
        require_small_footer(content, limits)
        content.seek(0)
        self.path = _path_of(content, stack)
        self._connection = stack.enter_context(_connection(limits))
        try:
            relation = self._connection.sql("SELECT * FROM read_parquet($path)", params={"path": self.path})
            self.types = dict(zip(relation.columns, relation.types, strict=True))
            self.shapes = self._named_shapes()
        except _errors() as error:
            raise _unreadable(error) from None
        if len(self.types) > limits.columns:
            raise UnreadableData(f"The file has {len(self.types)} columns; at most {limits.columns} are read.")
        try:
            largest = require_decodable(self._connection, self.path, self.types, limits)
            self.notes = self._lost_digits()
        except _errors() as error:
            raise _unreadable(error) from None
        self._batch = max(1, min(_BATCH, _BATCH_BYTES // max(1, largest)))

    def _named_shapes(self) -> dict[str, Shape]:
        """The types of the columns, by their names in the file."""
        query = "SELECT name, num_children, precision, scale FROM parquet_schema($path)"
        root = schema_tree(self._connection.execute(query, {"path": self.path}).fetchall())
        nodes = unique(children_of(root, list(self.types)), "The Parquet file")
        return {name: shape_of(kind, node, name) for (name, node), kind in zip(nodes, self.types.values(), strict=True)}

    def _lost_digits(self) -> list[str]:
        """What to say of decimals that the engine has no type for."""
        notes = []
        for read, (name, shape) in zip(self.types, self.shapes.items(), strict=True):
            for found in shape.wide_decimals(name, quoted(read)):
                value = f"unnest({found.sql})" if found.listed else found.sql
                query = f"""
                    SELECT count(v), count(v) FILTER (abs(v) >= 1e{_DOUBLE_DIGITS - found.scale})
                    FROM (SELECT {value} AS v FROM read_parquet($path))
                """
                count, lost = self._connection.execute(query, {"path": self.path}).fetchone() or (0, 0)
                if count:
                    notes.append(
                        f"{found.column}: {count} values of decimal({found.precision},{found.scale}) were read as "
                        f"doubles, and {lost} of them may have lost digits; write decimals of at most 38 digits, or "
                        "texts, to keep them all"
                    )
        return notes

    @staticmethod
    def _require_parquet(content: IO[bytes]) -> None:
        beginning = content.read(512)
        if not beginning.startswith(b"PAR1"):
            raise UnreadableData(mistaken(beginning, "Parquet") or "The page is not Parquet.")
        content.seek(0, 2)
        if content.tell() < 12:
            raise UnreadableData("The Parquet file was cut off.")
        content.seek(-4, 2)
        if content.read(4) != b"PAR1":
            raise UnreadableData("The Parquet file was cut off: it does not end like one.")
        content.seek(0)

    def columns(self) -> dict[str, str | None]:
        """The columns with their types, those within structs as `a_b`; null where JSON must tell."""
        found: dict[str, str | None] = {}
        for name, shape in self.shapes.items():
            found |= shape.columns(name)
        return found

    def filled(self, row: dict[str, Any]) -> dict[str, Any]:
        """A row with an object of nulls in place of each struct that is null, so that it has all columns."""
        return {name: shape.filled(row[name]) for name, shape in self.shapes.items()}

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows, as JSON values; times are UTC with all their digits, bytes Base64, and decimals text.

        Raises:
            UnreadableData: the file is broken.
            DataTooLarge: a value is larger than may be read at once.
        """
        shapes = list(self.shapes.items())
        names = map(quoted, self.types)
        selected = ", ".join(shape.sql(name) for name, (_, shape) in zip(names, shapes, strict=True))
        try:
            answer = self._connection.execute(f"SELECT {selected} FROM read_parquet($path)", {"path": self.path})
            while batch := answer.fetchmany(self._batch):
                for values in batch:
                    yield {name: shape.json(value) for (name, shape), value in zip(shapes, values, strict=True)}
        except _errors() as error:
            raise _unreadable(error) from None


def _path_of(content: IO[bytes], stack: ExitStack) -> str:
    """The path of a file with the content: its own, where it is one."""
    if isinstance(content, io.BufferedReader) and isinstance(content.name, str):
        return content.name
    file = stack.enter_context(tempfile.NamedTemporaryFile(suffix=".parquet"))  # noqa: SIM115 - entered
    shutil.copyfileobj(content, file)
    file.flush()
    return file.name


def _connection(limits: Limits) -> DuckDBPyConnection:
    import duckdb  # only where Parquet comes

    config: Any = {
        "threads": 1,
        "memory_limit": f"{limits.unpacked_bytes}B",
        "temp_directory": "",
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    return duckdb.connect(":memory:", config=config)


def _errors() -> type[Exception]:
    import duckdb

    return duckdb.Error


def _unreadable(error: Exception) -> UnreadableData:
    if "memory" in str(error).lower():
        return DataTooLarge("The Parquet file needs more memory than a function has (MAX_UNPACKED_BYTES); split it.")
    return UnreadableData(f"The Parquet file cannot be read: {_first_line(error)}.")


def _first_line(error: Exception) -> str:
    """What DuckDB says, without the path of our own copy."""
    return re.sub(r"['\"]?/\S*\.parquet['\"]?", "the file", str(error).split("\n")[0])[:300].rstrip(".")
