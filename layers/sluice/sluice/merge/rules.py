"""The rules that choose the value of each merged field, and the source that it comes from, as SQL."""

from __future__ import annotations

from dataclasses import dataclass

from sluice.domain.json_text import dumps
from sluice.domain.merge import FieldRule
from sluice.domain.schema import Column, are_numbers, column_type, duckdb_type, scale_of
from sluice.lake.parquet import as_type, finite_or_null, json_cell, literal, quoted
from sluice.merge.plan import Source

# Winners in provenance where there is no single winning source. Winners are stored as UTINYINT, so ranks
# end at 249.
NOBODY, EVERYBODY, OVERRIDDEN = 255, 254, 253
MOST_SOURCES = 250


@dataclass(frozen=True)
class Competitor:
    """A source that has the field's column.

    Args:
        rank: the source's rank; the best ranked source has 0.
        source: the source.
        cell: the SQL of its value, cast to the merged column's type (not for the rules `count`, `union` and `all`);
            null if the source does not have the record.
        competes: the SQL condition that the source has the record and the record has the field.
        stored: the SQL of its value in the source's own type.
        column: the source's column.
    """

    rank: int
    source: Source
    cell: str
    competes: str
    stored: str
    column: Column


@dataclass(frozen=True)
class FieldSql:
    """The SQL of a field's value, and the SQL of the rank of the source that it comes from."""

    value: str
    winner: str


def competitors(rule: FieldRule, column: Column, sources: list[Source]) -> list[Competitor]:
    """Return the sources that have a column of this name.

    Args:
        rule: the field's rule.
        column: the merged column.
        sources: all sources that have columns, best ranked first.
    """
    unconverted = rule.rule in ("count", "union", "all")
    candidates = []
    for rank, source in enumerate(sources):
        if column.name not in source.columns:
            continue
        label = quoted(source.label)
        competes = has_record(source)
        # A record that lacks the field does not compete, but one that has null does: `priority` can choose null.
        if source.columns[column.name].missing:
            stored = literal(source.stored_name(column.name) or column.name)
            competes += f" AND NOT coalesce(list_contains({label}._missing, {stored}), false)"
        stored, source_column = f"{label}.{quoted(column.name)}", source.columns[column.name]
        cell = stored if unconverted else as_type(stored, source_column.type, column.type)
        candidates.append(Competitor(rank, source, cell, competes, stored, source_column))
    return candidates


def field_sql(rule: FieldRule, column: Column, candidates: list[Competitor]) -> FieldSql:
    """Return the SQL of a field's value and winner.

    Args:
        rule: the field's rule.
        column: the merged column.
        candidates: as from `competitors`, best ranked first.
    """
    match rule.rule:
        case "priority":
            return _first([(candidate.competes, candidate) for candidate in candidates])
        case "first_non_null":
            return _first([(f"{candidate.cell} IS NOT NULL", candidate) for candidate in candidates])
        case "newest" | "oldest":
            return _by_time(rule, candidates)
        case "longest":
            return _extreme(
                "greatest",
                {candidate.rank: f"length({candidate.cell}::VARCHAR)" for candidate in candidates},
                candidates,
            )
        case "majority":
            return (
                _side_by_side(candidates)
                if column.type == "json"
                else _majority(candidates, _measures(column, candidates))
            )
        case "min":
            return _extreme("least", _measures(column, candidates), candidates)
        case "max":
            return _extreme("greatest", _measures(column, candidates), candidates)
        case "constant":
            value = "NULL" if rule.value is None else f"{literal(_text(rule.value))}::{duckdb_type(column.type)}"
            return FieldSql(value, str(NOBODY))
        case _:
            return _combine(rule, column, candidates)


def best_record_sql(name: str, column: Column, sources: list[Source]) -> FieldSql:
    """Return the SQL of a field of the best ranked source that has the record, even if it lacks the field.

    Args:
        name: the column's name in the sources.
        column: the merged column.
        sources: all sources that have columns, best ranked first.
    """
    cases = []
    for rank, source in enumerate(sources):
        stored, source_column = f"NULL::{duckdb_type(column.type)}", column
        if name in source.columns:
            stored, source_column = f"{quoted(source.label)}.{quoted(name)}", source.columns[name]
        cell, has = as_type(stored, source_column.type, column.type), has_record(source)
        cases.append((has, Competitor(rank, source, cell, has, stored, source_column)))
    return _first(cases)


