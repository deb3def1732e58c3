"""Runs and page receipts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from sluice.catalog.table import ConditionFailed, Item, Table, Write, transact
from sluice.catalog.upgrades import newest, upgraded
from sluice.domain.names import now, rfc3339
from sluice.domain.run import PageReceipt, Progress, Run, RunEvent, cap_notes
from sluice.errors import Conflict, NotFound, RunStopped


class Runs:
    """The table `Runs`: `workspace` / `run_id`, with `ByOwner` and the sparse `Active`."""

    def __init__(self, table: Table, workspace: str, lease_seconds: int, days: int) -> None:
        self._table = table
        self._workspace = workspace
        self._lease_seconds = lease_seconds
        self._days = days

    def _key(self, run_id: str) -> Item:
        return {"workspace": self._workspace, "run_id": run_id}

    def lease(self) -> int:
        """The moment, in epoch seconds, until which a step that starts now may be silent."""
        return int(time.time()) + self._lease_seconds

    def create(self, run: Run) -> Run:
        """Store a new run, active and pending.

        Raises:
            Conflict: a run of this id exists.
        """
        try:
            self._table.do(self.creating(run))
        except ConditionFailed:
            raise Conflict(f"There is a run {run.id!r} already.") from None
        return run

    def creating(self, run: Run) -> Write:
        """The part of a transaction that stores a new run, active and pending."""
        run.lease_until = self.lease()
        run.active = self._workspace
        run.timeline = [RunEvent(time=run.created_at, event="created", attempt=run.attempt)]
        item = {
            **self._key(run.id),
            "owner": f"{self._workspace}#{run.owner}",
            "expires_at": int(time.time()) + self._days * 86400,
            "schema_version": newest("run"),
            **run.model_dump(exclude={"id"}),
        }
        return self._table.put(item, "attribute_not_exists(#run_id)")

    def find(self, run_id: str) -> Run | None:
        """The run; none if there is none."""
        item = self._table.get(self._key(run_id))
        return _run(item) if item else None

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
        """Runs from the newest on, of all or of one owner, beginning before one of them."""
        if owner:
            condition, values, index = "#owner = :pk", {"pk": f"{self._workspace}#{owner}"}, "ByOwner"
        else:
            condition, values, index = "#workspace = :pk", {"pk": self._workspace}, None
        if before:
            condition, values = condition + " AND #run_id < :before", values | {"before": before}
        for item in self._table.query_all(condition, values, index=index, newest_first=True):
            yield _run(item)

    def active(self) -> list[Run]:
        """The runs that are not settled yet, oldest first."""
        items = self._table.query_all("#active = :pk", {"pk": self._workspace}, index="Active")
        return [_run(item) for item in items]

    def advance(self, run: Run, **changes: Any) -> Run:
        """Write what a step of the run's present attempt has reached, and extend the lease.

        Raises:
            RunStopped: the run was cancelled, has ended, or a newer attempt has begun.
        """
        append = _timeline(run, _reached(run, changes))
        changes |= {"lease_until": self.lease()}
        values = self._open(run.attempt)
        try:
            item = self._table.do(self._table.update(self._key(run.id), changes, _OPEN_ATTEMPT, values, append=append))
        except ConditionFailed:
            raise RunStopped(f"The run {run.id} was stopped or started anew.") from None
        return _run(item or {})

    def pending(self, run_id: str) -> Write:
        """The part of a transaction that needs a run not to have begun yet."""
        return self._table.check(
            self._key(run_id), "#status = :pending AND #attempt = :one", {"pending": "pending", "one": 1}
        )

    def leaving_queue(self, run: Run) -> Write:
        """The part of a transaction that ends the wait of a run: it is about to be started."""
        changes = {"progress": None, "lease_until": self.lease()}
        values = {"attempt": run.attempt, "pending": "pending"}
        return self._table.update(self._key(run.id), changes, "#attempt = :attempt AND #status = :pending", values)

    def finishing(self, run: Run, **changes: Any) -> Write:
        """The part of a commit that ends the run's present attempt."""
        if "warnings" in changes:
            changes["warnings"] = cap_notes(changes["warnings"])
        append = _timeline(run, changes["status"])
        return self._table.update(self._key(run.id), changes, _OPEN_ATTEMPT, self._open(run.attempt), append=append)

    @staticmethod
    def _open(attempt: int) -> Item:
        return {"attempt": attempt, "pending": "pending", "running": "running"}

    def finish(self, run: Run, **changes: Any) -> bool:
        """End the run's present attempt, unless it has ended already.

        Returns:
            Whether this call ended it.
        """
        try:
            self._table.do(self.finishing(run, **changes))
        except ConditionFailed:
            return False
        return True

    def settled(self, run: Run) -> bool:
        """Note that nothing is left to do after the run's present attempt.

        Returns:
            Whether this was not noted before; false, too, where a redrive has begun meanwhile.
        """
        condition = "#attempt = :attempt AND attribute_exists(#active)"
        write = self._table.update(self._key(run.id), {"active": None}, condition, {"attempt": run.attempt})
        try:
            self._table.do(write)
        except ConditionFailed:
            return False
        return True

    def reopen(self, run: Run) -> Run:
        """Begin the next attempt of a run that has ended.

        Raises:
            Conflict: the run has not ended, or somebody else has begun the attempt.
        """
        try:
            return _run(self._table.do(self.reopening(run)) or {})
        except ConditionFailed:
            raise Conflict(f"The run {run.id} is not one that has failed; only those can be redriven.") from None

    def reopening(self, run: Run, progress: Progress | None = None) -> Write:
        """The part of a transaction that begins the next attempt of a run that has ended."""
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
        }
        append = _timeline(run.model_copy(update={"attempt": run.attempt + 1}), "redriven")
        values: Item = {"attempt": run.attempt, "failed": "failed", "partial": "partial", "cancelled": "cancelled"}
        condition = "#attempt = :attempt AND #status IN (:failed, :partial, :cancelled)"
        return self._table.update(self._key(run.id), changes, condition, values, append=append)


