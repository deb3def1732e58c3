"""Why a merged record is what it is: for each field the value, the rule, who has won and who has lost."""

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
from sluice.lake.parquet import engine, literal, placed_rows, shown_query
from sluice.lake.store import Lake
from sluice.merge.citations import Cited, Citer
from sluice.merge.key_matching import typed_key
from sluice.merge.lookup import found_record
from sluice.merge.provenance import row_column, winner_column
from sluice.merge.rules import EVERYBODY, NOBODY, OVERRIDDEN
from sluice.settings import Settings


@dataclass
class _Record:
    """The record that one source gave to the merge.

    Args:
        values: by the names that they have in the merge.
        lacking: the names of what it lacks.
        cited: where each value stands; of a computed one, the record.
    """

    rank: int
    taken: InputVersion
    values: dict[str, Any]
    lacking: set[str]
    cited: dict[str, Cited] = field(default_factory=dict)


class Explainer:
    """Explains the records of one version of a project that merges rows by a key.

    Raises:
        Conflict: the version keeps no provenance.
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
                f"Version {version.number} keeps no provenance: its rows have no key, it has no records, or it was "
                "made by an earlier release; give the merge a key and refresh the project."
            )
        spec = merge_of(self._manifest.spec["merge"])
        assert isinstance(spec, RowsMerge), "only rows have provenance"
        self._spec: RowsMerge = spec
        self._overrides = [Override.model_validate(one) for one in self._manifest.spec.get("overrides", [])]

    def explain(self, key: list[str]) -> dict[str, Any]:
        """The record of a key.

        Args:
            key: the values of the key's columns, in their order, as text.

        Raises:
            NotFound: the version has no such record.
            Invalid: the key has another number of columns, or a value is not of its column's type.
        """
        merged, at = found_record(self._lake, self._settings, self._version, self._manifest, self._spec, key)
        rows, winners = self._provenance(at)
        records = [self._record(rank, taken, place) for rank, taken, place in self._inputs(rows)]
        overrides = self._overrides_of(key)
        fields = {name: self._explained(name, value, records, winners, overrides) for name, value in merged.items()}
        told = [merged[name] for name in self._key]
        return {"key": told, "version": self._version.number, "fields": fields}

    @property
    def _key(self) -> list[str]:
        return self._manifest.key or list(self._spec.key or [])

    def _provenance(self, at: int) -> tuple[list[int | None], dict[str, int]]:
        """The place of each source's row, and the winner of each merged field."""
        stored, before = object_at(self._manifest.provenance, at)
        path = self._lake.local(stored.key, stored.sha256)
        with self._lake.scratch() as scratch, engine(self._settings, scratch.parent) as connection:
            told = connection.execute(
                f"SELECT * FROM read_parquet({literal(str(path))}, file_row_number = true) WHERE file_row_number = ?",
                [at - before],
            )
            about = dict(zip([one[0] for one in told.description or []], told.fetchone() or (), strict=True))
        fields = self._manifest.fields
        if fields is None:
            fields = [column.name for column in self._manifest.columns if column.name not in self._key]
        places = [about[row_column(rank)] for rank in range(sum(name.startswith("row_") for name in about))]
        return places, {name: about[winner_column(position)] for position, name in enumerate(fields)}

    def _inputs(self, rows: list[int | None]) -> list[tuple[int, InputVersion, int]]:
        """The inputs that have the record, with their rank and the place of their row."""
        having = [taken for taken in self._manifest.inputs if self._input(taken).schema_]
        return [(rank, taken, at) for rank, (taken, at) in enumerate(zip(having, rows, strict=True)) if at is not None]

    def _input(self, taken: InputVersion) -> Version:
        return self._datasets.any_version(DatasetId.of_datasource(taken.datasource), taken.version)

    def _record(self, rank: int, taken: InputVersion, at: int) -> _Record:
        version = self._input(taken)
        manifest = self._lake.manifest(version.manifest_key)
        stored, before = object_at(manifest.objects, at)
        files = self._lake.local_files([stored])
        lacks = any(column.missing for column in version.schema_)
        more = [*manifest.position, *(["_missing"] if lacks else [])]
        with self._lake.scratch() as scratch, engine(self._settings, scratch.parent) as connection:
            source = placed_rows(files, version.schema_, more, before)
            query = shown_query(f"SELECT * FROM {source} WHERE __sluice_at = ?", version.schema_, more)
            found = connection.execute(query, [at]).fetchone()
            assert found is not None, "a merge names rows that are there"
            reshape = self._spec.reshape_of(taken.datasource)
            computed = _computed(connection, source, version.schema_, reshape, at) if reshape.compute else {}
        values = json_row(version.schema_, found[: len(version.schema_)])
        position = dict(zip(more, found[len(version.schema_) :], strict=False))
        cited = self._citer.cited(manifest, version, position, list(values))
        names = reshape.rename
        # A column that is computed is there, whatever it takes the place of.
        lacking = {names.get(name, name) for name in position.get("_missing") or []} - set(computed)
        record = _Record(rank, taken, {names.get(name, name): value for name, value in values.items()}, lacking)
        record.cited = {names.get(name, name): cite for name, cite in cited.items()}
        for name, value in computed.items():
            record.values[name] = value
            record.cited[name] = self._citer.whole_record(cited, reshape.compute[name])
        return record

    def _overrides_of(self, key: list[str]) -> dict[str, Override]:
        """The overrides that stand in the record, by field; of two that normalizing makes one, the later one."""
        mine = self._typed(key)
        ordered = sorted(self._overrides, key=lambda one: (one.created_at, one.key))
        return {one.field: one for one in ordered if self._typed(one.key) == mine}

    def _typed(self, key: Sequence[str]) -> list[Any] | None:
        columns = {column.name: column for column in self._manifest.columns}
        try:
            return typed_key(self._spec, [columns[name] for name in self._key], list(key))
        except Invalid:  # it did not fit when it was merged, either
            return None

    def _explained(
        self, final: str, value: Any, records: list[_Record], winners: dict[str, int], overrides: dict[str, Override]
    ) -> dict[str, Any]:
        """One field, by the name that it has in the data."""
        result = self._spec.result
        if final in result.compute:
            return self._computed_field(value, result, final, records, winners)
        name = {new: old for old, new in result.rename.items()}.get(final, final)
        if name in (self._spec.key or []):
            return {
                "value": value,
                "rule": "key",
                "winners": [_source(one, name) for one in records],
                "losers": [],
                "expression": _normalizing(self._spec.normalizers.get(name, [])),
            }
        competing = [one for one in records if name in one.values and name not in one.lacking]
        winner = winners.get(name)
        won = [one for one in competing if _has_won(one, name, winner)]
        lost = [one for one in competing if one not in won]
        expressions = {one.cited[name]["expression"] for one in won} - {None}
        told = {
            "value": value,
            "rule": self._rule(name),
            "winners": [_source(one, name) for one in won],
            "losers": [_source(one, name) for one in lost],
            "expression": expressions.pop() if len(expressions) == 1 else None,
        }
        if final in result.cast:
            told["expression"] = f"CAST({told['expression'] or name} AS {result.cast[final]})"
        if winner == OVERRIDDEN and final in overrides:
            told |= {"rule": "override", "override": overrides[final].model_dump(mode="json", exclude={"field"})}
        return told

    def _rule(self, name: str) -> str:
        if isinstance(self._spec, JoinMerge):
            return self._spec.rule_of(name).rule
        return "source" if name == "_source" else "record"

    def _computed_field(
        self, value: Any, result: Reshape, final: str, records: list[_Record], winners: dict[str, int]
    ) -> dict[str, Any]:
        """A column made of merged ones: those who have won these have made it."""
        text = result.compute[final]
        back = {new.lower(): old for old, new in result.rename.items()}
        read = {back.get(name, name).lower() for name in parse_expression(text).columns}
        told = [
            _source(one, name)
            for one in records
            for name in one.values
            if name.lower() in read and name not in one.lacking
            if name in (self._spec.key or []) or _has_won(one, name, winners.get(name))
        ]
        return {"value": value, "rule": "compute", "winners": told, "losers": [], "expression": text}


def _computed(connection: Any, source: str, columns: list[Column], reshape: Reshape, at: int) -> dict[str, Any]:
    """What a source's expressions made of a row."""
    from sluice.merge.reshape import reshaped

    query, made = reshaped(
        connection, source, columns, reshape.model_copy(update={"where": None}), ["__sluice_at"], "sources"
    )
    shown = shown_query(f"SELECT * FROM ({query}) WHERE __sluice_at = ?", made)
    values = json_row(made, connection.execute(shown, [at]).fetchone())
    return {name: values[name] for name in reshape.compute}


def _has_won(record: _Record, name: str, winner: int | None) -> bool:
    if winner == EVERYBODY:
        return record.values[name] is not None
    return winner not in (NOBODY, OVERRIDDEN) and record.rank == winner


def _normalizing(normalizers: list[Normalizer]) -> str | None:
    return ", ".join(normalizers) or None


def _source(record: _Record, name: str) -> Cited:
    """What one source says, and where it says it."""
    return {
        "value": record.values[name],
        "datasource": record.taken.datasource,
        "version": record.taken.version,
        **record.cited[name],
    }
