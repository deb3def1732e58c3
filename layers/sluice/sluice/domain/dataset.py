"""Datasets and their versions: immutable objects, a manifest, and a pointer to the published version."""

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
from sluice.domain.stale_input import IngestFailure, StaleInput, stale_input


class DataObject(Record):
    """One Parquet file of a version."""

    key: str = Field(description="The key of the file in the lake bucket.")
    sha256: str = Field(description="The SHA-256 of the file's bytes, in hexadecimal.")
    bytes: int = Field(description="The size of the file in bytes.")
    rows: int = Field(description="The number of rows in the file.")
    columns: dict[str, str] | None = Field(None, description="The file's columns and their types; null: the version's.")
    run: str | None = Field(
        None, description="The run that all its records come from; null: several, or the version's."
    )


class Origin(Record):
    """The dropped object that a version was made from.

    Args:
        sequencer: from S3's event; empty if the event was lost and the sweep found the object.
        modified: S3's LastModified, in seconds; null in manifests of earlier releases.
        older_in_second: how many versions of the key S3 wrote earlier in the same second.
    """

    key: str
    sequencer: str = ""
    modified: str | None = None
    older_in_second: int = 0

    def is_older_than(self, other: Origin | None) -> bool:
        """Whether `other` is a later object under the same key.

        S3 orders the writes to one key by their sequencers: hexadecimal numbers, the shorter one padded with zeros on
        the right. If a sequencer is missing, LastModified decides and, within one second, the order of the versions
        that S3 lists.
        """
        if other is None or other.key != self.key:
            return False
        if not (self.sequencer and other.sequencer):
            if self.modified is None or other.modified is None:
                return False
            return (self.modified, self.older_in_second) < (other.modified, other.older_in_second)
        # S3 documents that sequencers are compared as strings after padding the shorter one with zeros.
        width = max(len(self.sequencer), len(other.sequencer))
        return self.sequencer.ljust(width, "0") < other.sequencer.ljust(width, "0")


class InputVersion(Record):
    """A dataset version that a merge read."""

    datasource: str = Field(description="The slug of the datasource.")
    version: int = Field(description="The number of the version that was read.")
    run: str = Field(description="The id of the ingest run that made the version.")
    completeness: Completeness = Field(description="How complete the version is.")
    rows: int = Field(description="The number of rows of the version.")
    created_at: str = Field(description="When the version was committed, RFC 3339 in UTC.")
    fingerprint: str = Field(
        description="The hash of everything that the version depends on: pages, document and release."
    )
    priority: int = Field(description="The rank of the datasource in the merge: the lower number wins.")
    alias: str = Field(description="The name of the datasource's table in SQL.")
    hash: str | None = Field(None, description="The hash of the version's content; null in manifests of 0.2.")


class Tombstone(Record):
    """What stays of an erased record: who erased it, when, why, and what was rewritten."""

    datasource: str = Field(description="The datasource that the record belonged to.")
    key_hash: str = Field(description="The hash of the datasource and the key, which is not stored itself.")
    reason: str = Field(description="Why the record was erased.")
    erased_at: str = Field(description="When it was erased, RFC 3339 in UTC.")
    erased_by: str = Field(description="The principal that erased it.")
    run: str = Field(description="The run that erased it.")
    removed: dict[str, int] = Field(description="How much was removed or rewritten, by kind.")


