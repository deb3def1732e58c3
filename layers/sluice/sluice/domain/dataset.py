"""Datasets and their versions: immutable objects, one manifest, one published pointer."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import orjson
from pydantic import Field, field_validator

from sluice.domain.base import Record
from sluice.domain.dataset_id import DatasetId
from sluice.domain.datasource import Disposition
from sluice.domain.run import Completeness
from sluice.domain.schema import Column


class DataObject(Record):
    """One Parquet file of a version."""

    key: str
    sha256: str
    bytes: int
    rows: int
    columns: dict[str, str] | None = Field(
        None, description="The columns it has, with their types; null: those of its version."
    )
    run: str | None = Field(None, description="The run whose records alone it has; null: of several, or its version's.")


class Origin(Record):
    """The dropped object that a version was made of, and when S3 says that it came.

    Args:
        sequencer: from S3's notification; empty where the notification was lost.
        modified: when S3 says that the object was written, in seconds; null in manifests of earlier
            releases.
        older_in_second: how many versions of the key S3 wrote before it within that second.
    """

    key: str
    sequencer: str = ""
    modified: str | None = None
    older_in_second: int = 0

    def is_older_than(self, other: Origin | None) -> bool:
        """Whether the other is a later object under the same key.

        S3 tells the order of the writes to one key by their sequencers: hexadecimal, the
        shorter one padded on its right. Where one of them is missing, the times of the writes
        are compared and, within a second, their order in S3's list of versions.
        """
        if other is None or other.key != self.key:
            return False
        if not (self.sequencer and other.sequencer):
            if self.modified is None or other.modified is None:
                return False
            return (self.modified, self.older_in_second) < (other.modified, other.older_in_second)
        width = max(len(self.sequencer), len(other.sequencer))
        return self.sequencer.ljust(width, "0") < other.sequencer.ljust(width, "0")


class InputVersion(Record):
    """One version that a merge read."""

    datasource: str
    version: int
    run: str
    completeness: Completeness
    rows: int
    created_at: str
    fingerprint: str
    priority: int
    alias: str
    hash: str | None = Field(None, description="Of the version's content; null in manifests of 0.2.")


class Manifest(Record):
    """All about one version: written beside its objects before it is committed."""

    dataset: DatasetId
    run: str
    attempt: int
    stage: Literal["records", "merged", "model", "report"]
    created_at: str
    data_as_of: str
    columns: list[Column]
    objects: list[DataObject]
    rows: int
    bytes: int
    completeness: Completeness
    completeness_reasons: list[str] = Field(default_factory=list)
    warnings: list[str] = Field(default_factory=list)
    doubts: dict[str, Completeness] = Field(
        default_factory=dict, description="The runs whose records it holds and which were not complete."
    )
    merge_warnings: list[str] = Field(
        default_factory=list, description="Those that follow from the inputs' content, and hold when it comes again."
    )
    fingerprint: str
    engine: str
    inputs: list[InputVersion] = Field(default_factory=list)
    pages: list[str] = Field(default_factory=list)
    spec: dict[str, Any] = Field(default_factory=dict)
    number: int | None = Field(None, description="The number that it is to get, where others name it already.")
    base: int | None = Field(None, description="The published version that this one must follow.")
    previous: str | None = Field(None, description="The manifest of the version that this one adds to.")
    truncated: list[str] = Field(
        default_factory=list, description="The keys of a report's objects whose rows were cut off at its cap."
    )
    columns_of: int | None = Field(
        None, description="The earlier version whose columns this one, which has no records, keeps."
    )
    disposition: Disposition = "replace"
    added: int | None = Field(None, description="The records that the run brought, where the version has more.")
    provenance: list[DataObject] = Field(
        default_factory=list, description="Where each value of the rows came from, object for object; empty: unknown."
    )
    starts: list[str] = Field(
        default_factory=list, description="The lowest key that each object can have; empty: it was not said."
    )
    key: list[str] | None = Field(None, description="The columns that tell the rows apart; null: none do.")
    fields: list[str] | None = Field(
        None, description="The merged fields whose winners provenance names, before the result was reshaped."
    )
    document: DataObject | None = Field(
        None, description="The merged document, as gzipped JSON; before 0.3 the selected one, too."
    )
    origin: Origin | None = None
    once: bool = Field(False, description="The same fingerprint as the published version is no new version.")

    @field_validator("provenance", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        """Manifests of 0.2 name one object, or null."""
        return value if isinstance(value, list) else [] if value is None else [value]

    @property
    def position(self) -> list[str]:
        """The columns that say where a record came from, and order the records of one key."""
        if self.stage != "records":
            return []
        return ["_page", "_row"] if self.disposition == "replace" else ["_run", "_page", "_row"]

    @property
    def content_hash(self) -> str:
        """Of all that a reader sees: equal content has equal hashes, whatever run has made it."""
        return content_hash(self.columns, self.objects, self.document)


def content_hash(columns: list[Column], objects: list[DataObject], document: DataObject | None) -> str:
    """The hash of columns, files and document of a version."""
    parts = {
        "columns": [[column.name, column.type, column.nullable] for column in columns],
        "objects": [part.sha256 for part in objects],
        "document": document.sha256 if document else None,
    }
    return "sha256:" + hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()


class Version(Record):
    """A committed version as the catalog lists it."""

    number: int
    rows: int
    bytes: int
    schema_: list[Column] = Field(alias="schema")
    completeness: Completeness
    completeness_reasons: list[str] = Field(default_factory=list)
    run: str
    created_at: str
    data_as_of: str
    fingerprint: str
    manifest_key: str


class Pointer(Record):
    """Which version of a dataset readers get."""

    dataset: DatasetId
    latest: int = 0
    floor: int = Field(0, description="Versions up to this one belong to a definition that was deleted.")
    hidden: dict[str, Any] | None = Field(None, description="What a deletion hid, for a restoration.")
    published: int | None = None
    completeness: Completeness | None = None
    run: str | None = None
    fingerprint: str | None = None
    checked_at: str | None = None
    published_at: str | None = Field(None, description="When the pointer last changed; null: by a release before 0.3.")
    data_as_of: str | None = Field(None, description="Until when the published data was found unchanged.")
    origin: Origin | None = None


def takes_pointer(pointer: Pointer, manifest: Manifest, run: str) -> str | None:
    """Why a new version must not be published; none when it must.

    A partial replacement never displaces a better version; what is partly added takes
    nothing away. An ingest run that began before the
    published one did never displaces it: it only finished later. A merge needs no such rule,
    since its `base` proves that nobody has published meanwhile.
    """
    if pointer.published is None:
        return None
    if manifest.completeness == "partial" and pointer.completeness != "partial" and manifest.disposition == "replace":
        return f"version {pointer.published} stays published: it is more complete than this one"
    if manifest.origin is not None and manifest.origin.is_older_than(pointer.origin):
        return f"version {pointer.published} stays published: its file was dropped over this one"
    if manifest.base is None and pointer.run is not None and run < pointer.run:
        return f"version {pointer.published} stays published: its run began after this one"
    return None
