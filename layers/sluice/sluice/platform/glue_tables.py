"""The Glue tables over published datasets, by which Athena and BI tools read the same Parquet."""

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
def _reached() -> Iterator[None]:
    """Within this context, whatever Glue refuses is `Unavailable`: the data is published without it."""
    try:
        with translated():
            yield
    except ClientError as error:
        raise Unavailable(f"Glue refused: {error}") from error


class Tables:
    """One Glue database.

    Args:
        database: its name.
    """

    def __init__(self, client: GlueClient, database: str, lake: Lake) -> None:
        self._client = client
        self._database = database
        self._lake = lake

    def show(self, dataset: DatasetId, number: int, manifest: Manifest) -> None:
        """Have the dataset's table read a version; where it has no one folder of Parquet, there is no table."""
        folders = {part.key.rpartition("/")[0] for part in manifest.objects}
        if len(folders) != 1 or not manifest.columns:
            self.hide(dataset)
            return
        name = table_name(dataset)
        with _reached():
            found = self._find(name)
            if found is not None and found.get("Parameters", {}).get(_VERSION) == str(number):
                return
            table = self._input(name, dataset, number, manifest, folders.pop())
            try:
                if found is None:
                    self._client.create_table(DatabaseName=self._database, TableInput=table)
                    return
            except self._client.exceptions.AlreadyExistsException:
                pass  # another run of the same dataset was faster
            self._client.update_table(DatabaseName=self._database, TableInput=table, SkipArchive=True)

    def hide(self, dataset: DatasetId) -> None:
        """Remove the dataset's table; its Parquet stays."""
        with _reached():
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
            "Description": f"Version {number} of {dataset}, by the run {manifest.run}.",
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
    """`datasource/a-b` as SQL names it: `datasource_a_b`; `project/a/model/b` is `project_a__b`.

    A slug has no underscores, so no two are the same.
    """
    owner = f"{dataset.owner_kind}_{dataset.owner}".replace("-", "_")
    if dataset.resource is None:
        return owner
    kind, name = dataset.resource
    return f"{owner}__{name}" if kind == "model" else f"{owner}_{kind}_{name}".replace("-", "_")


def _column(column: Column) -> dict[str, str]:
    kind = column.type if is_decimal(column.type) else _TYPES[column.type]
    return {"Name": column.name.lower(), "Type": kind}
