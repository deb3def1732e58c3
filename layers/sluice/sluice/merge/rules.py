"""The rules that choose each field of a merged record: its value, and who has won, as SQL."""

from __future__ import annotations

from dataclasses import dataclass

from sluice.domain.json_text import dumps
from sluice.domain.merge import FieldRule
from sluice.domain.schema import Column, are_numbers, column_type, duckdb_type, scale_of
from sluice.lake.parquet import as_type, finite, json_cell, literal, quoted
from sluice.merge.plan import Source

# What stands in provenance where no single source has won.
NOBODY, EVERYBODY, OVERRIDDEN = 255, 254, 253
MOST_SOURCES = 250


@dataclass(frozen=True)
class Competitor:
    """A source that has the field's column.

    Args:
        rank: its place among all sources, the best one's is 0.
        cell: its value, as the merged column's type unless that holds something else; null where it has none.
        competes: the SQL condition that it has the record, and the record the field.
        stored: its value as the source has it.
        column: the source's column.
    """

    rank: int
    source: Source
    cell: str
    competes: str
    stored: str
    column: Column


@dataclass(frozen=True)
class Chosen:
    """A field's value, and the rank of the source that it is of."""

    value: str
    winner: str


def competitors(rule: FieldRule, column: Column, sources: list[Source]) -> list[Competitor]:
    """The sources that have a column of this name, best ranked first."""
    as_it_is = rule.rule in ("count", "union", "all")
    found = []
    for rank, source in enumerate(sources):
        if column.name not in source.columns:
            continue
        label = quoted(source.label)
        competes = has_record(source)
        if source.columns[column.name].missing:
            stored = literal(source.stored_name(column.name) or column.name)
            competes += f" AND NOT coalesce(list_contains({label}._missing, {stored}), false)"
        stored, have = f"{label}.{quoted(column.name)}", source.columns[column.name]
        cell = stored if as_it_is else as_type(stored, have.type, column.type)
        found.append(Competitor(rank, source, cell, competes, stored, have))
    return found


def chosen(rule: FieldRule, column: Column, found: list[Competitor]) -> Chosen:
    """The SQL of a field's value and winner."""
    match rule.rule:
        case "priority":
            return _first([(one.competes, one) for one in found])
        case "first_non_null":
            return _first([(f"{one.cell} IS NOT NULL", one) for one in found])
        case "newest" | "oldest":
            return _timed(rule, found)
        case "longest":
            return _extreme("greatest", {one.rank: f"length({one.cell}::VARCHAR)" for one in found}, found)
        case "majority":
            return _side_by_side(found) if column.type == "json" else _majority(found, _measures(column, found))
        case "min":
            return _extreme("least", _measures(column, found), found)
        case "max":
            return _extreme("greatest", _measures(column, found), found)
        case "constant":
            value = "NULL" if rule.value is None else f"{literal(_text(rule.value))}::{duckdb_type(column.type)}"
            return Chosen(value, str(NOBODY))
        case _:
            return _together(rule, column, found)


def whole_record(name: str, column: Column, sources: list[Source]) -> Chosen:
    """A field of the best ranked source that has the record, even if the record lacks the field."""
    cases = []
    for rank, source in enumerate(sources):
        stored, have = f"NULL::{duckdb_type(column.type)}", column
        if name in source.columns:
            stored, have = f"{quoted(source.label)}.{quoted(name)}", source.columns[name]
        cell, has = as_type(stored, have.type, column.type), has_record(source)
        cases.append((has, Competitor(rank, source, cell, has, stored, have)))
    return _first(cases)


def has_record(source: Source) -> str:
    """The SQL condition that a source has the record."""
    return f"{quoted(source.label)}.__sluice_at IS NOT NULL"


def _text(value: str | int | float | bool) -> str:
    return value if isinstance(value, str) else dumps(value).decode()


def _first(cases: list[tuple[str, Competitor]]) -> Chosen:
    """The first one whose condition holds."""
    values = " ".join(f"WHEN {condition} THEN {one.cell}" for condition, one in cases)
    ranks = " ".join(f"WHEN {condition} THEN {one.rank}" for condition, one in cases)
    return Chosen(f"CASE {values} END", f"CASE {ranks} ELSE {NOBODY} END")


def _extreme(function: str, measures: dict[int, str], found: list[Competitor]) -> Chosen:
    """The one whose measure is greatest or least, the best ranked of equal ones; null measures do not compete."""
    best = f"{function}({', '.join(measures.values())})"
    return _first([(f"{measures[one.rank]} = {best}", one) for one in found])


def _measures(column: Column, found: list[Competitor]) -> dict[int, str]:
    """What values are compared by: numbers by their value, even where they are merged as text."""
    numbers = column.type == "string" and are_numbers([one.column for one in found])
    return {one.rank: _exact_number(one.stored, one.column) if numbers else one.cell for one in found}


def _exact_number(cell: str, column: Column) -> str:
    """The SQL of what numbers of all types are compared by: the nearest double, and what is left."""
    if column.guessed:
        return "NULL::STRUCT(near DOUBLE, rest DOUBLE)"
    near = f"{cell}::DOUBLE" if column.type in ("double", "bigint") else f"{cell}::VARCHAR::DOUBLE"
    if column.type == "double":
        rest = "0::DOUBLE"
    else:
        wide = f"DECIMAL(38,{scale_of(column.type)})"
        rest = f"coalesce(({cell}::{wide} - try_cast({near}::VARCHAR AS {wide}))::DOUBLE, 0)"
    return f"CASE WHEN {cell} IS NOT NULL THEN {{'near': {near}, 'rest': {rest}}} END"


