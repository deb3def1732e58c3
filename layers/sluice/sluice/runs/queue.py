"""The queue of runs of dropped files, which limits how many of them are active.

A run is stored in the same transaction as its queue entry. It leaves the queue in the transaction that
takes a slot, and only then its execution is started. So a process that is killed leaves either a run in
the queue, or a run with a slot, which the sweep starts.
"""

from __future__ import annotations

from sluice.catalog.table import ConditionFailed, Write
from sluice.container import Container
from sluice.domain.run import WAITING, Progress, Run
from sluice.errors import Conflict

_SLOTS = "ingests"


def enqueue_writes(services: Container, run: Run) -> list[Write]:
    """The writes that store a new run and put it into the queue."""
    waiting = run.model_copy(update={"progress": Progress(stage=WAITING)})
    return [services.runs.create_write(waiting), services.waiting_runs.put_write(run.id)]


def requeue(services: Container, run: Run) -> None:
    """Begin the next attempt of a run by putting it into the queue.

    Raises:
        Conflict: the run cannot be redriven, or another request has begun the attempt.
    """
    reopen_write = services.runs.reopen_write(run, Progress(stage=WAITING))
    # The slot of the previous attempt: the new one takes its turn like any other run.
    free_write = services.slots.free_write(_SLOTS, run.id)
    try:
        services.batches.transact([reopen_write, services.waiting_runs.put_write(run.id), free_write])
    except ConditionFailed:
        raise Conflict(f"The run {run.id} cannot be redriven: only failed, partial and cancelled runs can.") from None


def start_waiting(services: Container) -> None:
    """Start waiting runs, oldest first, while there are free slots."""
    limit = services.settings.max_active_ingests
    while (run_id := services.waiting_runs.oldest()) is not None:
        if len(services.slots.holders(_SLOTS)) >= limit:
            return
        run = services.runs.find(run_id)
        if run is None or not run.waits:
            services.waiting_runs.remove(run_id)  # it was cancelled
            continue
        take_write = services.slots.take_write(_SLOTS, run.id, limit)
        try:
            services.batches.transact(
                [take_write, services.waiting_runs.remove_write(run.id), services.runs.leave_queue_write(run)]
            )
        except ConditionFailed:
            continue  # another process has taken the run or the slot: read both again
        services.workflows.start(run)


def release_slot(services: Container, run: Run) -> None:
    """Free the slot of a run that has ended."""
    services.slots.free(_SLOTS, run.id)


def free_orphaned_slots(services: Container) -> None:
    """Free the slots of ended runs, if a process was killed before it could free them."""
    for run_id in services.slots.holders(_SLOTS):
        run = services.runs.find(run_id)
        if run is None or (run.finished and run.active is None):
            services.slots.free(_SLOTS, run_id)
