"""The results of runs of algorithms in the lake: a document, tables and files."""

from __future__ import annotations

import gzip
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import orjson

from sluice.algorithms.algorithm import Result, ResultTable
from sluice.domain.algorithm_run import AlgorithmRequest, StoredFile, StoredResult
from sluice.domain.dataset import Version
from sluice.domain.dataset_id import DatasetId
from sluice.domain.names import table_of_algorithm
from sluice.domain.run import Completeness, Run
from sluice.domain.schema import Column, duckdb_type
from sluice.domain.stale_input import StaleInput
from sluice.errors import AlgorithmFailed, NotFound
from sluice.lake import object_keys
from sluice.lake.gzipped import compress
from sluice.lake.parquet import copy_to, data_object, engine, literal, quoted
from sluice.lake.store import Lake
from sluice.services import WithLake, WithSettings
from sluice.settings import Settings
from sluice.versions.draft import draft_manifest


class Services(WithLake, WithSettings, Protocol):
    """What storing results needs."""


class ResultWriter:
    """Stores the result of one run.

    Args:
        services: the lake, and the engine's settings.
        run: the run.
        completeness: that of the run's inputs.
        stale: the versions among them that stand in for datasources that could not be fetched.
        data_as_of: as of when the oldest of its tables is; None: it has none.
    """

    def __init__(
        self,
        services: Services,
        run: Run,
        completeness: Completeness = "complete",
        stale: list[StaleInput] | None = None,
        data_as_of: str | None = None,
    ) -> None:
        self._lake = services.lake
        self._settings = services.settings
        self._run = run
        self._completeness = completeness
        self._stale = stale or []
        self._data_as_of = data_as_of

    def store(
        self,
        request: AlgorithmRequest,
        fingerprint: str,
        result: Result,
        *,
        restarts: int = 1,
        selected: int = 0,
        warnings: list[str] | None = None,
    ) -> StoredResult:
        """Store a result; what lists it is written last.

        Raises:
            AlgorithmFailed: a table has two columns of the same name, a row of another length than its columns, or a
                value that does not fit its column.
        """
        assert self._run.algorithm is not None
        folder = object_keys.result_folder(self._run)
        stored = StoredResult(
            algorithm=self._run.algorithm,
            request=request,
            fingerprint=fingerprint,
            document=self._put_json(f"{folder}/document.json.gz", result.document),
            tables={name: self._put_table(folder, name, table, fingerprint) for name, table in result.tables.items()},
            files={name: self._put(f"{folder}/files/{name}", content) for name, content in result.files.items()},
            warnings=warnings or [],
            restarts=restarts,
            selected=selected,
        )
        self._lake.put_json(object_keys.result(self._run), stored.model_dump(mode="json"))
        return stored

    def _put_json(self, key: str, document: Mapping[str, Any]) -> StoredFile:
        try:
            body = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
        except (TypeError, ValueError) as error:
            raise AlgorithmFailed(f"The result cannot be written as JSON: {error}.") from None
        self._lake.put(key, compress(body), "application/gzip")
        return StoredFile(key=key, sha256=hashlib.sha256(body).hexdigest(), bytes=len(body))

    def _put(self, key: str, content: bytes) -> StoredFile:
        self._lake.put(key, content)
        return StoredFile(key=key, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))

    def _put_table(self, folder: str, name: str, table: ResultTable, fingerprint: str) -> str:
        """Store a table and its manifest; returns the manifest's key."""
        run = self._run
        sql_name = table_of_algorithm(run.algorithm or "", name)
        manifest = draft_manifest(
            run,
            "algorithm",
            DatasetId.of_project_resource(run.project or "", "algorithm", sql_name),
            fingerprint=fingerprint,
            completeness=self._completeness,
            completeness_reasons=[entry.sentence for entry in self._stale],
            stale=self._stale,
            spec={"algorithm": run.algorithm, "table": name},
            data_as_of=self._data_as_of,
            once=True,
        )
        manifest.columns = list(table.columns)
        part = f"{folder}/tables/{name}"
        with self._lake.scratch() as scratch:
            target = scratch.with_name("data.parquet")
            write_table(table, target, scratch.parent, self._settings, name)
            data = data_object(object_keys.data(part, 0), target, len(table.rows))
            self._lake.put_file(data.key, target)
        manifest.objects, manifest.rows, manifest.bytes = [data], data.rows, data.bytes
        key = object_keys.manifest(part)
        self._lake.put_json(key, manifest.model_dump(mode="json"))
        return key


