"""Timers in EventBridge Scheduler: calls of functions at one time, or again and again."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from sluice.aws import translated

if TYPE_CHECKING:
    from mypy_boto3_scheduler import EventBridgeSchedulerClient


class Timers:
    """The timers of one stack.

    Args:
        group: the schedule group that all of them are in.
        role: the ARN of the role that they call functions with.
        workspace: part of their names.
    """

    def __init__(self, scheduler: EventBridgeSchedulerClient, group: str, role: str, workspace: str) -> None:
        self._scheduler = scheduler
        self._group = group
        self._role = role
        self._workspace = workspace

    def once(self, name: str, moment: datetime, function: str, event: dict[str, Any]) -> None:
        """Have a function called at a time, at least once; the timer then deletes itself.

        Args:
            name: identifies the timer: if there is one of this name, nothing changes.
            moment: rounded up to seconds. The call may come up to a minute later.
            function: its ARN.

        Raises:
            Unavailable: EventBridge Scheduler throttles or cannot be reached.
        """
        rounded = (moment.astimezone(UTC) + timedelta(seconds=1)).replace(microsecond=0, tzinfo=None)
        self._create(name, f"at({rounded.isoformat()})", function, event, ActionAfterCompletion="DELETE")

    def repeat(self, name: str, expression: str, function: str, event: dict[str, Any]) -> None:
        """Have a function called again and again; if there is a timer of this name, nothing changes.

        Args:
            expression: such as `rate(1 minute)`.
            function: its ARN.

        Raises:
            Unavailable: EventBridge Scheduler throttles or cannot be reached.
        """
        self._create(name, expression, function, event)

    def remove(self, name: str) -> None:
        """Delete a timer, if there is one.

        Raises:
            Unavailable: EventBridge Scheduler throttles or cannot be reached.
        """
        with translated():
            try:
                self._scheduler.delete_schedule(Name=self._name(name), GroupName=self._group)
            except self._scheduler.exceptions.ResourceNotFoundException:
                return

    def _create(self, name: str, expression: str, function: str, event: dict[str, Any], **options: Any) -> None:
        with translated():
            try:
                self._scheduler.create_schedule(
                    Name=self._name(name),
                    GroupName=self._group,
                    ScheduleExpression=expression,
                    FlexibleTimeWindow={"Mode": "OFF"},
                    Description=name[:512],
                    Target={
                        "Arn": function,
                        "RoleArn": self._role,
                        "Input": orjson.dumps(event).decode(),
                    },
                    **options,
                )
            except self._scheduler.exceptions.ConflictException:
                return

    def _name(self, name: str) -> str:
        # A hash, since EventBridge Scheduler allows 64 characters.
        return "timer-" + hashlib.sha256(f"{self._workspace}/{name}".encode()).hexdigest()[:48]
