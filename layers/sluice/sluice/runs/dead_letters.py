"""Events that a function has failed on for the last time, taken up again by the sweep.

Lambda tries an asynchronous call of `inbox`, `scheduled`, `run_events` or `publications` three times,
then puts a record of it into the stack's queue of undelivered events. The same code that those
functions run takes such an event up again: it does nothing twice, since drops and firings have their
locks and an ended run stays as it ended. A record that cannot be taken up is logged and stays in the
queue, which sets it aside after a few sweeps.
"""

from __future__ import annotations

import time
from typing import Any

from aws_lambda_powertools import Logger
from pydantic import Field

from sluice.container import Container
from sluice.domain.base import Record
from sluice.platform.message_queue import Message, MessageQueue
from sluice.runs.drops import receive_drop
from sluice.runs.reconcile import reconcile_execution
from sluice.runs.scheduled import fire
from sluice.sources.file.announcement import dropped_files

logger = Logger()


class _CallContext(Record):
    function_arn: str = Field(alias="functionArn")
    request_id: str | None = Field(None, alias="requestId")  # an emulator names none


class FailedCall(Record):
    """Lambda's record of an asynchronous call that has failed for the last time.

    Args:
        event: what the function was called with.
    """

    context: _CallContext = Field(alias="requestContext")
    event: dict[str, Any] = Field(alias="requestPayload")

    def function(self, stack: str) -> str:
        """The function's name without the stack's, such as `inbox`."""
        name = self.context.function_arn.partition(":function:")[2].partition(":")[0]
        return name.removeprefix(f"{stack}-")


def retry_undelivered(services: Container) -> int:
    """Take up undelivered events, at most SWEEP_MESSAGES and for SWEEP_SECONDS.

    Nothing is raised: an event that fails must not keep the sweep from the others, nor a queue that
    cannot be read from the rest of its work.

    Returns:
        How many were taken up.
    """
    queue = services.undelivered
    if queue is None:
        return 0
    deadline = time.monotonic() + services.settings.sweep_seconds
    taken_up = 0
    try:
        # One at a time: whoever is killed by one message costs no other one of its receipts.
        for _ in range(services.settings.sweep_messages):
            message = queue.receive() if time.monotonic() <= deadline else None
            if message is None:
                break
            taken_up += _retry_message(services, queue, message)
    except Exception:
        logger.exception("cannot read the queue of undelivered events")
    return taken_up


def _retry_message(services: Container, queue: MessageQueue, message: Message) -> bool:
    try:
        call = FailedCall.model_validate_json(message.body)
        _retry(services, call, message.id)
    except Exception:
        logger.exception("cannot take up an undelivered event", extra={"message_id": message.id})
        return False
    queue.delete(message)
    return True


def _retry(services: Container, call: FailedCall, message_id: str) -> None:
    match call.function(services.settings.stack):
        case "run_events" | "publications" if call.event.get("sweep"):
            pass  # the sweeps that have come since have done its work
        case "inbox":
            for drop in dropped_files(call.event):
                receive_drop(services, drop)
        case "scheduled":
            fire(services, call.event, call.context.request_id or message_id)
        case "run_events":
            reconcile_execution(services, call.event["detail"]["name"])
        case _:
            raise ValueError(f"No undelivered events of {call.context.function_arn} are known.")