def write_table(table: ResultTable, target: Path, scratch: Path, settings: Settings, name: str) -> None:
    """Write the rows of a table as Parquet, in their order.

    Args:
        target: the file.
        scratch: a folder for temporary files.
        name: the table's name, for errors.

    Raises:
        AlgorithmFailed: the table has no columns or two of the same name, a row of another length than the columns, or
            a value that does not fit its column.
    """
    columns = list(table.columns)
    _require_names(name, columns)
    lines = target.with_suffix(".jsonl")
    with lines.open("wb") as file:
        for number, row in enumerate(table.rows):
            file.write(_line(name, columns, number, row))
    types = ", ".join(f"'c{index}': {literal(duckdb_type(column.type))}" for index, column in enumerate(columns))
    selected = ", ".join(f"c{index} AS {quoted(column.name)}" for index, column in enumerate(columns))
    source = f"read_json({literal(str(lines))}, format = 'newline_delimited', columns = {{{types}}})"
    with engine(settings, scratch) as connection:
        import duckdb

        try:
            connection.execute(f"COPY (SELECT {selected} FROM {source}) {copy_to(target)}")
        except duckdb.Error as error:
            words = str(error).replace(str(lines), "the rows")
            raise AlgorithmFailed(f"The table {name} has a value that does not fit its column: {words}") from None


def _require_names(name: str, columns: Sequence[Column]) -> None:
    """Require columns that SQL can tell apart.

    Raises:
        AlgorithmFailed: there are none, or two have the same name.
    """
    if not columns:
        raise AlgorithmFailed(f"The table {name} has no columns.")
    counts = Counter(column.name.lower() for column in columns)
    repeated = [column.name for column in columns if counts[column.name.lower()] > 1]
    if repeated:
        raise AlgorithmFailed(
            f"The table {name} has columns of the same name: {', '.join(repeated)}. "
            "Upper and lower case do not tell columns apart."
        )


def _line(name: str, columns: Sequence[Column], number: int, row: Sequence[Any]) -> bytes:
    """A row as a line of JSON.

    Raises:
        AlgorithmFailed: the row has another length than the columns, or a value that JSON does not have.
    """
    if len(row) != len(columns):
        raise AlgorithmFailed(
            f"Row {number} of the table {name}, counted from 0, has {len(row)} values, but the table has "
            f"{len(columns)} columns: {', '.join(column.name for column in columns)}."
        )
    try:
        cells = {f"c{index}": value for index, value in enumerate(row)}
        return orjson.dumps(cells, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE)
    except TypeError as error:
        raise AlgorithmFailed(
            f"Row {number} of the table {name}, counted from 0, has a value that is not JSON: {error}."
        ) from None


def stored_result(lake: Lake, run: Run) -> StoredResult:
    """What a run has stored.

    Raises:
        NotFound: it has no result, or not yet.
    """
    if not run.algorithm:
        raise NotFound(f"The run {run.id} has no result: it is of another kind.")
    if run.status != "succeeded":
        state = "it has failed" if run.status == "failed" else f"it is {run.status}"
        raise NotFound(f"The run {run.id} has no result: {state}.")
    stored = lake.find_json(object_keys.result(run))
    if stored is None:
        raise NotFound(f"The run {run.id} has no result any more: an erasure has removed it. Start the run again.")
    return StoredResult.model_validate(stored)


def is_removed(lake: Lake, run: Run) -> bool:
    """Whether a run has succeeded, and an erasure has removed its result since."""
    return run.status == "succeeded" and lake.find_json(object_keys.result(run)) is None


def content_of(lake: Lake, file: StoredFile) -> bytes:
    """The JSON of a result's document, as bytes."""
    return gzip.decompress(lake.get(file.key))


def table_version(lake: Lake, result: StoredResult, name: str) -> Version:
    """A table of a result, in the form in which versions of datasets are read. Its number is 1.

    Raises:
        NotFound: the result has no such table; the detail names those that it has.
    """
    if name not in result.tables:
        raise NotFound(f"The result has no table {name!r}; it has {', '.join(result.tables) or 'none'}.")
    manifest = lake.manifest(result.tables[name])
    fields = manifest.model_dump(include=set(Version.model_fields))
    return Version(
        **{**fields, "number": 1, "schema": manifest.columns, "stale": manifest.stale},
        manifest_key=result.tables[name],
    )
