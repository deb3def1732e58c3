"""Explain a merged record: for each field its value, the rule, and the sources that won and lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sluice.catalog.datasets import Datasets
from sluice.domain.dataset import InputVersion, Manifest, Version
from sluice.domain.dataset_id import DatasetId
from sluice.domain.merge import JoinMerge, Normalizer, Reshape, RowsMerge, merge_of
from sluice.domain.override import Override
from sluice.domain.schema import Column
from sluice.domain.sql_expression import parse_expression
from sluice.errors import Conflict, Invalid
from sluice.lake.json_values import json_row
from sluice.lake.ordered import object_at
from sluice.lake.parquet import display_query, engine, literal
from sluice.lake.store import Lake
from sluice.merge.citations import Cited, Citer
from sluice.merge.key_matching import parse_key
from sluice.merge.lookup import find_record
from sluice.merge.provenance import row_column, winner_column
from sluice.merge.rules import EVERYBODY, NOBODY, OVERRIDDEN
from sluice.merge.source_row import source_row
from sluice.settings import Settings


@dataclass
class _Record:
    """The record that one source contributed to the merge.

    Args:
        rank: the source's rank.
        input_version: the source's version.
        values: the values by the columns' names in the merge.
        lacking: the names of fields that the record lacks.
        cited: the citation of each value; for a computed value, that of the record.
    """

    rank: int
    input_version: InputVersion
    values: dict[str, Any]
    lacking: set[str]
    cited: dict[str, Cited] = field(default_factory=dict)


class Explainer:
    """Explains the records of one version of a project that merges rows by a key.

    Args:
        version: the merged version.
        datasets: the catalog of the input versions.
        lake: where data and provenance are read.
        settings: the engine's limits.
        citer: cites the sources' pages.

    Raises:
        Conflict: the version has no provenance.
    """

    def __init__(self, version: Version, datasets: Datasets, lake: Lake, settings: Settings, citer: Citer) -> None:
        self._version = version
        self._datasets = datasets
        self._lake = lake
        self._settings = settings
        self._citer = citer
        self._manifest: Manifest = lake.manifest(version.manifest_key)
        if not self._manifest.provenance:
            raise Conflict(
                f"Version {version.number} has no provenance: its rows have no key, it has no records, or an earlier "
                "release merged it. Give the merge a key and refresh the project."
            )
        spec = merge_of(self._manifest.spec["merge"])
        assert isinstance(spec, RowsMerge), "only rows have provenance"
        self._spec: RowsMerge = spec
        self._overrides = [Override.model_validate(override) for override in self._manifest.spec.get("overrides", [])]

    def explain(self, key: list[str]) -> dict[str, Any]:
        """Explain the record of a key.

        Args:
            key: the values of the key's columns, in order, as text.

        Returns:
            `{"key", "version", "fields"}`; `fields` has, for each field, `{"value", "rule", "winners", "losers",
            "expression"}`, and `override` if one applies.

        Raises:
            NotFound: the version has no such record.
            Invalid: the key has another number of values than columns, or a value does not fit its column.
        """
        merged, row = find_record(self._lake, self._settings, self._version, self._manifest, self._spec, key)
        source_rows, winners = self._provenance(row)
        records = [
            self._record(rank, input_version, source_row)
            for rank, input_version, source_row in self._inputs(source_rows)
        ]
        overrides = self._overrides_of(key)
        fields = {name: self._explain_field(name, value, records, winners, overrides) for name, value in merged.items()}
        key_values = [merged[name] for name in self._key]
        return {"key": key_values, "version": self._version.number, "fields": fields}

    def compared_key(self, key: list[str]) -> list[Any] | None:
        """A key as its columns store it, normalized; None if it does not fit them."""
        return self._parse_key(key)

    @property
    def _key(self) -> list[str]:
        return self._manifest.key or list(self._spec.key or [])

    def _provenance(self, row: int) -> tuple[list[int | None], dict[str, int]]:
        """Read the row number of each source, and the winner of each merged field, of a row of the version."""
        stored, before = object_at(self._manifest.provenance, row)
        path = self._lake.local(stored.key, stored.sha256)
        with self._lake.scratch() as scratch, engine(self._settings, scratch.parent) as connection:
            result = connection.execute(
                f"SELECT * FROM read_parquet({literal(str(path))}, file_row_number = true) WHERE file_row_number = ?",
                [row - before],
            )
            values = dict(zip([column[0] for column in result.description or []], result.fetchone() or (), strict=True))
        fields = self._manifest.fields
        if fields is None:  # earlier releases did not store them
            fields = [column.name for column in self._manifest.columns if column.name not in self._key]
        places = [values[row_column(rank)] for rank in range(sum(name.startswith("row_") for name in values))]
        return places, {name: values[winner_column(position)] for position, name in enumerate(fields)}

    def _inputs(self, rows: list[int | None]) -> list[tuple[int, InputVersion, int]]:
        """Return the inputs that have the record, each with its rank and row number.

        Inputs without columns took no part in the merge, so they have no rank.
        """
        with_columns = [input_version for input_version in self._manifest.inputs if self._input(input_version).schema_]
        return [
            (rank, input_version, source_row)
            for rank, (input_version, source_row) in enumerate(zip(with_columns, rows, strict=True))
            if source_row is not None
        ]

    def _input(self, input_version: InputVersion) -> Version:
        return self._datasets.any_version(DatasetId.of_datasource(input_version.datasource), input_version.version)

    def _record(self, rank: int, input_version: InputVersion, row: int) -> _Record:
        version = self._input(input_version)
        reshape = self._spec.reshape_of(input_version.datasource)
        with source_row(self._lake, self._settings, version, row) as found:
            columns = version.schema_
            computed = _compute(found.connection, found.source, columns, reshape, row) if reshape.compute else {}
        values = found.values
        cited = self._citer.cite_record(found.manifest, version, found.position, list(values))
        names = reshape.rename
        # A computed column is never missing, even if the record lacks the column that it replaces.
        lacking = {names.get(name, name) for name in found.lacking} - set(computed)
        record = _Record(rank, input_version, {names.get(name, name): value for name, value in values.items()}, lacking)
        record.cited = {names.get(name, name): citation for name, citation in cited.items()}
        for name, value in computed.items():
            record.values[name] = value
            record.cited[name] = self._citer.cite_computed(cited, reshape.compute[name])
        return record

    def _overrides_of(self, key: list[str]) -> dict[str, Override]:
        """Return the overrides of the record by field; of two with equal normalized keys, the later one."""
        parsed_key = self._parse_key(key)
        # In the order in which the merge applied them.
        ordered = sorted(self._overrides, key=lambda override: (override.created_at, override.key))
        return {override.field: override for override in ordered if self._parse_key(override.key) == parsed_key}

    def _parse_key(self, key: Sequence[str]) -> list[Any] | None:
        columns = {column.name: column for column in self._manifest.columns}
        try:
            return parse_key(self._spec, [columns[name] for name in self._key], list(key))
        except Invalid:  # the merge ignored this override for the same reason
            return None

    def _explain_field(
        self,
        field_name: str,
        value: Any,
        records: list[_Record],
        winners: dict[str, int],
        overrides: dict[str, Override],
    ) -> dict[str, Any]:
        """Explain one field, named as in the data: after the result was reshaped."""
        result = self._spec.result
        if field_name in result.compute:
            return self._computed_field(value, result, field_name, records, winners)
        name = {new: old for old, new in result.rename.items()}.get(field_name, field_name)
        if name in (self._spec.key or []):
            return {
                "value": value,
                "rule": "key",
                "winners": [_source(record, name) for record in records],
                "losers": [],
                "expression": _normalizer_expression(self._spec.normalizers.get(name, [])),
            }
        competing = [record for record in records if name in record.values and name not in record.lacking]
        winner = winners.get(name)
        won = [record for record in competing if _has_won(record, name, winner)]
        lost = [record for record in competing if record not in won]
        expressions = {record.cited[name]["expression"] for record in won} - {None}
        explanation = {
            "value": value,
            "rule": self._rule(name),
            "winners": [_source(record, name) for record in won],
            "losers": [_source(record, name) for record in lost],
            "expression": expressions.pop() if len(expressions) == 1 else None,
        }
        if field_name in result.cast:
            explanation["expression"] = f"CAST({explanation['expression'] or name} AS {result.cast[field_name]})"
        if winner == OVERRIDDEN and field_name in overrides:
            explanation |= {
                "rule": "override",
                "override": overrides[field_name].model_dump(mode="json", exclude={"field"}),
            }
        return explanation

    def _rule(self, name: str) -> str:
        if isinstance(self._spec, JoinMerge):
            return self._spec.rule_of(name).rule
        return "source" if name == "_source" else "record"

    def _computed_field(
        self, value: Any, result: Reshape, field_name: str, records: list[_Record], winners: dict[str, int]
    ) -> dict[str, Any]:
        """Explain a column computed from merged fields: its winners are those of the fields that it reads."""
        text = result.compute[field_name]
        merged_names = {new.lower(): old for old, new in result.rename.items()}
        operands = {merged_names.get(name, name).lower() for name in parse_expression(text).columns}
        winning_sources = [
            _source(record, name)
            for record in records
            for name in record.values
            if name.lower() in operands and name not in record.lacking
            if name in (self._spec.key or []) or _has_won(record, name, winners.get(name))
        ]
        return {"value": value, "rule": "compute", "winners": winning_sources, "losers": [], "expression": text}


def _compute(connection: Any, source: str, columns: list[Column], reshape: Reshape, row: int) -> dict[str, Any]:
    """Return the values that a source's expressions compute from one of its rows."""
    from sluice.merge.reshape import reshape_query

    query, reshaped_columns = reshape_query(
        connection, source, columns, reshape.model_copy(update={"where": None}), ["__sluice_at"], ("merge", "sources")
    )
    query_one = display_query(f"SELECT * FROM ({query}) WHERE __sluice_at = ?", reshaped_columns)
    values = json_row(reshaped_columns, connection.execute(query_one, [row]).fetchone())
    return {name: values[name] for name in reshape.compute}


def _has_won(record: _Record, name: str, winner: int | None) -> bool:
    if winner == EVERYBODY:
        return record.values[name] is not None
    return winner not in (NOBODY, OVERRIDDEN) and record.rank == winner


def _normalizer_expression(normalizers: list[Normalizer]) -> str | None:
    return ", ".join(normalizers) or None


def _source(record: _Record, name: str) -> Cited:
    """Return a source's value of a field, with its citation."""
    return {
        "value": record.values[name],
        "datasource": record.input_version.datasource,
        "version": record.input_version.version,
        **record.cited[name],
    }
