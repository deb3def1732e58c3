"""Datasets and models as inputs of algorithms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sluice.domain.dataset import Manifest
from sluice.domain.schema import Column
from sluice.errors import AlgorithmFailed
from sluice.lake.parquet import NO_ROWS, engine, rows_of
from sluice.lake.store import Lake
from sluice.settings import Settings


class LakeTable:
    """A version of a dataset, as `sluice.algorithms.algorithm.TableInput` describes it.

    Args:
        manifest: the version.
        lake: where its rows are.
        settings: threads and memory of the engine.
    """

    def __init__(self, manifest: Manifest, lake: Lake, settings: Settings) -> None:
        self._manifest = manifest
        self._lake = lake
        self._settings = settings

    @property
    def columns(self) -> Sequence[Column]:
        """The columns, in order."""
        return self._manifest.columns

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Run SQL of DuckDB, in which the table is called `data`.

        Raises:
            AlgorithmFailed: the version is one document without columns.
        """
        rows = self._rows()
        with self._lake.scratch() as scratch, engine(self._settings, scratch.parent) as connection:
            connection.execute(f"CREATE TEMP VIEW data AS SELECT * FROM {rows}")
            try:
                cursor = connection.execute(sql, dict(parameters or {}))
                names = [column[0] for column in cursor.description or ()]
                return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            finally:
                connection.execute("DROP VIEW data")

    def _rows(self) -> str:
        """The SQL of the rows."""
        if self._manifest.columns:
            return rows_of(self._lake.local_files(self._manifest.objects), self._manifest.columns, [])
        if self._manifest.stage != "records":
            raise AlgorithmFailed("The dataset is one document and has no rows; choose a dataset with rows.")
        return NO_ROWS