def has_record(source: Source) -> str:
    """Return the SQL condition that a source has the record."""
    return f"{quoted(source.label)}.__sluice_at IS NOT NULL"


def _text(value: str | int | float | bool) -> str:
    return value if isinstance(value, str) else dumps(value).decode()


def _first(cases: list[tuple[str, Competitor]]) -> FieldSql:
    """Choose the first candidate whose condition holds."""
    values = " ".join(f"WHEN {condition} THEN {candidate.cell}" for condition, candidate in cases)
    ranks = " ".join(f"WHEN {condition} THEN {candidate.rank}" for condition, candidate in cases)
    return FieldSql(f"CASE {values} END", f"CASE {ranks} ELSE {NOBODY} END")


def _extreme(function: str, measures: dict[int, str], candidates: list[Competitor]) -> FieldSql:
    """Choose the greatest or least measure, and of equal measures the best ranked source.

    DuckDB's `greatest` and `least` ignore nulls, so a null measure never wins.
    """
    best = f"{function}({', '.join(measures.values())})"
    return _first([(f"{measures[candidate.rank]} = {best}", candidate) for candidate in candidates])


def _measures(column: Column, candidates: list[Competitor]) -> dict[int, str]:
    """Return the SQL by which values are compared, by rank; numbers that are merged as text compare as numbers."""
    numbers = column.type == "string" and are_numbers([candidate.column for candidate in candidates])
    return {
        candidate.rank: _exact_number(candidate.stored, candidate.column) if numbers else candidate.cell
        for candidate in candidates
    }


def _exact_number(cell: str, column: Column) -> str:
    """Return the SQL of a struct by which numbers of all types compare exactly.

    No type of DuckDB holds both a double and a DECIMAL(38, s). The struct has the nearest double and the
    difference to it; structs compare field by field.
    """
    if column.guessed:
        return "NULL::STRUCT(near DOUBLE, rest DOUBLE)"
    near = f"{cell}::DOUBLE" if column.type in ("double", "bigint") else f"{cell}::VARCHAR::DOUBLE"
    if column.type == "double":
        rest = "0::DOUBLE"
    else:
        wide = f"DECIMAL(38,{scale_of(column.type)})"
        rest = f"coalesce(({cell}::{wide} - try_cast({near}::VARCHAR AS {wide}))::DOUBLE, 0)"
    return f"CASE WHEN {cell} IS NOT NULL THEN {{'near': {near}, 'rest': {rest}}} END"


def _majority(candidates: list[Competitor], measures: dict[int, str]) -> FieldSql:
    """Choose the most frequent value, and of equally frequent ones the best ranked.

    The SQL counts by lambdas over lists, so its length is linear in the number of sources. Written out as
    comparisons it would grow with the cube.
    """
    cells = f"[{', '.join(candidate.cell for candidate in candidates)}]"
    compared = f"[{', '.join(measures.values())}]"
    same = f"len(list_filter({compared}, lambda __sluice_other: __sluice_other = __sluice_one))"
    votes = f"list_transform({compared}, lambda __sluice_one: {same})"
    place = f"list_position({votes}, list_max({votes}))"
    some = " OR ".join(f"{candidate.cell} IS NOT NULL" for candidate in candidates)
    ranks = f"[{', '.join(str(candidate.rank) for candidate in candidates)}]"
    return FieldSql(
        f"CASE WHEN {some} THEN {cells}[{place}] END", f"CASE WHEN {some} THEN {ranks}[{place}] ELSE {NOBODY} END"
    )


def _side_by_side(candidates: list[Competitor]) -> FieldSql:
    """Collect the texts with their ranks; `merge.lists` chooses, since equal JSON can be written in many ways."""
    some = " OR ".join(f"{candidate.cell} IS NOT NULL" for candidate in candidates)
    pairs = ", ".join(f"{{'rank': {candidate.rank}, 'text': {candidate.cell}::VARCHAR}}" for candidate in candidates)
    return FieldSql(f"CASE WHEN {some} THEN to_json([{pairs}]) END", str(NOBODY))


