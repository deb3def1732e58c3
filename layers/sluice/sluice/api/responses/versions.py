"""Responses about the versions of a dataset."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sluice.api.responses.base import Response, list_model, record_model
from sluice.domain.dataset import DataObject, InputVersion
from sluice.domain.run import Completeness
from sluice.domain.schema import Column
from sluice.domain.stale_input import StaleInput

VersionColumn: Any = record_model("VersionColumn", Column)


class VersionView(Response):
    """A committed version."""

    number: int
    rows: int
    bytes: int
    schema_: list[VersionColumn] = Field(alias="schema")
    completeness: Completeness
    completeness_reasons: list[str]
    stale: list[StaleInput] = Field(
        description="The earlier versions that stood in for datasources that could not be fetched."
    )
    run: str
    created_at: str
    data_as_of: str
    fingerprint: str


VersionViewList: Any = list_model(VersionView)


class VersionDetail(VersionView):
    """A version with its inputs, objects and specification."""

    inputs: list[InputVersion] = Field(description="The versions of the datasources that were merged.")
    objects: list[DataObject]
    provenance: list[DataObject]
    document: DataObject | None
    key: list[str] | None
    engine: str = Field(description="The engine that wrote it, with its version.")
    spec: dict[str, Any] = Field(description="The documents that it was made by.")
    warnings: list[str]
    output_hash: str
