"""Manual overrides: they replace merged values after the rules and before the result is reshaped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluice.domain.json_text import dumps
from sluice.domain.merge import RowsMerge
from sluice.domain.override import Override, fit_to_column
from sluice.domain.schema import Column, duckdb_type
from sluice.errors import Invalid
from sluice.lake.parquet import quoted
from sluice.merge.key_matching import parse_key
from sluice.merge.loading import load, replace_merged
from sluice.merge.notes import OverrideNote
from sluice.merge.provenance import in_merge, winner_column
from sluice.merge.rules import OVERRIDDEN

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def apply_overrides(
    connection: DuckDBPyConnection, spec: RowsMerge, columns: list[Column], overrides: list[Override], scratch: Path
) -> list[OverrideNote]:
    """Apply overrides to the engine's table `merged`.

    Args:
        connection: the engine.
        spec: the merge, with the key and its normalizers.
        columns: the merged columns.
        overrides: the overrides of all fields.
        scratch: a temporary file.

    Returns:
        One note for each field with overrides, with those that could not be applied.
    """
    by_name = {column.name: column for column in columns}
    key = [by_name[name] for name in spec.key or []]
    fields = [column.name for column in columns if column.name not in (spec.key or [])]
    notes = []
    for field in dict.fromkeys(override.field for override in overrides):
        of_field = [override for override in overrides if override.field == field]
        name = spec.merged_name(field)
        if name not in fields:
            message = f"{len(of_field)} overrides are for {field!r}, which is not a merged field; remove them"
            notes.append(OverrideNote(refused=[message]))
            continue
        rows, refused = _rows(spec, key, by_name[name], of_field)
        unmet = _apply(connection, key, by_name[name], in_merge(winner_column(fields.index(name))), rows, scratch)
        notes.append(OverrideNote(column=name, refused=refused, unmet=unmet))
    return notes


def _rows(
    spec: RowsMerge, key: list[Column], column: Column, overrides: list[Override]
) -> tuple[dict[tuple[str, ...], Override], list[str]]:
    """Return the overrides by key (as text), and messages about those that do not fit.

    Two keys can be equal after normalization; then the later override is used.
    """
    rows, refused = {}, []
    for override in sorted(overrides, key=lambda override: (override.created_at, override.key)):
        try:
            values = parse_key(spec, key, override.key)
            fit_to_column(override.exact_value, column.type)
        except (Invalid, ValueError) as error:
            refused.append(f"the override of {override.field!r} for {override.key} no longer fits: {error}")
            continue
        rows[tuple(str(_text(part)) for part in values)] = override
    return rows, refused


def _apply(
    connection: DuckDBPyConnection,
    key: list[Column],
    column: Column,
    winner: str,
    rows: dict[tuple[str, ...], Override],
    scratch: Path,
) -> list[list[str]]:
    """Apply the overrides of one field; return the keys that no record has."""
    names = [f"k{position}" for position in range(len(key))]
    records: list[dict[str, str | int | None]] = [
        {**dict(zip(names, values, strict=True)), "value": _text(fit_to_column(override.exact_value, column.type))}
        for values, override in rows.items()
    ]
    load(connection, "overrides", dict.fromkeys([*names, "value"], "VARCHAR"), records, scratch)
    condition = " AND ".join(
        f"merged.{quoted(key_column.name)} = overrides.{name}::{duckdb_type(key_column.type)}"
        for key_column, name in zip(key, names, strict=True)
    )
    key_names = ", ".join(f"overrides.{name}" for name in names)
    unmet = connection.execute(f"SELECT {key_names} FROM overrides ANTI JOIN merged ON {condition}").fetchall()
    name, met = quoted(column.name), "overrides.k0 IS NOT NULL"
    value = f"CASE WHEN {met} THEN overrides.value::{duckdb_type(column.type)} ELSE merged.{name} END AS {name}"
    winner_sql = f"(CASE WHEN {met} THEN {OVERRIDDEN} ELSE merged.{winner} END)::UTINYINT AS {winner}"
    replace_merged(
        connection, f"SELECT merged.* REPLACE ({value}, {winner_sql}) FROM merged LEFT JOIN overrides ON {condition}"
    )
    connection.execute("DROP TABLE overrides")
    return [list(unmet_key) for unmet_key in sorted(unmet)]


def _text(value: Any) -> str | None:
    """Return a converted value as text that the engine can cast to the column's type."""
    return value if value is None or isinstance(value, str) else dumps(value).decode()
