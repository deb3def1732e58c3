"""Keys: what makes two of them equal, and the one that a caller names."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluice.domain.json_text import dumps, loads
from sluice.domain.merge import Normalizer, RowsMerge
from sluice.domain.schema import Column, convert
from sluice.errors import Invalid
from sluice.lake.parquet import as_type, literal, quoted
from sluice.merge.loading import BATCH, load
from sluice.merge.plan import Source

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# What Python's `strip` takes away, as far as it is ASCII.
_ASCII_SPACE = "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f "


def normalized(text: str, normalizers: list[Normalizer]) -> str:
    """A text of a key as it is compared: NFKC, then full case folding, then without space around it."""
    if "nfkc" in normalizers:
        text = unicodedata.normalize("NFKC", text)
    if "case_fold" in normalizers:
        text = text.casefold()
        text = unicodedata.normalize("NFKC", text) if "nfkc" in normalizers else text
    return text.strip() if "trim" in normalizers else text


def with_normalized_keys(connection: DuckDBPyConnection, source: Source, spec: RowsMerge, scratch: Path) -> Source:
    """A source whose keys are as they are compared.

    ASCII is dealt with by the engine; other texts are few and go through Python, whose Unicode is whole.
    """
    for name, normalizers in spec.normalizers.items():
        column = source.columns.get(name)
        if column is None or column.type not in ("string", "json") or not normalizers:
            continue
        cell = as_type(quoted(name), column.type, "string")
        table = quoted(f"normalized {source.label} {name}")  # a label has no space
        _load_others(connection, source, cell, table, normalizers, scratch)
        others = [f"origin.{quoted(one)}" for one in source.columns if one != name]
        made = f"CASE WHEN {_is_ascii(cell)} THEN {_ascii(cell, normalizers)} ELSE {table}.__sluice_made END"
        selected = ", ".join([f"{made} AS {quoted(name)}", *others, *source.carried])
        rows = f"(SELECT {selected} FROM {source.rows} AS origin LEFT JOIN {table} ON {table}.__sluice_raw = {cell})"
        columns = {**source.columns, name: column.model_copy(update={"type": "string"})}
        source = replace(source, columns=columns, prepared=rows)
    return source


def _is_ascii(cell: str) -> str:
    return f"strlen({cell}) = length({cell})"


def _ascii(cell: str, normalizers: list[Normalizer]) -> str:
    cell = f"lower({cell})" if "case_fold" in normalizers else cell
    return f"trim({cell}, {literal(_ASCII_SPACE)})" if "trim" in normalizers else cell


def _load_others(
    connection: DuckDBPyConnection,
    source: Source,
    cell: str,
    table: str,
    normalizers: list[Normalizer],
    scratch: Path,
) -> None:
    answer = connection.execute(f"SELECT DISTINCT {cell} FROM {source.rows} WHERE NOT ({_is_ascii(cell)})")

    def rows() -> Iterator[dict[str, str | int | None]]:
        while batch := answer.fetchmany(BATCH):
            yield from ({"__sluice_raw": raw, "__sluice_made": normalized(raw, normalizers)} for (raw,) in batch)

    load(connection, table, {"__sluice_raw": "VARCHAR", "__sluice_made": "VARCHAR"}, rows(), scratch)


def _typed(column: Column, text: str, normalizers: list[Normalizer]) -> Any:
    if column.type == "string":
        return normalized(text, normalizers)
    return _json_key(text) if column.type == "json" else convert(text, column.type)


def _json_key(text: str) -> str:
    """A key of a column of JSON: JSON as it is, any other text as a JSON string."""
    try:
        return dumps(loads(text.encode())).decode()
    except ValueError:
        return dumps(text).decode()


def typed_key(spec: RowsMerge, columns: list[Column], key: list[str]) -> list[Any]:
    """The key that a caller names, as its columns store it.

    Args:
        columns: those of the key, in order.
        key: their values as text.

    Raises:
        Invalid: there are more or fewer values than columns, or one is not of its column's type.
    """
    if len(key) != len(columns):
        names = ", ".join(column.name for column in columns)
        message = f"Give key once for each column of the key, in their order: {names}."
        raise Invalid(message, [{"pointer": "?key", "message": message}])
    normalizers = [spec.normalizers.get(name, []) for name in spec.key or []]
    try:
        return [_typed(one, text, how) for one, text, how in zip(columns, key, normalizers, strict=True)]
    except ValueError as error:
        raise Invalid(f"The key does not fit: {error}.", [{"pointer": "?key", "message": str(error)}]) from None
