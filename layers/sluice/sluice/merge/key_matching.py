"""Keys: how they are normalized for comparison, and how a key in a request is parsed."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluice.domain.json_text import canonical_key, dumps, loads
from sluice.domain.merge import Normalizer, RowsMerge
from sluice.domain.schema import Column, convert, duckdb_type
from sluice.errors import Invalid
from sluice.lake.equality import is_plain_json
from sluice.lake.parquet import as_type, literal, quoted
from sluice.merge.loading import BATCH, load
from sluice.merge.plan import Source

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# The ASCII characters that Python's `str.strip` removes; DuckDB's `trim` removes spaces only.
_ASCII_SPACE = "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f "


def normalize_text(text: str, normalizers: list[Normalizer]) -> str:
    """Normalize a text for comparison as a key: NFKC, then full case folding, then trimming.

    Args:
        text: a value of a key.
        normalizers: which of the three apply; their order in the list has no effect.
    """
    if "nfkc" in normalizers:
        text = unicodedata.normalize("NFKC", text)
    if "case_fold" in normalizers:
        text = text.casefold()
        # Case folding can undo NFKC, so it is applied again (Unicode's toNFKC_Casefold does the same).
        text = unicodedata.normalize("NFKC", text) if "nfkc" in normalizers else text
    return text.strip() if "trim" in normalizers else text


def normalize_keys(connection: DuckDBPyConnection, source: Source, spec: RowsMerge, scratch: Path) -> Source:
    """Rewrite a source's keys so that equal keys are equal texts: JSON in canonical form, texts normalized.

    The engine rewrites ASCII texts and plain JSON. Other keys are few and go through Python: DuckDB has no
    NFKC and no full case folding.

    Args:
        connection: the engine; tables of rewritten keys are created in it.
        source: the reshaped source.
        spec: the merge, with the key and its normalizers.
        scratch: a temporary file.
    """
    for name in spec.key or []:
        column = source.columns.get(name)
        if column is None:
            continue
        if column.type == "json":
            source = _with_key(connection, source, name, _CANONICAL, scratch)
        normalizers = spec.normalizers.get(name)
        if normalizers and column.type in ("string", "json"):
            source = _with_key(connection, source, name, _normalizer_rewriting(normalizers), scratch)
    return source


@dataclass(frozen=True)
class _Rewriting:
    """How the values of a key's column are rewritten.

    Args:
        kind: the resulting type.
        is_plain: gives the SQL condition that the engine can rewrite a cell.
        plain: gives the SQL that rewrites such a cell.
        other: rewrites any other value, in Python.
    """

    kind: str
    is_plain: Callable[[str], str]
    plain: Callable[[str], str]
    other: Callable[[str], str]


_CANONICAL = _Rewriting("json", is_plain_json, lambda cell: f"{cell}::VARCHAR", canonical_key)


def _normalizer_rewriting(normalizers: list[Normalizer]) -> _Rewriting:
    return _Rewriting(
        "string", _is_ascii, lambda cell: _ascii(cell, normalizers), lambda text: normalize_text(text, normalizers)
    )


def _with_key(
    connection: DuckDBPyConnection, source: Source, name: str, rewriting: _Rewriting, scratch: Path
) -> Source:
    column = source.columns[name]
    cell = as_type(quoted(name), column.type, rewriting.kind)
    # Unique per source and column, since neither a label nor a kind has a space.
    table = quoted(f"rewritten as {rewriting.kind} {source.label} {name}")
    _load_others(connection, source, cell, table, rewriting, scratch)
    others = [f"origin.{quoted(other)}" for other in source.columns if other != name]
    rewritten = f"CASE WHEN {rewriting.is_plain(cell)} THEN {rewriting.plain(cell)} ELSE {table}.__sluice_made END"
    selected = ", ".join([f"({rewritten})::{duckdb_type(rewriting.kind)} AS {quoted(name)}", *others, *source.carried])
    matches = f"{table}.__sluice_raw = {cell}::VARCHAR"
    rows = f"(SELECT {selected} FROM {source.rows} AS origin LEFT JOIN {table} ON {matches})"
    columns = {**source.columns, name: column.model_copy(update={"type": rewriting.kind})}
    return replace(source, columns=columns, prepared=rows)


def _is_ascii(cell: str) -> str:
    # `strlen` counts bytes and `length` characters.
    return f"strlen({cell}) = length({cell})"


def _ascii(cell: str, normalizers: list[Normalizer]) -> str:
    cell = f"lower({cell})" if "case_fold" in normalizers else cell
    return f"trim({cell}, {literal(_ASCII_SPACE)})" if "trim" in normalizers else cell


def _load_others(
    connection: DuckDBPyConnection, source: Source, cell: str, table: str, rewriting: _Rewriting, scratch: Path
) -> None:
    answer = connection.execute(
        f"SELECT DISTINCT {cell}::VARCHAR FROM {source.rows} WHERE NOT ({rewriting.is_plain(cell)})"
    )

    def rows() -> Iterator[dict[str, str | int | None]]:
        while batch := answer.fetchmany(BATCH):
            yield from ({"__sluice_raw": raw, "__sluice_made": rewriting.other(raw)} for (raw,) in batch)

    load(connection, table, {"__sluice_raw": "VARCHAR", "__sluice_made": "VARCHAR"}, rows(), scratch)


def _parse_value(column: Column, text: str, normalizers: list[Normalizer]) -> Any:
    if column.type == "string":
        return normalize_text(text, normalizers)
    return _json_key(text) if column.type == "json" else convert(text, column.type)


def _json_key(text: str) -> str:
    """Return the canonical form of a JSON key; text that is not JSON becomes a JSON string."""
    try:
        loads(text.encode())
    except ValueError:
        return dumps(text).decode()
    return canonical_key(text)


def parse_key(spec: RowsMerge, columns: list[Column], key: list[str]) -> list[Any]:
    """Parse a key of a request into the values that its columns store.

    Args:
        spec: the merge, with the normalizers of the key.
        columns: the key's columns, in order.
        key: their values as text.

    Returns:
        One value for each column.

    Raises:
        Invalid: there are more or fewer values than columns, or one is not of its column's type.
    """
    # A request repeats the parameter `key`, since any separator could be part of a value.
    if len(key) != len(columns):
        names = ", ".join(column.name for column in columns)
        message = f"Give key once for each column of the key, in their order: {names}."
        raise Invalid(message, [{"pointer": "?key", "message": message}])
    normalizers = [spec.normalizers.get(name, []) for name in spec.key or []]
    try:
        return [
            _parse_value(column, text, rules) for column, text, rules in zip(columns, key, normalizers, strict=True)
        ]
    except ValueError as error:
        raise Invalid(f"The key does not fit: {error}.", [{"pointer": "?key", "message": str(error)}]) from None
