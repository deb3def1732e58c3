"""Why a merged record is what it is: for each field the value, the rule, who has won and who has lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sluice.catalog.datasets import Datasets
from sluice.domain.dataset import InputVersion, Manifest, Version
from sluice.domain.datasource import Datasource
from sluice.domain.project import FieldRule, JoinMerge
from sluice.domain.run import PageReceipt
from sluice.domain.schema import Column, convert, duckdb_type
from sluice.errors import Conflict, Invalid, NotFound
from sluice.formats.limits import Limits
from sluice.formats.pointers import places
from sluice.lake.parquet import engine, literal, placed_rows, quoted
from sluice.lake.rows import json_row
from sluice.lake.store import Lake
from sluice.merge.provenance import row_column, winner_column
from sluice.merge.rules import EVERYBODY, NOBODY
from sluice.settings import Settings

Cited = dict[str, Any]


@dataclass
class _Record:
    """The record that one source gave to the merge."""

    rank: int
    taken: InputVersion
    values: dict[str, Any]
    columns: dict[str, Column]
    lacking: list[str]
    cited: dict[str, Cited] = field(default_factory=dict)


class Explainer:
    """Explains the records of one version of a project that merges by `join`.

    Args:
        receipt: gives the receipt of a page by its run and number.

    Raises:
        Conflict: the version keeps no provenance.
    """

    def __init__(
        self,
        version: Version,
        datasets: Datasets,
        lake: Lake,
        settings: Settings,
        receipt: Callable[[str, int], PageReceipt],
    ) -> None:
        self._version = version
        self._datasets = datasets
        self._lake = lake
        self._settings = settings
        self._receipt = receipt
        self._manifest = lake.manifest(version.manifest_key)
        if self._manifest.provenance is None:
            raise Conflict(
                f"Version {version.number} keeps no provenance: it was not merged by join, has no records, or was made "
                "by an earlier release; refresh the project."
            )
        self._spec = JoinMerge.model_validate(self._manifest.spec["merge"])

    def explain(self, key: list[str]) -> dict[str, Any]:
        """The record of a key.

        Args:
            key: the values of the key's columns, in their order, as text.

        Raises:
            NotFound: the version has no such record.
            Invalid: the key has another number of columns, or a value is not of its column's type.
        """
        columns = {column.name: column for column in self._manifest.columns}
        values = _typed_key([columns[name] for name in self._spec.key], key)
        merged, rows, winners = self._found(values)
        records = [self._record(rank, taken, at) for rank, taken, at in self._inputs(rows)]
        names = [column.name for column in self._manifest.columns]
        fields = {name: self._explained(name, merged[name], records, winners.get(name)) for name in names}
        return {"key": [merged[name] for name in self._spec.key], "version": self._version.number, "fields": fields}

    def _found(self, key: list[Any]) -> tuple[dict[str, Any], list[int | None], dict[str, int]]:
        """The merged record, the place of each source's row, and the winner of each field."""
        columns = self._manifest.columns
        data = self._lake.local_files(self._manifest.objects)
        assert self._manifest.provenance is not None
        provenance = self._lake.local(self._manifest.provenance.key, self._manifest.provenance.sha256)
        types = {column.name: duckdb_type(column.type) for column in columns}
        where = " AND ".join(f"{quoted(name)} = ?::{types[name]}" for name in self._spec.key)
        with self._lake.scratch() as scratch, engine(self._settings, scratch.parent) as connection:
            names = ", ".join(quoted(column.name) for column in columns)
            rows = placed_rows(data, columns, [])
            found = connection.execute(f"SELECT {names}, _at FROM {rows} WHERE {where}", key).fetchone()
            if found is None:
                raise NotFound(f"Version {self._version.number} has no record of the key {', '.join(map(str, key))}.")
            told = connection.execute(
                f"SELECT * FROM read_parquet({literal(str(provenance))}, file_row_number = true) "
                "WHERE file_row_number = ?",
                [found[-1]],
            )
            about = dict(zip([one[0] for one in told.description or []], told.fetchone() or (), strict=True))
        fields = [column.name for column in columns if column.name not in self._spec.key]
        places_ = [about[row_column(rank)] for rank in range(sum(name.startswith("row_") for name in about))]
        winners = {name: about[winner_column(position)] for position, name in enumerate(fields)}
        return json_row(columns, found[:-1]), places_, winners

    def _inputs(self, rows: list[int | None]) -> list[tuple[int, InputVersion, int]]:
        """The inputs that have the record, with their rank and the place of their row."""
        having = [taken for taken in self._manifest.inputs if self._input(taken).schema_]
        return [(rank, taken, at) for rank, (taken, at) in enumerate(zip(having, rows, strict=True)) if at is not None]

    def _input(self, taken: InputVersion) -> Version:
        return self._datasets.any_version(f"datasource/{taken.datasource}", taken.version)

    def _record(self, rank: int, taken: InputVersion, at: int) -> _Record:
        version = self._input(taken)
        manifest = self._lake.manifest(version.manifest_key)
        files = self._lake.local_files(manifest.objects)
        lacks = any(column.missing for column in version.schema_)
        more = [*manifest.position, *(["_missing"] if lacks else [])]
        names = ", ".join([*(quoted(column.name) for column in version.schema_), *more])
        with self._lake.scratch() as scratch, engine(self._settings, scratch.parent) as connection:
            source = placed_rows(files, version.schema_, more)
            found = connection.execute(f"SELECT {names} FROM {source} WHERE _at = ?", [at]).fetchone()
        assert found is not None, "a merge names rows that are there"
        values = json_row(version.schema_, found[: len(version.schema_)])
        position = dict(zip(more, found[len(version.schema_) :], strict=True))
        columns = {column.name: column for column in version.schema_}
        record = _Record(rank, taken, values, columns, position.get("_missing") or [])
        record.cited = self._cited(manifest, version, position, list(columns))
        return record

    def _cited(
        self, manifest: Manifest, version: Version, position: dict[str, Any], columns: list[str]
    ) -> dict[str, Cited]:
        """Where in which page each value of a record stands."""
        run = position.get("_run") or version.run
        receipt = self._receipt(run, position["_page"])
        datasource = Datasource.model_validate(manifest.spec["datasource"])
        with self._lake.raw(receipt.hash or "") as content:
            found = places(datasource, receipt, content, Limits.of(self._settings), position["_row"], columns)
        page = {"hash": receipt.hash, "url": receipt.url, "number": receipt.number, "run": run}
        return {
            name: {"page": page, "pointer": place.pointer, "exact": place.exact, "expression": place.expression}
            for name, place in found.items()
        }

    def _explained(self, name: str, value: Any, records: list[_Record], winner: int | None) -> dict[str, Any]:
        rule = self._spec.fields.get(name, FieldRule(rule=self._spec.default_rule))
        if name in self._spec.key:
            cited = [_source(record, name) for record in records]
            return {"value": value, "rule": "key", "winners": cited, "losers": [], "expression": None}
        competing = [record for record in records if name in record.columns and name not in record.lacking]
        won = [record for record in competing if _has_won(record, name, winner)]
        lost = [record for record in competing if record not in won]
        expressions = {record.cited[name]["expression"] for record in won} - {None}
        return {
            "value": value,
            "rule": rule.rule,
            "winners": [_source(record, name) for record in won],
            "losers": [_source(record, name) for record in lost],
            "expression": expressions.pop() if len(expressions) == 1 else None,
        }


def _has_won(record: _Record, name: str, winner: int | None) -> bool:
    if winner == EVERYBODY:
        return record.values[name] is not None
    return winner != NOBODY and record.rank == winner


def _source(record: _Record, name: str) -> Cited:
    """What one source says, and where it says it."""
    return {
        "value": record.values[name],
        "datasource": record.taken.datasource,
        "version": record.taken.version,
        **record.cited[name],
    }


def _typed_key(columns: list[Column], key: list[str]) -> list[Any]:
    if len(key) != len(columns):
        names = ", ".join(column.name for column in columns)
        message = f"Give key once for each column of the key, in their order: {names}."
        raise Invalid(message, [{"pointer": "?key", "message": message}])
    try:
        return [
            text if one.type == "string" else convert(text, one.type) for one, text in zip(columns, key, strict=True)
        ]
    except ValueError as error:
        raise Invalid(f"The key does not fit: {error}.", [{"pointer": "?key", "message": str(error)}]) from None
