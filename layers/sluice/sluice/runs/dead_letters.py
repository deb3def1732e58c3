"""Retrying undelivered events: those that a function has failed on repeatedly.

Lambda tries an asynchronous call of `inbox`, `scheduled`, `run_events`, `publications`, `compaction`, `readings` or
`webhooks` three times, and then puts a record of it into the stack's queue of undelivered events. The sweep handles
such an event by the same code as those functions, except that it calls `readings` and `webhooks` again. That is safe
to repeat: drops and firings have locks, an ended run does not change, and a stored attempt is not made again. A record
that fails again is logged and stays in the queue, which moves it to `RejectedQueue` after five attempts.
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
_MOST_CALLS = 5


class _CallContext(Record):
    function_arn: str = Field(alias="functionArn")
    request_id: str | None = Field(None, alias="requestId")  # an emulator does not send it


class FailedCall(Record):
    """Lambda's record of an asynchronous call whose attempts have all failed.

    Args:
        event: the event that the function was called with.
    """

    context: _CallContext = Field(alias="requestContext")
    event: dict[str, Any] = Field(alias="requestPayload")

    def function(self, stack: str) -> str:
        """The function's name without the prefix of the stack, such as `inbox`."""
        name = self.context.function_arn.partition(":function:")[2].partition(":")[0]
        return name.removeprefix(f"{stack}-")


def retry_undelivered(services: Container) -> int:
    """Handle undelivered events, at most `SWEEP_MESSAGES` and for at most `SWEEP_SECONDS`.

    It raises nothing: neither an event that fails again nor a queue that cannot be read may stop the
    rest of the sweep.

    Returns:
        The number of events that were handled.
    """
    queue = services.undelivered
    if queue is None:
        return 0
    deadline = time.monotonic() + services.settings.sweep_seconds
    handled = 0
    try:
        # One message at a time: if its event kills the process, the receive counts of the others do not grow,
        # so that they are not moved to `RejectedQueue` because of it.
        for _ in range(services.settings.sweep_messages):
            message = queue.receive() if time.monotonic() <= deadline else None
            if message is None:
                break
            handled += _retry_message(services, queue, message)
    except Exception:
        logger.exception("cannot read the queue of undelivered events")
    return handled


def _retry_message(services: Container, queue: MessageQueue, message: Message) -> bool:
    """Handle the event of one message; whether it succeeded and the message was deleted."""
    try:
        call = FailedCall.model_validate_json(message.body)
        _retry(services, call, message.id)
    except Exception:
        logger.exception("cannot handle an undelivered event", extra={"message_id": message.id})
        return False
    queue.delete(message)
    return True


def _retry(services: Container, call: FailedCall, message_id: str) -> None:
    match call.function(services.settings.stack):
        case "run_events" | "publications" | "compaction" | "sign_up" if call.event.get("sweep"):
            pass  # later sweeps have done its work
        case "missing_data":
            pass  # it is called every minute
        case "erase":
            pass  # of retention; the next day's call removes the rest
        case "inbox":
            for drop in dropped_files(call.event):
                receive_drop(services, drop)
        case "scheduled":
            fire(services, call.event, call.context.request_id or message_id)
        case "webhooks":
            _call_again(services, services.settings.webhooks_function, call.event)
        case "readings":
            _call_again(services, services.settings.readings_function, call.event)
        case "run_events":
            reconcile_execution(services, call.event["detail"]["name"])
        case _:
            raise ValueError(f"Undelivered events of {call.context.function_arn} cannot be handled.")


def _call_again(services: Container, function: str, event: dict[str, Any]) -> None:
    """Call a function again; the event counts the calls, since each that fails leaves another message."""
    calls = int(event.get("calls", 1))
    if calls > _MOST_CALLS:
        raise ValueError(f"{function} has failed on the event in {calls} calls.")
    services.functions.call_later(function, {**event, "calls": calls + 1})