def _reached(run: Run, changes: dict[str, Any]) -> str | None:
    """The stage that a run comes to by these changes, or that it starts; none when it stays where it is."""
    if changes.get("status") == "running":
        return "started"
    stage = changes.get("progress", {}).get("stage")
    return stage if stage and (run.progress is None or run.progress.stage != stage) else None


def _timeline(run: Run, event: str | None) -> dict[str, list[Any]] | None:
    """What an update appends to a run's timeline."""
    if event is None:
        return None
    return {"timeline": [RunEvent(time=rfc3339(now()), event=event, attempt=run.attempt).model_dump()]}


_OPEN_ATTEMPT = "#attempt = :attempt AND #status IN (:pending, :running)"


def _run(item: Item) -> Run:
    return Run.model_validate({**upgraded("run", item), "id": item["run_id"]})


# Receipts of one transaction; DynamoDB takes a hundred writes, and 4 MB.
MOST_TOGETHER = 25
_MOST_BYTES = 3 << 20


def _batches(receipts: list[PageReceipt]) -> Iterator[list[PageReceipt]]:
    """The receipts in parts that a transaction has room for; a receipt with a long cursor may need one alone."""
    batch: list[PageReceipt] = []
    size = 0
    for receipt in receipts:
        length = len(receipt.model_dump_json())
        if batch and (len(batch) == MOST_TOGETHER or size + length > _MOST_BYTES):
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
        """Store a receipt; the first good one of a page stays, unless a later attempt has another.

        The same page fetched twice within an attempt, after a crash between storing and
        answering, is kept once; a receipt that fails never replaces a good one.
        """
        try:
            self._table.do(self._write(run_id, receipt))
        except ConditionFailed:
            return

    def put_all(self, run_id: str, receipts: list[PageReceipt]) -> None:
        """Store receipts by the rule of `put`, in their order: whoever is killed meanwhile leaves the first ones.

        At most `MOST_TOGETHER` are one transaction, so that none of them is there without those before it.
        """
        for batch in _batches(receipts):
            if len(batch) == 1:
                self.put(run_id, batch[0])
                continue
            try:
                transact(self._table.client, [self._write(run_id, receipt) for receipt in batch])
            except ConditionFailed:  # another process of this run has written some of them
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

    def putting(self, run_id: str, receipt: PageReceipt) -> Write:
        """The part of a transaction that stores the receipt of a page that nobody has stored."""
        return self._table.put(self._item(run_id, receipt), "attribute_not_exists(#number)")

    def of_run(self, run_id: str) -> list[PageReceipt]:
        """The receipts of a run in the order of its pages."""
        items = self._table.query_all("#workspace_run = :pk", {"pk": f"{self._workspace}#{run_id}"})
        return [PageReceipt.model_validate(item) for item in items]

    def get(self, run_id: str, number: int) -> PageReceipt:
        """One receipt.

        Raises:
            NotFound: the run has no such page.
        """
        item = self._table.get({"workspace_run": f"{self._workspace}#{run_id}", "number": number})
        if item is None:
            raise NotFound(f"The run {run_id} has no page {number}.")
        return PageReceipt.model_validate(item)
