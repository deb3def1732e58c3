"""Runs of dropped files wait for a slot, so that a burst of files is worked off a few at a time.

A drop run is stored together with an item in the queue. It leaves the queue in the transaction
that takes its slot, and only then is its execution started. So whoever is killed in between
leaves either a run in the queue, or a run with a slot that the sweep starts.
"""

from __future__ import annotations

from sluice.catalog.table import ConditionFailed, Write
from sluice.container import Container
from sluice.domain.run import WAITING, Progress, Run
from sluice.errors import Conflict

_SLOTS = "ingests"


def enqueue_writes(services: Container, run: Run) -> list[Write]:
    """The parts of a transaction that store a new run and let it wait."""
    waiting = run.model_copy(update={"progress": Progress(stage=WAITING)})
    return [services.runs.create_write(waiting), services.waiting_runs.put_write(run.id)]


def requeue(services: Container, run: Run) -> None:
    """Begin the next attempt of a run that has ended, by letting it wait.

    Raises:
        Conflict: the run has not ended, or somebody else has begun the attempt.
    """
    reopening = services.runs.reopen_write(run, Progress(stage=WAITING))
    freeing = services.slots.free_write(_SLOTS, run.id)
    try:
        services.batches.transact([reopening, services.waiting_runs.put_write(run.id), freeing])
    except ConditionFailed:
        raise Conflict(f"The run {run.id} cannot be redriven: only failed, partial and cancelled runs can.") from None


def start_waiting(services: Container) -> None:
    """Start the runs that have waited longest, as long as there are slots."""
    most = services.settings.max_active_ingests
    while (run_id := services.waiting_runs.oldest()) is not None:
        if len(services.slots.holders(_SLOTS)) >= most:
            return
        run = services.runs.find(run_id)
        if run is None or not run.waits:
            services.waiting_runs.remove(run_id)  # it was cancelled
            continue
        taking = services.slots.take_write(_SLOTS, run.id, most)
        try:
            services.batches.transact(
                [taking, services.waiting_runs.remove_write(run.id), services.runs.leave_queue_write(run)]
            )
        except ConditionFailed:
            continue  # another process has taken the run or the slot: look again
        services.workflows.start(run)


def release_slot(services: Container, run: Run) -> None:
    """Free the slot of a run that has ended."""
    services.slots.free(_SLOTS, run.id)


def free_orphaned_slots(services: Container) -> None:
    """Free the slots of runs that have ended, and whose end somebody was killed before telling."""
    for run_id in services.slots.holders(_SLOTS):
        run = services.runs.find(run_id)
        if run is None or (run.finished and run.active is None):
            services.slots.free(_SLOTS, run_id)
