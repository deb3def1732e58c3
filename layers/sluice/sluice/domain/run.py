"""Runs: what was requested, how far they are, and what is known about their result."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, field_validator

from sluice.domain.algorithm_run import HIDDEN_INPUT_FIELDS, AlgorithmRequest, Subtasks
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
Trigger = Literal["api", "schedule", "drop", "push", "stream", "change", "refresh", "redrive", "read"]
Completeness = Literal["complete", "unproven", "stale", "partial"]

# Which datasources a refresh ingests before it merges: those that are stale; all; those whose data expires, even if it
# is not stale yet; or none.
Ingest = Literal["stale", "all", "expiring", "none"]
RunKind = Annotated[str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(RUN_TYPES)})]
TERMINAL: frozenset[str] = frozenset({"succeeded", "partial", "failed", "cancelled"})
WAITING = "waiting"
MAX_NOTES = 100
_WORST: tuple[Completeness, ...] = ("complete", "unproven", "stale", "partial")


class Progress(Record):
    """How far a run is within its current stage."""

    stage: str = Field(
        description="The stage that works now, such as `fetch`, `extract`, `merge` or `commit`; `waiting`: the run is "
        "queued."
    )
    current: int = Field(0, description="How many units of the stage are done: pages, files or tables.")
    total: int | None = Field(None, description="How many units the stage has. Null: not known yet.")
    text: str | None = Field(None, description="What it is doing, in words. Null: the stage says all.")
    subtasks: Subtasks | None = Field(
        None, description="The restarts of an algorithm. Null: other kinds, or before the first one."
    )


class RunEvent(Record):
    """An event in the timeline of a run."""

    time: str = Field(description="When it happened, RFC 3339 in UTC.")
    event: str = Field(
        description="What happened: a stage or status that the run reached, `page`, `page_failed`, `ingest_created`, "
        "`ingest_finished` or `redriven`."
    )
    attempt: int = Field(description="The attempt of the run during which it happened, from 1.")
    detail: dict[str, Any] = Field(
        default_factory=dict,
        description="Facts of the event, such as the number and status of a page; empty for stages.",
    )


# The folders of the inbox that are no datasource's: set aside, and files of readings of sensors.
UNKNOWN, FAILED, READINGS = "_unknown/", "_failed/", "_readings/"


class Drop(Record):
    """An object in the inbox: a file that starts an ingest run, or one of readings of sensors."""

    bucket: str
    key: str
    size: int
    etag: str
    version_id: str | None = None
    sequencer: str = ""

    @property
    def has_readings(self) -> bool:
        """Whether it is a file of readings of sensors."""
        return self.key.startswith(READINGS) and not self.key.endswith("/")

    @property
    def lock(self) -> str:
        """The name of the lock that marks the file as seen."""
        # Without bucket versions, only the event's sequencer distinguishes two files with the same key and content.
        version = self.version_id or f"{self.etag}#{self.sequencer}"
        return f"{'readings' if self.has_readings else 'drop'}#{self.bucket}/{self.key}#{version}"


class Erasure(Record):
    """The erasure that a run does."""

    key_hash: str = Field(description="The hash of the datasource and the key, which is not stored itself.")
    reason: str = Field(description="Why the record is erased.")
    removed: dict[str, int] = Field(
        default_factory=dict,
        description="How much is removed, by kind: `pages`, `records`, `versions`, `merged_versions`, `models`, "
        "`reports`, `algorithm_results`, `files`, `batches`, `overrides` and `answers`. Empty: not counted yet.",
    )


class Run(Record):
    """One run as the catalog stores it; `run_view` is what the API returns."""

    id: str = Field(description="The ULID of the run; ids sort by the time of creation.")
    kind: RunKind = Field(
        description="What the run does: `ingest` fetches a datasource, `refresh` renews a project, `model` and "
        "`report` make a single output, `algorithm` computes a result, `manual` holds one that was made by hand, and "
        "`erase` removes a record."
    )
    status: RunStatus = Field(
        "pending",
        description="`pending` and `running` change by themselves. `succeeded`, `partial` (the result lacks "
        "something), `failed` and `cancelled` stay until the run is redriven.",
    )
    attempt: int = Field(1, description="1, plus the number of redrives.")
    datasource: str | None = Field(
        None, description="The slug of the datasource that is ingested. Null for other kinds."
    )
    project: str | None = Field(None, description="The slug of the project that is refreshed. Null for an ingest run.")
    algorithm: str | None = Field(None, description="The algorithm whose result it is. Null for other kinds.")
    trigger: Trigger = Field("api", description="What started the run.")
    created_at: str = Field(description="When the run was requested, RFC 3339 in UTC.")
    created_by: str = Field(description="The principal that requested the run.")
    started_at: str | None = Field(None, description="When its workflow began, RFC 3339 in UTC. Null: not yet.")
    finished_at: str | None = Field(None, description="When it ended, RFC 3339 in UTC. Null: not yet.")
    progress: Progress | None = Field(None, description="How far it is. Null before the first stage.")
    completeness: Completeness | None = Field(None, description="How complete its result is. Null while unknown.")
    completeness_reasons: list[str] = Field(
        default_factory=list, description="Why the result is not `complete`, as sentences; empty if it is."
    )
    stale: list[StaleInput] = Field(
        default_factory=list,
        description="The earlier versions that stood in for datasources that could not be fetched; empty: none did.",
    )
    sources: list[SourceUse] = Field(
        default_factory=list,
        description="In a refresh: what it did with each datasource of the project. Empty for other kinds.",
    )
    summary: str | None = Field(
        None,
        description="In a refresh: what it has fetched, as a sentence. Null before the merge, and for other kinds.",
    )
    version: int | None = Field(
        None, description="The number of the version that it committed. Null: none, or not yet."
    )
    rows: int | None = Field(None, description="The number of rows of its result. Null: not known yet.")
    bytes: int | None = Field(None, description="The size of its result as Parquet, in bytes. Null: not known yet.")
    requests: int = Field(0, description="How many requests it sent to the upstream, failed ones included.")
    fingerprint: str | None = Field(
        None,
        description="The hash of everything that the result depends on; equal hashes mean equal results. Null: not "
        "known yet.",
    )
    cost_usd: str | None = Field(None, description="The cost in US dollars as a decimal string. Null: not computed.")
    error: dict[str, Any] | None = Field(
        None, description="Why the run failed, as problem details. Null: it did not fail."
    )
    warnings: list[str] = Field(
        default_factory=list, description="What to look at although the run did not fail, as sentences; at most 100."
    )
    part: str | None = Field(
        None, description="The name of the model or report, if the run makes only one. Null: the run makes everything."
    )
    dry_run: bool = Field(False, description="True: the run only reports what it would publish.")
    request: AlgorithmRequest | None = Field(
        None, description="The inputs, parameters, seed, code and packages of an algorithm's result. Null: other kinds."
    )

    erasure: Erasure | None = Field(None, description="What an erasure removes. Null: other kinds.")

    # Internal fields, which `run_view` omits: see HIDDEN_RUN_FIELDS.
    active: str | None = None
    parent: str | None = None
    drop: Drop | None = None
    replay: int | None = None
    replay_over: int | None = None
    ingest: Ingest | None = None
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
_HIDDEN: dict[str, Any] = {
    **dict.fromkeys(HIDDEN_RUN_FIELDS, True),
    "request": {"inputs": {"__all__": HIDDEN_INPUT_FIELDS}},
}


def run_view(run: Run) -> dict[str, Any]:
    """The run as the API returns it."""
    return run.model_dump(mode="json", exclude=_HIDDEN)


def cap_notes(notes: list[str]) -> list[str]:
    """Limit notes to `MAX_NOTES`; the last one then counts those that were left out."""
    if len(notes) <= MAX_NOTES:
        return notes
    return [*notes[: MAX_NOTES - 1], f"{len(notes) - MAX_NOTES + 1} more notes were left out"]


def least_complete(states: Iterable[Completeness]) -> Completeness:
    """The least complete of the states; `complete` if there are none."""
    return max(states, key=_WORST.index, default="complete")


def execution_input(run: Run) -> dict[str, Any]:
    """What the workflow of a run's current attempt is started with."""
    started = {"run_id": run.id, "attempt": run.attempt}
    return {**started, "layer": run.request.layer} if run.request is not None else started


