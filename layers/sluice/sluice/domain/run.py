"""Runs: what was requested, how far they are, and what is known about their result."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, field_validator

from sluice.domain.base import Record
from sluice.domain.dataset_id import DatasetId
from sluice.domain.page_columns import PageColumn
from sluice.domain.run_types import RUN_TYPES, RunType
from sluice.domain.source_use import SourceUse
from sluice.domain.stale_input import StaleInput


def _known(kind: str) -> str:
    """Check a kind against the registry, not a Literal: other packages may add kinds."""
    if kind not in RUN_TYPES:
        raise ValueError(f"Unknown kind of run {kind!r}.")
    return kind


RunStatus = Literal["pending", "running", "succeeded", "partial", "failed", "cancelled"]
Trigger = Literal["api", "schedule", "drop", "push", "stream", "change", "refresh", "redrive"]
Completeness = Literal["complete", "unproven", "stale", "partial"]

RunKind = Annotated[str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(RUN_TYPES)})]
TERMINAL: frozenset[str] = frozenset({"succeeded", "partial", "failed", "cancelled"})
WAITING = "waiting"
MAX_NOTES = 100
_WORST: tuple[Completeness, ...] = ("complete", "unproven", "stale", "partial")


class Progress(Record):
    """How far a run is within its current stage."""

    stage: str
    current: int = 0
    total: int | None = None


class RunEvent(Record):
    """An event in the timeline of a run."""

    time: str
    event: str
    attempt: int
    detail: dict[str, Any] = Field(default_factory=dict)


class Drop(Record):
    """The object in the inbox that started an ingest run."""

    bucket: str
    key: str
    size: int
    etag: str
    version_id: str | None = None
    sequencer: str = ""


class Run(Record):
    """One run as the catalog stores it; `run_view` is what the API returns."""

    id: str
    kind: RunKind
    status: RunStatus = "pending"
    attempt: int = 1
    datasource: str | None = None
    project: str | None = None
    algorithm: str | None = None
    trigger: Trigger = "api"
    created_at: str
    created_by: str
    started_at: str | None = None
    finished_at: str | None = None
    progress: Progress | None = None
    completeness: Completeness | None = None
    completeness_reasons: list[str] = Field(default_factory=list)
    stale: list[StaleInput] = Field(
        default_factory=list,
        description="The earlier versions that stood in for datasources that could not be fetched.",
    )
    sources: list[SourceUse] = Field(
        default_factory=list, description="In a refresh: what it did with each datasource of the project."
    )
    summary: str | None = Field(None, description="In a refresh: what it has fetched, as a sentence.")
    version: int | None = None
    rows: int | None = None
    bytes: int | None = None
    requests: int = 0
    fingerprint: str | None = None
    cost_usd: str | None = None
    error: dict[str, Any] | None = None
    warnings: list[str] = Field(default_factory=list)
    part: str | None = Field(None, description="The model or report, if the run makes only one.")
    dry_run: bool = Field(False, description="If true, nothing is ingested or published.")

    # Internal fields, which `run_view` omits: see HIDDEN_RUN_FIELDS.
    active: str | None = None
    parent: str | None = None
    drop: Drop | None = None
    replay: int | None = None
    replay_over: int | None = None
    ingest: Literal["stale", "all", "none"] | None = None
    lease_until: float = 0.0
    timeline: list[RunEvent] = Field(default_factory=list)

    @property
    def type(self) -> RunType:
        """What all runs of its kind share."""
        return RUN_TYPES[self.kind]

    @property
    def belongs_to(self) -> str:
        """The slug of the datasource or project that the run belongs to; `type.belongs_to` tells which."""
        return (self.datasource if self.type.belongs_to == "datasource" else self.project) or ""

    @property
    def owner(self) -> DatasetId:
        """`datasource/{slug}` or `project/{slug}`: what the run belongs to."""
        return DatasetId(f"{self.type.belongs_to}/{self.belongs_to}")

    @property
    def finished(self) -> bool:
        """Whether the run has ended. Only a redrive changes it again."""
        return self.status in TERMINAL

    @property
    def waits(self) -> bool:
        """Whether the run is queued until others end; such a run is not lost."""
        return self.status == "pending" and self.progress is not None and self.progress.stage == WAITING


HIDDEN_RUN_FIELDS = {"active", "parent", "drop", "replay", "replay_over", "ingest", "lease_until", "timeline"}


def run_view(run: Run) -> dict[str, Any]:
    """The run as the API returns it."""
    return run.model_dump(mode="json", exclude=HIDDEN_RUN_FIELDS)


def cap_notes(notes: list[str]) -> list[str]:
    """Limit notes to `MAX_NOTES`; the last one then counts those that were left out."""
    if len(notes) <= MAX_NOTES:
        return notes
    return [*notes[: MAX_NOTES - 1], f"{len(notes) - MAX_NOTES + 1} more notes were left out"]


def least_complete(states: Iterable[Completeness]) -> Completeness:
    """The least complete of the states; `complete` if there are none."""
    return max(states, key=_WORST.index, default="complete")


def execution_name(run: Run) -> str:
    """The name of the run's current execution. Step Functions starts a name only once, so starting is idempotent."""
    return f"{run.id}-{run.attempt}"


