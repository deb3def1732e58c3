"""Manual overrides, put over what the sources say: after every rule, before the result is reshaped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluice.domain.json_text import dumps
from sluice.domain.merge import RowsMerge
from sluice.domain.override import Override, fit_to_column
from sluice.domain.schema import Column, duckdb_type
from sluice.errors import Invalid
from sluice.lake.parquet import quoted
from sluice.merge.key_matching import typed_key
from sluice.merge.loading import load, replace_merged
from sluice.merge.notes import OverrideNote
from sluice.merge.provenance import in_merge, winner_column
from sluice.merge.rules import OVERRIDDEN

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def overridden(
    connection: DuckDBPyConnection, spec: RowsMerge, columns: list[Column], overrides: list[Override], scratch: Path
) -> list[OverrideNote]:
    """Put overrides into the engine's table `merged`.

    Returns:
        What could not be applied, by field.
    """
    by_name = {column.name: column for column in columns}
    key = [by_name[name] for name in spec.key or []]
    fields = [column.name for column in columns if column.name not in (spec.key or [])]
    notes = []
    for field in dict.fromkeys(one.field for one in overrides):
        mine = [one for one in overrides if one.field == field]
        name = spec.merged_name(field)
        if name not in fields:
            said = f"{len(mine)} overrides are of {field!r}, which is no merged field; remove them"
            notes.append(OverrideNote(refused=[said]))
            continue
        rows, refused = _rows(spec, key, by_name[name], mine)
        unmet = _apply(connection, key, by_name[name], in_merge(winner_column(fields.index(name))), rows, scratch)
        notes.append(OverrideNote(column=name, refused=refused, unmet=unmet))
    return notes


def _rows(
    spec: RowsMerge, key: list[Column], column: Column, overrides: list[Override]
) -> tuple[dict[tuple[str, ...], Override], list[str]]:
    """The overrides by their typed keys, as text; of two that normalizing makes one, the later one counts."""
    rows, refused = {}, []
    for one in sorted(overrides, key=lambda each: (each.created_at, each.key)):
        try:
            typed = typed_key(spec, key, one.key)
            fit_to_column(one.exact_value, column.type)
        except (Invalid, ValueError) as error:
            refused.append(f"the override of {one.field!r} for {one.key} does not fit any more: {error}")
            continue
        rows[tuple(str(_text(part)) for part in typed)] = one
    return rows, refused


def _apply(
    connection: DuckDBPyConnection,
    key: list[Column],
    column: Column,
    winner: str,
    rows: dict[tuple[str, ...], Override],
    scratch: Path,
) -> list[list[str]]:
    """Apply those of one field; the keys that meet no record."""
    names = [f"k{position}" for position in range(len(key))]
    records: list[dict[str, str | int | None]] = [
        {**dict(zip(names, typed, strict=True)), "made": _text(fit_to_column(one.exact_value, column.type))}
        for typed, one in rows.items()
    ]
    load(connection, "overrides", dict.fromkeys([*names, "made"], "VARCHAR"), records, scratch)
    same = " AND ".join(
        f"merged.{quoted(one.name)} = overrides.{name}::{duckdb_type(one.type)}"
        for one, name in zip(key, names, strict=True)
    )
    told = ", ".join(f"overrides.{name}" for name in names)
    unmet = connection.execute(f"SELECT {told} FROM overrides ANTI JOIN merged ON {same}").fetchall()
    name, met = quoted(column.name), "overrides.k0 IS NOT NULL"
    value = f"CASE WHEN {met} THEN overrides.made::{duckdb_type(column.type)} ELSE merged.{name} END AS {name}"
    who = f"(CASE WHEN {met} THEN {OVERRIDDEN} ELSE merged.{winner} END)::UTINYINT AS {winner}"
    replace_merged(connection, f"SELECT merged.* REPLACE ({value}, {who}) FROM merged LEFT JOIN overrides ON {same}")
    connection.execute("DROP TABLE overrides")
    return [list(found) for found in sorted(unmet)]


def _text(value: Any) -> str | None:
    """A converted value as text that the engine reads as the column's type."""
    return value if value is None or isinstance(value, str) else dumps(value).decode()