def execution_name(run: Run) -> str:
    """The name of the run's current execution. Step Functions starts a name only once, so starting is idempotent."""
    return f"{run.id}-{run.attempt}"


class PageReceipt(Record):
    """What is known about one page of a run. It is written after the page's bytes are safe in the lake."""

    number: int = Field(
        description="The number of the page in the run, from 1; `/runs/{run_id}/pages/{number}/content` has its bytes."
    )
    attempt: int = Field(1, description="The attempt of the run that received it.")
    ok: bool = Field(description="Whether it was received and accepted.")
    url: str = Field(
        description="Where the page came from: an HTTP URL, `drop:{key}` for a file of the inbox, `push:{batch}`, "
        "`sql:{server}`, `mongo:{database}/{collection}`, or `stream:{sensor}`."
    )
    method: str = Field("GET", description="The HTTP method of the request.")
    status: int | None = Field(
        None, description="The HTTP status of the response. Null: no response, or no HTTP source."
    )
    hash: str | None = Field(None, description="The SHA-256 of its bytes, in hexadecimal. Null: nothing was received.")
    bytes: int = Field(0, description="The size as received, in bytes.")
    media_type: str | None = Field(None, description="The content type that the upstream stated. Null: none.")
    filename: str | None = Field(None, description="The name of the dropped file. Null: the page is none.")
    rows: int | None = Field(None, description="How many records it has. Null: not counted.")
    records_hash: str | None = None
    repeated: bool = False
    total: int | None = Field(
        None, description="The total that the page states: of records, or of pages. Null: it states none."
    )
    pass_number: int = Field(1, description="Which reading of the pages it belongs to; above 1: a verification.")
    check: bool = Field(False, description="Whether it is the first page, requested again for comparison.")
    replaced: str | None = Field(
        None, description="The hash that an earlier attempt received for this page. Null: there was none."
    )
    fetched_at: str = Field(description="When the request ended, RFC 3339 in UTC.")
    etag: str | None = Field(None, description="The upstream's ETag. Null: none.")
    last_modified: str | None = Field(
        None, description="The upstream's Last-Modified header, or the time of the dropped file. Null: none."
    )
    open_ended: bool = Field(
        False,
        description="Whether the response had no length and no end marker, so that a truncated one looks complete.",
    )
    older_in_second: int | None = Field(
        None,
        description="For a dropped file: how many versions of its key S3 wrote earlier in the same second. Null: not "
        "a dropped file.",
    )
    columns: dict[str, PageColumn] | None = Field(
        None, description="The columns with their types, by name, if the source states them. Null: it does not."
    )
    failures: list[dict[str, Any]] = Field(
        default_factory=list, description="The attempts to request it that failed, oldest first."
    )
    erased: list[int] = Field(
        default_factory=list,
        description="The positions, from 0, of records that were erased; the page has tombstones in their places.",
    )
    # Internal: those of `erased` whose tombstones `records` does not select, as after a filter.
    gaps: list[int] = Field(default_factory=list)
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
