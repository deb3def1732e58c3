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
from sluice.formats.detect import describe_mismatch
from sluice.formats.limits import Limits
from sluice.formats.parquet_size import require_decodable, require_small_footer
from sluice.formats.parquet_values import Shape, named_children, quoted, require_unique_names, schema_tree, shape_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# The most rows, and about the most bytes, that are converted to Python objects at a time.
_BATCH, _BATCH_BYTES = 1_000, 100_000_000
# A double represents all decimal numbers of so many digits.
_DOUBLE_DIGITS = 15


class ParquetPage:
    """One Parquet page.

    Args:
        content: the page, at its beginning.
        limits: caps for sizes.
        stack: closes the connection and temporary files.

    Raises:
        UnreadableData: it is not Parquet, or truncated.
        DataTooLarge: it has more bytes after decoding than may be read.
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
            raise UnreadableData(f"The file has {len(self.types)} columns, more than {limits.columns} (MAX_COLUMNS).")
        try:
            largest = require_decodable(self._connection, self.path, self.types, limits)
            self.notes = self._lost_digits()
        except _errors() as error:
            raise _unreadable(error) from None
        # Few rows at a time if rows are large: their Python objects take many times their size.
        self._batch = max(1, min(_BATCH, _BATCH_BYTES // max(1, largest)))

    def _named_shapes(self) -> dict[str, Shape]:
        """The shapes of the columns, by their names in the file."""
        query = "SELECT name, num_children, precision, scale FROM parquet_schema($path)"
        root = schema_tree(self._connection.execute(query, {"path": self.path}).fetchall())
        nodes = require_unique_names(named_children(root, list(self.types)), "The Parquet file")
        return {name: shape_of(kind, node, name) for (name, node), kind in zip(nodes, self.types.values(), strict=True)}

    def _lost_digits(self) -> list[str]:
        """Warnings for decimals that are too long for a type of DuckDB."""
        notes = []
        for read, (name, shape) in zip(self.types, self.shapes.items(), strict=True):
            for decimal in shape.wide_decimals(name, quoted(read)):
                value = f"unnest({decimal.sql})" if decimal.listed else decimal.sql
                query = f"""
                    SELECT count(v), count(v) FILTER (abs(v) >= 1e{_DOUBLE_DIGITS - decimal.scale})
                    FROM (SELECT {value} AS v FROM read_parquet($path))
                """
                count, lost = self._connection.execute(query, {"path": self.path}).fetchone() or (0, 0)
                if count:
                    notes.append(
                        f"{decimal.column}: {count} values of decimal({decimal.precision},{decimal.scale}) were read "
                        f"as doubles, and {lost} of them may have lost digits; write decimals of at most 38 digits or "
                        "strings to keep them"
                    )
        return notes

    @staticmethod
    def _require_parquet(content: IO[bytes]) -> None:
        beginning = content.read(512)
        if not beginning.startswith(b"PAR1"):
            raise UnreadableData(describe_mismatch(beginning, "Parquet") or "The page is not Parquet.")
        content.seek(0, 2)
        if content.tell() < 12:
            raise UnreadableData("The Parquet file is truncated.")
        content.seek(-4, 2)
        if content.read(4) != b"PAR1":
            raise UnreadableData("The Parquet file is truncated: its end marker is missing.")
        content.seek(0)

    def columns(self) -> dict[str, str | None]:
        """The columns with their types, members of structs as `a_b`; None if the JSON values decide."""
        columns: dict[str, str | None] = {}
        for name, shape in self.shapes.items():
            columns |= shape.columns(name)
        return columns

    def with_struct_nulls(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row with an object of nulls in place of each null struct, so that it has all columns."""
        return {name: shape.with_struct_nulls(row[name]) for name, shape in self.shapes.items()}

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows as JSON values: times in UTC with all digits, binary data as Base64, decimals as text.

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
    """The path of a file with the content; temporary unless the content is a file already."""
    if isinstance(content, io.BufferedReader) and isinstance(content.name, str):
        return content.name
    file = stack.enter_context(tempfile.NamedTemporaryFile(suffix=".parquet"))  # noqa: SIM115 - entered
    shutil.copyfileobj(content, file)
    file.flush()
    return file.name


def _connection(limits: Limits) -> DuckDBPyConnection:
    import duckdb  # takes 136 ms; only Parquet pages need it

    config: Any = {
        # Each thread holds a decoded row group; one keeps the memory predictable.
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
    # DuckDB reports memory limits by several classes, so the text decides.
    if "memory" in str(error).lower():
        return DataTooLarge("The Parquet file needs more memory than is allowed (MAX_UNPACKED_BYTES); split it.")
    return UnreadableData(f"The Parquet file cannot be read: {_first_line(error)}.")


def _first_line(error: Exception) -> str:
    """The first line of DuckDB's message, without the path of the temporary file."""
    return re.sub(r"['\"]?/\S*\.parquet['\"]?", "the file", str(error).split("\n")[0])[:300].rstrip(".")