def _by_time(rule: FieldRule, candidates: list[Competitor]) -> FieldSql:
    """Choose the greatest or least `by`; if no source has one, the first value that is not null."""
    assert rule.by is not None
    # The type of a column that has only nulls is guessed, so it must not decide how `by` is compared.
    dated = [
        candidate
        for candidate in candidates
        if rule.by in candidate.source.columns and not candidate.source.columns[rule.by].guessed
    ]
    fallback = [(f"{candidate.cell} IS NOT NULL", candidate) for candidate in candidates]
    if not dated:
        return _first(fallback)
    type_ = _moment_type([candidate.source.columns[rule.by] for candidate in dated])
    moments = {
        candidate.rank: f"CASE WHEN {candidate.cell} IS NOT NULL THEN {_moment(rule, candidate, type_)} END"
        for candidate in dated
    }
    best = f"{'greatest' if rule.rule == 'newest' else 'least'}({', '.join(moments.values())})"
    return _first([*((f"{moments[candidate.rank]} = {best}", candidate) for candidate in dated), *fallback])


_NUMBER = "number"


def _moment_type(columns: list[Column]) -> str:
    """Return the type in which `by` is compared: timestamp if any source has dates or times; others may have text."""
    types = [column.type for column in columns]
    if "timestamp" in types or "date" in types:
        return "timestamp"
    type_ = column_type(columns)
    return _NUMBER if type_ == "string" and are_numbers(columns) else type_


def _moment(rule: FieldRule, candidate: Competitor, type_: str) -> str:
    """Return the SQL of one source's `by` as the common type; null if it cannot be converted."""
    assert rule.by is not None
    cell, by_type = f"{quoted(candidate.source.label)}.{quoted(rule.by)}", candidate.source.columns[rule.by].type
    if type_ == "timestamp":
        return "NULL::TIMESTAMP" if by_type == "boolean" else f"TRY({as_type(cell, by_type, type_)})"
    if type_ == _NUMBER:
        return _exact_number(cell, candidate.source.columns[rule.by])
    if type_ != "string":
        return f"try_cast({cell} AS {duckdb_type(type_)})"
    # Texts that parse as times compare as times. Other texts sort before (newest) or after (oldest) all times,
    # so that they win only if no source has a time.
    text, never = as_type(cell, by_type, "string"), "-infinity" if rule.rule == "newest" else "infinity"
    time = f"try_cast({text} AS TIMESTAMPTZ)"
    return (
        f"CASE WHEN {text} IS NULL THEN NULL "
        f"WHEN isfinite({time}) THEN {{'time': {time}::TIMESTAMP, 'text': ''}} "
        f"ELSE {{'time': TIMESTAMP '{never}', 'text': {text}}} END"
    )


def _combine(rule: FieldRule, column: Column, candidates: list[Competitor]) -> FieldSql:
    """Combine all values that are not null; numbers are added by rank, since sums of doubles depend on the order."""
    some = " OR ".join(f"{candidate.cell} IS NOT NULL" for candidate in candidates)
    winner = f"CASE WHEN {some} THEN {EVERYBODY} ELSE {NOBODY} END"
    count = " + ".join(f"({candidate.cell} IS NOT NULL)::BIGINT" for candidate in candidates)
    if rule.rule == "count":
        # `cell` is not cast here: a value that the merged type cannot hold counts, too.
        return FieldSql(count, winner)
    if rule.rule == "sum" and column.type == "string":
        # No numeric type of the engine holds these numbers, so `merge.lists` adds them in Python.
        return FieldSql(
            f"CASE WHEN {some} THEN to_json([{', '.join(candidate.cell for candidate in candidates)}])::VARCHAR END",
            winner,
        )
    if rule.rule in ("sum", "mean"):
        wide = "HUGEINT" if column.type == "bigint" else duckdb_type(column.type)
        total = " + ".join(f"coalesce({candidate.cell}::{wide}, 0)" for candidate in candidates)
        value = f"({total})::{duckdb_type(column.type)}" if rule.rule == "sum" else f"({total})::DOUBLE / ({count})"
        value = finite_or_null(value) if column.type == "double" else value
        return FieldSql(f"CASE WHEN {some} THEN {value} END", winner)
    cells = ", ".join(
        f"coalesce({json_cell(candidate.stored, candidate.column.type)}, 'null')" for candidate in candidates
    )
    # `merge.lists` makes one list of these values. They are concatenated as text, since the engine's JSON
    # functions would rewrite numbers, such as 1.50 as 1.5.
    return FieldSql(f"CASE WHEN {some} THEN '[' || concat_ws(',', {cells}) || ']' END", winner)
