"""Parquet pages: typed rows, read by DuckDB."""

from __future__ import annotations

import base64
import math
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, datetime
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, cast

from sluice.errors import DataTooLarge, UnreadableData
from sluice.formats.detect import mistaken
from sluice.formats.limits import Limits
from sluice.formats.parquet_size import require_decodable, require_small_footer

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from duckdb.sqltypes import DuckDBPyType

# The most rows, and about the most bytes, that are brought to Python at once.
_BATCH, _BATCH_BYTES = 1_000, 100_000_000
_SIMPLE = {
    "boolean": "boolean",
    "tinyint": "bigint",
    "smallint": "bigint",
    "integer": "bigint",
    "bigint": "bigint",
    "utinyint": "bigint",
    "usmallint": "bigint",
    "uinteger": "bigint",
    "ubigint": "decimal(20,0)",
    "hugeint": "decimal(38,0)",
    "uhugeint": "decimal(38,0)",
    "float": "double",
    "double": "double",
    "date": "date",
    "timestamp": "timestamp",
    "timestamp_s": "timestamp",
    "timestamp_ms": "timestamp",
    "timestamp_ns": "timestamp",
    "timestamp with time zone": "timestamp",
}


class ParquetPage:
    """One Parquet page.

    Raises:
        UnreadableData: it is not Parquet, or was cut off.
        DataTooLarge: it has more bytes once decoded than may be read.
    """

    text = False

    def __init__(self, content: IO[bytes], limits: Limits, stack: ExitStack) -> None:
        self.notes: list[str] = []
        self._require_parquet(content)
        require_small_footer(content, limits)
        content.seek(0)
        file = stack.enter_context(tempfile.NamedTemporaryFile(suffix=".parquet"))  # noqa: SIM115 - entered
        shutil.copyfileobj(content, file)
        file.flush()
        self.path = file.name
        self._connection = stack.enter_context(_connection(limits))
        try:
            relation = self._connection.sql("SELECT * FROM read_parquet($path)", params={"path": self.path})
            self.types = dict(zip(relation.columns, relation.types, strict=True))
        except _errors() as error:
            raise _unreadable(error) from None
        if len(self.types) > limits.columns:
            raise UnreadableData(f"The file has {len(self.types)} columns; at most {limits.columns} are read.")
        try:
            largest = require_decodable(self._connection, self.path, self.types, limits)
        except _errors() as error:
            raise _unreadable(error) from None
        self._batch = max(1, min(_BATCH, _BATCH_BYTES // max(1, largest)))

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
        for name, kind in self.types.items():
            found |= _columns(name, kind)
        return found

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows, as JSON values; times are UTC, bytes Base64, and decimals text.

        Raises:
            UnreadableData: the file is broken.
            DataTooLarge: a value is larger than may be read at once.
        """
        selected = ", ".join(_selected(name, kind) for name, kind in self.types.items())
        try:
            answer = self._connection.execute(f"SELECT {selected} FROM read_parquet($path)", {"path": self.path})
            while batch := answer.fetchmany(self._batch):
                for values in batch:
                    yield {name: _json(value) for name, value in zip(self.types, values, strict=True)}
        except _errors() as error:
            raise _unreadable(error) from None


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


def _selected(name: str, kind: DuckDBPyType) -> str:
    column = '"' + name.replace('"', '""') + '"'
    if str(kind).lower() == "timestamp with time zone":
        return f"make_timestamp(epoch_us({column})) AS {column}"  # needs no time zones of the engine's
    return column


def _columns(name: str, kind: DuckDBPyType) -> dict[str, str | None]:
    if kind.id == "struct" and kind.children:
        found: dict[str, str | None] = {}
        for inner, of in cast("list[tuple[str, DuckDBPyType]]", kind.children):
            found |= _columns(f"{name}_{inner}", of)
        return found
    if kind.id == "map":
        return {}  # its keys become columns, as those of any object, when they are seen
    text = str(kind).lower()
    if text in _SIMPLE:
        return {name: _SIMPLE[text]}
    if kind.id == "decimal":
        return {name: text.replace(" ", "")}
    return {name: "json" if kind.id in ("list", "array", "union", "struct") else "string"}


def _json(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else str(Decimal(value))
        case dict():
            return {str(key): _json(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_json(inner) for inner in value]
        case datetime():
            return value.isoformat(timespec="microseconds") + "Z"
        case date():
            return value.isoformat()
        case bytes() | bytearray():
            return base64.b64encode(value).decode()
        case _:
            return str(value)
