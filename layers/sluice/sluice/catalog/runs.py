"""Runs and page receipts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from sluice.catalog.outbox import Outbox
from sluice.catalog.table import ConditionFailed, Item, Table, Write
from sluice.catalog.transactions import transact
from sluice.catalog.upgrades import newest, upgraded
from sluice.domain.names import now, rfc3339
from sluice.domain.run import PageReceipt, Progress, Run, RunEvent, cap_notes
from sluice.domain.run_failure import run_failure
from sluice.domain.run_types import RUN_TYPES
from sluice.errors import Conflict, NotFound, RunStopped


class Runs:
    """The table `Runs`: `workspace` / `run_id`, with `ByOwner` and the sparse `Active`."""

    def __init__(self, table: Table, outbox: Outbox, workspace: str, lease_seconds: int, days: int) -> None:
        self._table = table
        self._outbox = outbox
        self._workspace = workspace
        self._lease_seconds = lease_seconds
        self._days = days

    def _key(self, run_id: str) -> Item:
        return {"workspace": self._workspace, "run_id": run_id}

    def lease(self) -> int:
        """The time, in epoch seconds, until which a step that starts now may report nothing."""
        return int(time.time()) + self._lease_seconds

    def create(self, run: Run) -> Run:
        """Store a new run, as pending and active.

        Raises:
            Conflict: there is already a run with this id.
        """
        try:
            self._table.execute(self.create_write(run))
        except ConditionFailed:
            raise Conflict(f"There is already a run {run.id!r}.") from None
        return run

    def create_ended(self, run: Run) -> Run:
        """Store a new run that has ended already, such as a result that was made by hand."""
        run.lease_until = self.lease()
        run.timeline = [RunEvent(time=run.created_at, event=run.status, attempt=run.attempt)]
        self._table.execute(self._table.put(self._item(run), "attribute_not_exists(#run_id)"))
        return run

    def create_write(self, run: Run) -> Write:
        """A write that stores a new run, as pending and active; it fails if there is already a run with its id."""
        run.lease_until = self.lease()
        # The key of the sparse index `Active`, which has only the runs that are not reconciled.
        run.active = self._workspace
        run.timeline = [RunEvent(time=run.created_at, event="created", attempt=run.attempt)]
        return self._table.put(self._item(run), "attribute_not_exists(#run_id)")

    def _item(self, run: Run) -> Item:
        return {
            **self._key(run.id),
            "owner": f"{self._workspace}#{run.owner}",
            "expires_at": int(time.time()) + self._days * 86400,
            "schema_version": newest("run"),
            **run.model_dump(exclude={"id"}),
        }

    def find(self, run_id: str) -> Run | None:
        """The run; None if there is none."""
        item = self._table.get(self._key(run_id))
        return _run(item) if item and _is_known(item) else None

    def get(self, run_id: str) -> Run:
        """The run.

        Raises:
            NotFound: there is none.
        """
        run = self.find(run_id)
        if run is None:
            raise NotFound(f"There is no run {run_id!r}.")
        return run

    def newest(self, owner: str | None = None, before: str | None = None) -> Iterator[Run]:
        """Runs, newest first, read as they are consumed.

        Args:
            owner: only runs of this dataset, such as `datasource/{slug}`.
            before: a run id; only older runs are returned.
        """
        if owner:
            condition, values, index = "#owner = :pk", {"pk": f"{self._workspace}#{owner}"}, "ByOwner"
        else:
            condition, values, index = "#workspace = :pk", {"pk": self._workspace}, None
        if before:
            condition, values = condition + " AND #run_id < :before", values | {"before": before}
        for item in self._table.query_all(condition, values, index=index, newest_first=True):
            if _is_known(item):
                yield _run(item)

    def active(self) -> list[Run]:
        """The runs that are not reconciled yet, oldest first; the index may lag behind the table."""
        items = self._table.query_all("#active = :pk", {"pk": self._workspace}, index="Active")
        return [_run(item) for item in items if _is_known(item)]

    def advance(self, run: Run, **changes: Any) -> Run:
        """Store the progress of the run's current attempt, and extend its lease.

        Args:
            run: the run as the caller read it; its attempt must be the current one.
            changes: the new values of its fields.

        Returns:
            The run as it is stored now.

        Raises:
            RunStopped: the run was cancelled, has ended, or has a newer attempt.
        """
        append = _timeline(run, _reached(run, changes))
        changes |= {"lease_until": self.lease()}
        values = self._open(run.attempt)
        try:
            item = self._table.execute(
                self._table.update(self._key(run.id), changes, _OPEN_ATTEMPT, values, append=append)
            )
        except ConditionFailed:
            raise RunStopped(f"The run {run.id} was stopped or redriven.") from None
        return _run(item or {})

    def require_pending_write(self, run_id: str) -> Write:
        """A write that requires a run to be pending in its first attempt."""
        return self._table.check(
            self._key(run_id), "#status = :pending AND #attempt = :one", {"pending": "pending", "one": 1}
        )

    def leave_queue_write(self, run: Run) -> Write:
        """A write that marks a waiting run as about to be started; it fails if the run no longer waits."""
        changes = {"progress": None, "lease_until": self.lease()}
        values = {"attempt": run.attempt, "pending": "pending"}
        return self._table.update(self._key(run.id), changes, "#attempt = :attempt AND #status = :pending", values)

    def finish_write(self, run: Run, **changes: Any) -> Write:
        """A write that ends the run's current attempt; it fails if the attempt has ended.

        Args:
            changes: the new values of the run's fields; `status` is required.
        """
        if "warnings" in changes:
            changes["warnings"] = cap_notes(changes["warnings"])
        append = _timeline(run, changes["status"])
        return self._table.update(self._key(run.id), changes, _OPEN_ATTEMPT, self._open(run.attempt), append=append)

    @staticmethod
    def _open(attempt: int) -> Item:
        return {"attempt": attempt, "pending": "pending", "running": "running"}

    def finish(self, run: Run, **changes: Any) -> bool:
        """End the run's current attempt, unless it has ended.

        A failure is also an event for the followers, written in the same transaction.

        Args:
            changes: the new values of the run's fields; `status` and `finished_at` are required.

        Returns:
            Whether this call has ended it.
        """
        write = self.finish_write(run, **changes)
        try:
            if changes["status"] == "failed":
                event = run_failure(run, changes.get("error"), changes["finished_at"])
                transact(self._table.client, [write, self._outbox.put_write(event)])
            else:
                self._table.execute(write)
        except ConditionFailed:
            return False
        return True

    def mark_reconciled(self, run: Run) -> bool:
        """Mark an ended run as reconciled: everything that its end causes is done.

        Returns:
            Whether this call has marked it; false if it was marked before, or was redriven meanwhile.
        """
        condition = "#attempt = :attempt AND attribute_exists(#active)"
        write = self._table.update(self._key(run.id), {"active": None}, condition, {"attempt": run.attempt})
        try:
            self._table.execute(write)
        except ConditionFailed:
            return False
        return True

    def reopen(self, run: Run) -> Run:
        """Begin the next attempt of a run.

        Raises:
            Conflict: the run did not fail, was not partial and was not cancelled, or another request has begun the
                attempt.
        """
        try:
            return _run(self._table.execute(self.reopen_write(run)) or {})
        except ConditionFailed:
            raise Conflict(
                f"The run {run.id} cannot be redriven: only failed, partial and cancelled runs can."
            ) from None

    def reopen_write(self, run: Run, progress: Progress | None = None) -> Write:
        """A write that begins the next attempt of a run; see `reopen`.

        Args:
            progress: the stage that the attempt begins with, such as waiting; None if it starts at once.
        """
        changes = {
            "attempt": run.attempt + 1,
            "status": "pending",
            "active": self._workspace,
            "lease_until": self.lease(),
            "error": None,
            "finished_at": None,
            "progress": progress.model_dump() if progress else None,
            "warnings": [],
            "completeness": None,
            "completeness_reasons": [],
            "stale": [],
            "summary": None,
        }
        append = _timeline(run.model_copy(update={"attempt": run.attempt + 1}), "redriven")
        values: Item = {"attempt": run.attempt, "failed": "failed", "partial": "partial", "cancelled": "cancelled"}
        condition = "#attempt = :attempt AND #status IN (:failed, :partial, :cancelled)"
        return self._table.update(self._key(run.id), changes, condition, values, append=append)


def _reached(run: Run, changes: dict[str, Any]) -> str | None:
    """The event of the timeline that changes cause: a new stage, or the start; None if there is none."""
    if changes.get("status") == "running":
        return "started"
    stage = changes.get("progress", {}).get("stage")
    return stage if stage and (run.progress is None or run.progress.stage != stage) else None


def _timeline(run: Run, event: str | None) -> dict[str, list[Any]] | None:
    """The `append` of an update that adds an event to a run's timeline; None without an event."""
    if event is None:
        return None
    return {"timeline": [RunEvent(time=rfc3339(now()), event=event, attempt=run.attempt).model_dump()]}