class Manifest(Record):
    """Everything about one version. It is written beside the version's objects before the version is committed."""

    dataset: DatasetId
    run: str
    attempt: int
    stage: Literal["records", "merged", "model", "report", "algorithm"]
    created_at: str
    data_as_of: str
    refreshed_at: str | None = Field(
        None,
        description="Of a merge: when the oldest of the inputs that refreshes fetch was last fetched with success, or "
        "when the inputs were read if there are none; null: not a merge, or of a release before 0.3.",
    )
    columns: list[Column]
    objects: list[DataObject]
    rows: int
    bytes: int
    completeness: Completeness
    completeness_reasons: list[str] = Field(default_factory=list)
    warnings: list[str] = Field(default_factory=list)
    stale: list[StaleInput] = Field(
        default_factory=list,
        description="The earlier versions that stood in for datasources that could not be fetched.",
    )
    doubts: dict[str, Completeness] = Field(
        default_factory=dict, description="Incomplete runs whose records it contains."
    )
    merge_warnings: list[str] = Field(
        default_factory=list,
        description="Warnings that depend on the inputs' content only, so that they hold for equal inputs.",
    )
    fingerprint: str
    engine: str
    inputs: list[InputVersion] = Field(default_factory=list)
    pages: list[str] = Field(default_factory=list)
    spec: dict[str, Any] = Field(default_factory=dict)
    number: int | None = Field(
        None, description="The version number reserved for it, if other objects refer to it already."
    )
    base: int | None = Field(None, description="The published version that this one must follow.")
    previous: str | None = Field(None, description="The manifest of the version that this one adds to.")
    truncated: list[str] = Field(
        default_factory=list, description="The keys of a report's objects whose rows were cut off at its cap."
    )
    columns_of: int | None = Field(
        None, description="If the version has no records: the earlier version whose columns it keeps."
    )
    disposition: Disposition = "replace"
    added: int | None = Field(None, description="The records that the run added, if the version also has older ones.")
    provenance: list[DataObject] = Field(
        default_factory=list, description="The source of each value, one file per object; empty: unknown."
    )
    starts: list[str] = Field(
        default_factory=list, description="The lowest key that each object can contain; empty: unknown."
    )
    key: list[str] | None = Field(None, description="The columns that identify a row; null: there are none.")
    fields: list[str] | None = Field(
        None, description="The merged fields that provenance covers, named as before `result` reshapes them."
    )
    document: DataObject | None = Field(
        None, description="The merged document as gzipped JSON; before 0.3 also the selected document."
    )
    origin: Origin | None = None
    erased: list[Tombstone] = Field(
        default_factory=list, description="The records that were erased from it after it was made."
    )
    once: bool = Field(False, description="If true, a version with the published fingerprint is not committed again.")

    @field_validator("provenance", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        """Read manifests of 0.2, which have one object or null."""
        return value if isinstance(value, list) else [] if value is None else [value]

    @property
    def position(self) -> list[str]:
        """The columns that identify a record's place in the raw data and order the records of one key."""
        if self.stage != "records":
            return []
        return ["_page", "_row"] if self.disposition == "replace" else ["_run", "_page", "_row"]

    @property
    def content_hash(self) -> str:
        """A hash of everything that readers see: equal content has equal hashes, whichever run made it."""
        return content_hash(self.columns, self.objects, self.document)


def content_hash(columns: list[Column], objects: list[DataObject], document: DataObject | None) -> str:
    """Hash the columns, files and document of a version.

    Returns:
        `sha256:` and 64 hexadecimal digits.
    """
    content = {
        "columns": [[column.name, column.type, column.nullable] for column in columns],
        "objects": [item.sha256 for item in objects],
        "document": document.sha256 if document else None,
    }
    return "sha256:" + hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


class Version(Record):
    """A committed version as the catalog lists it."""

    number: int
    rows: int
    bytes: int
    schema_: list[Column] = Field(alias="schema")
    completeness: Completeness
    completeness_reasons: list[str] = Field(default_factory=list)
    stale: list[StaleInput] = Field(default_factory=list)
    run: str
    created_at: str
    data_as_of: str
    fingerprint: str
    manifest_key: str
    failure: IngestFailure | None = Field(
        None, exclude=True, description="The pointer's `failure`, if the version was read as the published one."
    )

    def stands_in_for(self, datasource: str) -> list[StaleInput]:
        """The entry of a datasource's version that stands in for data that could not be fetched; empty if it does not.

        Args:
            datasource: the slug.
        """
        if self.failure is None:
            return []
        return [stale_input(datasource, self.number, self.data_as_of, self.failure.error)]


class Pointer(Record):
    """Which version of a dataset readers get."""

    dataset: DatasetId
    latest: int = 0
    floor: int = Field(0, description="Versions up to this one belong to a definition that was deleted.")
    hidden: dict[str, Any] | None = Field(
        None, description="The pointer fields that a deletion hid, for restoring them."
    )
    published: int | None = None
    completeness: Completeness | None = None
    run: str | None = None
    fingerprint: str | None = None
    checked_at: str | None = None
    published_at: str | None = Field(None, description="When the pointer last changed; null: by a release before 0.3.")
    data_as_of: str | None = Field(None, description="The last time at which the published data was found unchanged.")
    refreshed_at: str | None = Field(None, description="The `refreshed_at` of the manifest of the last check.")
    origin: Origin | None = None
    failure: IngestFailure | None = Field(
        None, description="The latest ingest, if it brought nothing and none has since; the published data stands in."
    )

    @property
    def fresh_at(self) -> str | None:
        """The time at which the published data was known to be what the upstreams have, RFC 3339; None: never."""
        return self.refreshed_at or self.checked_at


def publication_refusal(pointer: Pointer, manifest: Manifest, run: str) -> str | None:
    """Why a new version must not be published.

    A partial replacement does not displace a better version; a partial append or upsert is published, since it
    removes nothing. An ingest run that started before the published one does not displace it: it only finished
    later. Merges do not need that rule, because their `base` proves that nothing was published meanwhile.

    Args:
        pointer: the dataset's pointer now.
        manifest: the new version's manifest.
        run: the id of the run that made the new version. Ids are ULIDs, so they sort by start time.

    Returns:
        The reason as a sentence for users; None if the version must be published.
    """
    if pointer.published is None:
        return None
    if manifest.completeness == "partial" and pointer.completeness != "partial" and manifest.disposition == "replace":
        return f"version {pointer.published} stays published: it is more complete than this one"
    if manifest.origin is not None and manifest.origin.is_older_than(pointer.origin):
        return f"version {pointer.published} stays published: a newer file was dropped under the same key"
    # ULIDs sort by time.
    if manifest.base is None and pointer.run is not None and run < pointer.run:
        return f"version {pointer.published} stays published: its run started after this one"
    return None
