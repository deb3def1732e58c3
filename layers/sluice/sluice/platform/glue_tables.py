"""Glue tables over published datasets, through which Athena and BI tools read the Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from sluice.aws import translated
from sluice.domain.dataset import Manifest
from sluice.domain.dataset_id import DatasetId
from sluice.domain.schema import Column, is_decimal
from sluice.errors import Unavailable
from sluice.lake.store import Lake

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient

_VERSION = "sluice.version"
_TYPES = {
    "string": "string",
    "bigint": "bigint",
    "double": "double",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
    "json": "string",
}


@contextmanager
def _glue_errors() -> Iterator[None]:
    """Turn every error of Glue into `Unavailable`, which callers log: the data is published without the table."""
    try:
        with translated():
            yield
    except ClientError as error:
        raise Unavailable(f"Glue refused the request: {error}") from error


class GlueTables:
    """The tables of one Glue database.

    Args:
        database: its name.
        lake: its bucket is where the tables' Parquet lies.
    """

    def __init__(self, client: GlueClient, database: str, lake: Lake) -> None:
        self._client = client
        self._database = database
        self._lake = lake

    def publish(self, dataset: DatasetId, number: int, manifest: Manifest) -> None:
        """Create the dataset's table, or change it, so that it reads a version.

        A version whose Parquet does not lie in a single folder has no table, since a table has one
        location: appended datasets and merged documents.

        Args:
            number: the version's number. A table that has it already is not written again.
            manifest: the version's manifest.

        Raises:
            Unavailable: Glue cannot be reached or refuses the request.
        """
        folders = {part.key.rpartition("/")[0] for part in manifest.objects}
        if len(folders) != 1 or not manifest.columns:
            self.remove(dataset)
            return
        name = table_name(dataset)
        with _glue_errors():
            present = self._find(name)
            if present is not None and present.get("Parameters", {}).get(_VERSION) == str(number):
                return
            table = self._input(name, dataset, number, manifest, folders.pop())
            try:
                if present is None:
                    self._client.create_table(DatabaseName=self._database, TableInput=table)
                    return
            except self._client.exceptions.AlreadyExistsException:
                pass  # another run of the dataset created it first
            # Without SkipArchive, Glue keeps every version of a table and refuses more at its quota.
            self._client.update_table(DatabaseName=self._database, TableInput=table, SkipArchive=True)

    def remove(self, dataset: DatasetId) -> None:
        """Delete the dataset's table, if it has one; its Parquet stays."""
        with _glue_errors():
            try:
                self._client.delete_table(DatabaseName=self._database, Name=table_name(dataset))
            except self._client.exceptions.EntityNotFoundException:
                return

    def _find(self, name: str) -> Any | None:
        try:
            return self._client.get_table(DatabaseName=self._database, Name=name)["Table"]
        except self._client.exceptions.EntityNotFoundException:
            return None

    def _input(self, name: str, dataset: DatasetId, number: int, manifest: Manifest, folder: str) -> Any:
        return {
            "Name": name,
            "Description": f"Version {number} of {dataset}, made by the run {manifest.run}.",
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {
                "EXTERNAL": "TRUE",
                "classification": "parquet",
                _VERSION: str(number),
                "sluice.completeness": manifest.completeness,
                "sluice.data_as_of": manifest.data_as_of,
            },
            "StorageDescriptor": {
                "Columns": [_column(column) for column in manifest.columns],
                "Location": f"s3://{self._lake.bucket}/{self._lake.full_key(folder)}/",
                "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
                "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
                "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
            },
        }


def table_name(dataset: DatasetId) -> str:
    """The table's name in SQL: `datasource_a_b` for `datasource/a-b`, `project_a__b` for `project/a/model/b`.

    Slugs have no underscores, so two datasets never have the same name.
    """
    owner = f"{dataset.owner_kind}_{dataset.owner}".replace("-", "_")
    if dataset.resource is None:
        return owner
    kind, name = dataset.resource
    return f"{owner}__{name}" if kind == "model" else f"{owner}_{kind}_{name}".replace("-", "_")


def _column(column: Column) -> dict[str, str]:
    kind = column.type if is_decimal(column.type) else _TYPES[column.type]
    # Glue stores column names in lower case.
    return {"Name": column.name.lower(), "Type": kind}