def _majority(found: list[Competitor], measures: dict[int, str]) -> Chosen:
    """The one that most say, the best ranked of equal ones; its SQL does not grow faster than the sources."""
    cells = f"[{', '.join(one.cell for one in found)}]"
    compared = f"[{', '.join(measures.values())}]"
    same = f"len(list_filter({compared}, lambda __sluice_other: __sluice_other = __sluice_one))"
    votes = f"list_transform({compared}, lambda __sluice_one: {same})"
    place = f"list_position({votes}, list_max({votes}))"
    some = " OR ".join(f"{one.cell} IS NOT NULL" for one in found)
    ranks = f"[{', '.join(str(one.rank) for one in found)}]"
    return Chosen(
        f"CASE WHEN {some} THEN {cells}[{place}] END", f"CASE WHEN {some} THEN {ranks}[{place}] ELSE {NOBODY} END"
    )


def _side_by_side(found: list[Competitor]) -> Chosen:
    """The texts with their ranks, of which `merge.lists` chooses: equal JSON may be written in many ways."""
    some = " OR ".join(f"{one.cell} IS NOT NULL" for one in found)
    pairs = ", ".join(f"{{'rank': {one.rank}, 'text': {one.cell}::VARCHAR}}" for one in found)
    return Chosen(f"CASE WHEN {some} THEN to_json([{pairs}]) END", str(NOBODY))


def _timed(rule: FieldRule, found: list[Competitor]) -> Chosen:
    """The one whose `by` is greatest or least; where none has any, the first that is not null."""
    assert rule.by is not None
    # A column of nulls only says nothing, not even of which type it is.
    dated = [one for one in found if rule.by in one.source.columns and not one.source.columns[rule.by].guessed]
    fallback = [(f"{one.cell} IS NOT NULL", one) for one in found]
    if not dated:
        return _first(fallback)
    kind = _moment_type([one.source.columns[rule.by] for one in dated])
    moments = {one.rank: f"CASE WHEN {one.cell} IS NOT NULL THEN {_moment(rule, one, kind)} END" for one in dated}
    best = f"{'greatest' if rule.rule == 'newest' else 'least'}({', '.join(moments.values())})"
    return _first([*((f"{moments[one.rank]} = {best}", one) for one in dated), *fallback])


_NUMBER = "number"


def _moment_type(columns: list[Column]) -> str:
    """What `by` is compared as: times as times, even where one datasource has them as text."""
    types = [column.type for column in columns]
    if "timestamp" in types or "date" in types:
        return "timestamp"
    kind = column_type(columns)
    return _NUMBER if kind == "string" and are_numbers(columns) else kind


def _moment(rule: FieldRule, one: Competitor, kind: str) -> str:
    """The SQL of what one source's `by` is compared by; null where it is of another kind."""
    assert rule.by is not None
    cell, have = f"{quoted(one.source.label)}.{quoted(rule.by)}", one.source.columns[rule.by].type
    if kind == "timestamp":
        return "NULL::TIMESTAMP" if have == "boolean" else f"TRY({as_type(cell, have, kind)})"
    if kind == _NUMBER:
        return _exact_number(cell, one.source.columns[rule.by])
    if kind != "string":
        return f"try_cast({cell} AS {duckdb_type(kind)})"
    # Texts that are times are compared as times, and are newer or older than any that are none.
    text, never = as_type(cell, have, "string"), "-infinity" if rule.rule == "newest" else "infinity"
    time = f"try_cast({text} AS TIMESTAMPTZ)"
    return (
        f"CASE WHEN {text} IS NULL THEN NULL "
        f"WHEN isfinite({time}) THEN {{'time': {time}::TIMESTAMP, 'text': ''}} "
        f"ELSE {{'time': TIMESTAMP '{never}', 'text': {text}}} END"
    )


def _together(rule: FieldRule, column: Column, found: list[Competitor]) -> Chosen:
    """A value made of all that are not null; numbers are added in the order of the ranks."""
    some = " OR ".join(f"{one.cell} IS NOT NULL" for one in found)
    winner = f"CASE WHEN {some} THEN {EVERYBODY} ELSE {NOBODY} END"
    count = " + ".join(f"({one.cell} IS NOT NULL)::BIGINT" for one in found)
    if rule.rule == "count":
        # Each source's own values count, not as numbers.
        return Chosen(count, winner)
    if rule.rule == "sum" and column.type == "string":
        # Numbers that no type of numbers holds; `merge.lists` adds them.
        return Chosen(f"CASE WHEN {some} THEN to_json([{', '.join(one.cell for one in found)}])::VARCHAR END", winner)
    if rule.rule in ("sum", "mean"):
        wide = "HUGEINT" if column.type == "bigint" else duckdb_type(column.type)
        added = " + ".join(f"coalesce({one.cell}::{wide}, 0)" for one in found)
        value = f"({added})::{duckdb_type(column.type)}" if rule.rule == "sum" else f"({added})::DOUBLE / ({count})"
        value = finite(value) if column.type == "double" else value
        return Chosen(f"CASE WHEN {some} THEN {value} END", winner)
    cells = ", ".join(f"coalesce({json_cell(one.stored, one.column.type)}, 'null')" for one in found)
    # The values side by side, of which `merge.lists` makes one list: as text, since the engine would write
    # numbers within JSON anew.
    return Chosen(f"CASE WHEN {some} THEN '[' || concat_ws(',', {cells}) || ']' END", winner)