_OPEN_ATTEMPT = "#attempt = :attempt AND #status IN (:pending, :running)"


def _is_known(item: Item) -> bool:
    """Whether this release has the run's kind; a newer one may have stored it. Such runs are not listed."""
    return item["kind"] in RUN_TYPES


def _run(item: Item) -> Run:
    return Run.model_validate({**upgraded("run", item), "id": item["run_id"]})


# The most receipts of one transaction, and their bytes. DynamoDB's limits are 100 writes and 4 MB.
MAX_RECEIPTS = 25
_MAX_TRANSACTION_BYTES = 3 << 20


def _batches(receipts: list[PageReceipt]) -> Iterator[list[PageReceipt]]:
    """Divide receipts into batches that fit into one transaction."""
    batch: list[PageReceipt] = []
    size = 0
    for receipt in receipts:
        length = len(receipt.model_dump_json())  # small, except for one with a long cursor
        if batch and (len(batch) == MAX_RECEIPTS or size + length > _MAX_TRANSACTION_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(receipt)
        size += length
    if batch:
        yield batch


class Pages:
    """The table `Pages`: `workspace#run_id` / `number`."""

    def __init__(self, table: Table, workspace: str, days: int) -> None:
        self._table = table
        self._workspace = workspace
        self._days = days

    def put(self, run_id: str, receipt: PageReceipt) -> None:
        """Store a receipt, unless there is a better one of the same page.

        A successful receipt replaces failed ones and those of earlier attempts. So the first successful
        one of an attempt stays, if a crash after its storage causes the page to be fetched again. A
        failed receipt never replaces a successful one.
        """
        try:
            self._table.execute(self._write(run_id, receipt))
        except ConditionFailed:
            return

    def put_all(self, run_id: str, receipts: list[PageReceipt]) -> None:
        """Store receipts in their order, by the rules of `put`.

        At most `MAX_RECEIPTS` are stored in one transaction. So if the process is killed, no receipt is
        stored without those before it, and the next call continues after the last one.
        """
        for batch in _batches(receipts):
            if len(batch) == 1:
                self.put(run_id, batch[0])
                continue
            try:
                transact(self._table.client, [self._write(run_id, receipt) for receipt in batch])
            except ConditionFailed:
                # Another process of this run has written some of them, and a transaction writes all or nothing.
                for receipt in batch:
                    self.put(run_id, receipt)

    def _write(self, run_id: str, receipt: PageReceipt) -> Write:
        condition = "attribute_not_exists(#number) OR #ok = :no"
        values: Item = {"no": False}
        if receipt.ok:
            condition += " OR #attempt < :attempt"
            values["attempt"] = receipt.attempt
        return self._table.put(self._item(run_id, receipt), condition, values)

    def _item(self, run_id: str, receipt: PageReceipt) -> Item:
        return {
            "workspace_run": f"{self._workspace}#{run_id}",
            **receipt.model_dump(),
            "expires_at": int(time.time()) + self._days * 86400,
        }

    def create_write(self, run_id: str, receipt: PageReceipt) -> Write:
        """A write that stores a receipt; it fails if the page has one."""
        return self._table.put(self._item(run_id, receipt), "attribute_not_exists(#number)")

    def of_run(self, run_id: str) -> list[PageReceipt]:
        """The receipts of a run, in the order of its pages."""
        items = self._table.query_all("#workspace_run = :pk", {"pk": f"{self._workspace}#{run_id}"})
        return [PageReceipt.model_validate(item) for item in items]

    def get(self, run_id: str, number: int) -> PageReceipt:
        """The receipt of a page.

        Raises:
            NotFound: the run has no page with this number.
        """
        item = self._table.get({"workspace_run": f"{self._workspace}#{run_id}", "number": number})
        if item is None:
            raise NotFound(f"The run {run_id} has no page {number}.")
        return PageReceipt.model_validate(item)
