"""Responses about the versions of a dataset."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sluice.api.responses.base import (
    CompletenessReasons,
    CreatedAt,
    DataAsOf,
    DataCompleteness,
    Response,
    RunId,
    StaleInputs,
    Warnings,
    list_model,
    record_model,
)
from sluice.domain.dataset import DataObject, InputVersion, Tombstone
from sluice.domain.schema import Column

VersionColumn: Any = record_model("VersionColumn", Column)


class VersionView(Response):
    """A committed version."""

    number: int = Field(description="The number of the version, from 1 and growing.")
    rows: int = Field(description="The number of rows.")
    bytes: int = Field(description="The size of its Parquet files, in bytes.")
    schema_: list[VersionColumn] = Field(alias="schema", description="The columns, in their order.")
    completeness: DataCompleteness
    completeness_reasons: CompletenessReasons
    stale: StaleInputs
    run: RunId
    created_at: CreatedAt
    data_as_of: DataAsOf
    fingerprint: str = Field(
        description="The hash of everything that the version depends on; an equal one is not committed again."
    )


VersionViewList: Any = list_model(VersionView)


class VersionDetail(VersionView):
    """A version with its inputs, objects and specification."""

    inputs: list[InputVersion] = Field(
        description="The versions of the datasources that were merged; empty for a datasource."
    )
    objects: list[DataObject] = Field(description="The Parquet files with the rows.")
    provenance: list[DataObject] = Field(description="The files with the source of each value; empty if unknown.")
    document: DataObject | None = Field(
        description="The file with the whole document, as gzipped JSON. Null: there is none."
    )
    key: list[str] | None = Field(description="The columns that identify a row. Null: there are none.")
    engine: str = Field(description="The engine that wrote the files, with its version.")
    spec: dict[str, Any] = Field(description="The documents and settings that the version was made by.")
    warnings: Warnings
    erased: list[Tombstone] = Field(description="The records that were erased from it, without their keys.")
    output_hash: str = Field(description="The hash of the content; equal content has equal hashes.")