class PageReceipt(Record):
    """What is known about one page of a run. It is written after the page's bytes are safe in the lake.

    Args:
        url: where the page came from: an HTTP URL, `drop:{key}` for a file of the inbox, `push:{batch}`,
            `sql:{server}`, or `mongo:{database}/{collection}`.
        open_ended: whether the response had no length and no end marker, so that a truncated one looks complete.
        older_in_second: for a dropped file, how many versions of its key S3 wrote earlier in the same second.
    """

    number: int
    attempt: int = 1
    ok: bool
    url: str
    method: str = "GET"
    status: int | None = None
    hash: str | None = None
    bytes: int = 0
    media_type: str | None = None
    filename: str | None = None
    rows: int | None = None
    records_hash: str | None = None
    repeated: bool = False
    total: int | None = Field(None, description="The total that the page states: of records, or of pages.")
    pass_number: int = Field(1, description="Which reading of the pages it belongs to; above 1: a verification.")
    check: bool = Field(False, description="Whether it is the first page, requested again for comparison.")
    replaced: str | None = Field(None, description="The hash that an earlier attempt received for this page.")
    fetched_at: str
    etag: str | None = None
    last_modified: str | None = None
    open_ended: bool = False
    older_in_second: int | None = None
    columns: dict[str, PageColumn] | None = Field(None, description="The columns, if the source states their types.")
    failures: list[dict[str, Any]] = Field(default_factory=list)
    resume: dict[str, Any] = Field(default_factory=dict)

    @field_validator("url")
    @classmethod
    def _without_bucket(cls, url: str) -> str:
        """Releases before 0.3 stored `s3://{bucket}/{key}`; the bucket's name contains the account id."""
        return re.sub(r"^s3://[^/]+/", "drop:", url)


def count_requests(receipts: list[PageReceipt]) -> int:
    """How many requests to the upstream these pages took."""
    return sum(len(receipt.failures) + receipt.ok + (receipt.replaced is not None) for receipt in receipts)


class FetchIndex(Record):
    """Everything that a run fetched, written when fetching ends; people browse it and extract reads it."""

    datasource: str
    run: str
    attempt: int
    fetched_at: str
    pages: list[PageReceipt]
    unused_pages: list[PageReceipt] = Field(
        default_factory=list,
        description="Pages that are not part of the version: repeated ones and those of other readings.",
    )
    completeness: Completeness
    completeness_reasons: list[str] = Field(default_factory=list)
    warnings: list[str] = Field(default_factory=list)
    requests: int = 0
