"""Runs: what was asked for, how far it came, and what it knows about its own result."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, field_validator

from sluice.domain.base import Record
from sluice.domain.dataset_id import DatasetId
from sluice.domain.page_columns import PageColumn
from sluice.domain.run_types import RUN_TYPES, RunType


def _known(kind: str) -> str:
    """The registry of run types says which kinds there are: a type may be added from outside."""
    if kind not in RUN_TYPES:
        raise ValueError(f"There is no kind of run {kind!r}.")
    return kind


RunStatus = Literal["pending", "running", "succeeded", "partial", "failed", "cancelled"]
Trigger = Literal["api", "schedule", "drop", "push", "stream", "change", "refresh", "redrive"]
Completeness = Literal["complete", "unproven", "partial"]

RunKind = Annotated[str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(RUN_TYPES)})]
TERMINAL: frozenset[str] = frozenset({"succeeded", "partial", "failed", "cancelled"})
WAITING = "waiting"
MAX_NOTES = 100
_WORST: tuple[Completeness, ...] = ("complete", "unproven", "partial")


class Progress(Record):
    """How far a run has come within its present stage."""

    stage: str
    current: int = 0
    total: int | None = None


class RunEvent(Record):
    """Something that happened to a run, for its timeline."""

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
    """One run, as the catalog keeps it; `presented` is what the API shows of it."""

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
    version: int | None = None
    rows: int | None = None
    bytes: int | None = None
    requests: int = 0
    fingerprint: str | None = None
    cost_usd: str | None = None
    error: dict[str, Any] | None = None
    warnings: list[str] = Field(default_factory=list)
    part: str | None = Field(None, description="The model or report, where the run is of one alone.")
    dry_run: bool = Field(False, description="Nothing is ingested or published.")

    # What the API does not show.
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
        """What all runs of its kind have in common."""
        return RUN_TYPES[self.kind]

    @property
    def belongs_to(self) -> str:
        """The slug of the datasource or project that the run works for; `type` says which of them it is."""
        return (self.datasource if self.type.belongs_to == "datasource" else self.project) or ""

    @property
    def owner(self) -> DatasetId:
        """`datasource/{slug}` or `project/{slug}`: what the run works for."""
        return DatasetId(f"{self.type.belongs_to}/{self.belongs_to}")

    @property
    def finished(self) -> bool:
        """Whether nothing will change the run any more, short of a redrive."""
        return self.status in TERMINAL

    @property
    def waits(self) -> bool:
        """Whether the run is to be started when others have ended: nothing has been lost."""
        return self.status == "pending" and self.progress is not None and self.progress.stage == WAITING


HIDDEN_RUN_FIELDS = {"active", "parent", "drop", "replay", "replay_over", "ingest", "lease_until", "timeline"}


def presented(run: Run) -> dict[str, Any]:
    """The run as the API shows it."""
    return run.model_dump(mode="json", exclude=HIDDEN_RUN_FIELDS)


def capped(notes: list[str]) -> list[str]:
    """At most a hundred notes; the last one says how many were left out."""
    if len(notes) <= MAX_NOTES:
        return notes
    return [*notes[: MAX_NOTES - 1], f"{len(notes) - MAX_NOTES + 1} more are not listed"]


def worst_of(states: Iterable[Completeness]) -> Completeness:
    """The least complete of some; `complete` when there are none."""
    return max(states, key=_WORST.index, default="complete")


def execution_name(run: Run) -> str:
    """The name of the run's present execution: starting twice starts once."""
    return f"{run.id}-{run.attempt}"


class PageReceipt(Record):
    """What is known about one page of a run: written after its bytes are safe in the lake.

    Args:
        url: where the page came from: an address of HTTP, `drop:{key}` for a file of the inbox, or
            `push:{batch}`, `sql:{server}`, or `mongo:{database}/{collection}`.
        open_ended: whether nothing says where the answer ends, so that a cut-off one looks whole.
        older_in_second: for a dropped file, how many versions of its key S3 wrote before it within
            the same second.
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
    total: int | None = Field(None, description="What the page says is the whole: records, or pages.")
    pass_number: int = Field(1, description="Which reading of all the pages it belongs to; above 1: a verification.")
    check: bool = Field(False, description="The first page, asked for again to compare it.")
    replaced: str | None = Field(None, description="The hash that an earlier attempt received for this page.")
    fetched_at: str
    etag: str | None = None
    last_modified: str | None = None
    open_ended: bool = False
    older_in_second: int | None = None
    columns: dict[str, PageColumn] | None = Field(None, description="The columns, where the source says their types.")
    failures: list[dict[str, Any]] = Field(default_factory=list)
    resume: dict[str, Any] = Field(default_factory=dict)

    @field_validator("url")
    @classmethod
    def _without_bucket(cls, url: str) -> str:
        """Releases before 0.3 stored `s3://{bucket}/{key}`; the bucket's name holds the account."""
        return re.sub(r"^s3://[^/]+/", "drop:", url)


def requests_made(receipts: list[PageReceipt]) -> int:
    """How often the upstream was asked for these pages."""
    return sum(len(receipt.failures) + receipt.ok + (receipt.replaced is not None) for receipt in receipts)


class FetchIndex(Record):
    """All that a run fetched, written when fetching ended; people browse it, extract reads it."""

    datasource: str
    run: str
    attempt: int
    fetched_at: str
    pages: list[PageReceipt]
    unused_pages: list[PageReceipt] = Field(
        default_factory=list, description="Received, but not part of the version: repeated pages and other passes."
    )
    completeness: Completeness
    completeness_reasons: list[str] = Field(default_factory=list)
    warnings: list[str] = Field(default_factory=list)
    requests: int = 0
