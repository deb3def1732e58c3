"""Schedules of datasources and projects in EventBridge Scheduler."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import orjson

from sluice.aws import translated
from sluice.domain.schedule import Schedule
from sluice.errors import Invalid

if TYPE_CHECKING:
    from mypy_boto3_scheduler import EventBridgeSchedulerClient


class Schedules:
    """The schedules of one stack.

    Args:
        group: the schedule group that all of them are in.
        function: the ARN of the function that they call.
        role: the ARN of the role that they call it with.
        workspace: part of their names.
    """

    def __init__(
        self, scheduler: EventBridgeSchedulerClient, group: str, function: str, role: str, workspace: str
    ) -> None:
        self._scheduler = scheduler
        self._group = group
        self._target = {"Arn": function, "RoleArn": role}
        self._workspace = workspace

    def name(self, kind: str, slug: str) -> str:
        """The name of a datasource's or project's schedule.

        It is a hash, since EventBridge Scheduler allows 64 characters.

        Args:
            kind: `datasource` or `project`.
        """
        return hashlib.sha256(f"{self._workspace}/{kind}/{slug}".encode()).hexdigest()[:48]

    def apply(self, kind: str, slug: str, schedule: Schedule | None, *, enabled: bool) -> None:
        """Create, change or delete the schedule, so that it is what the document says; it is safe to repeat.

        Args:
            kind: `datasource` or `project`.
            schedule: null deletes the schedule.
            enabled: whether it fires.

        Raises:
            Invalid: EventBridge Scheduler does not accept the expression.
            Unavailable: EventBridge Scheduler throttles or cannot be reached.
        """
        if schedule is None:
            self.remove(kind, slug)
            return
        # EventBridge Scheduler fills in the two placeholders; the execution id recognises a repeated delivery.
        payload = {
            "kind": kind,
            "slug": slug,
            "execution": "<aws.scheduler.execution-id>",
            "time": "<aws.scheduler.scheduled-time>",
        }
        definition: dict[str, Any] = {
            "Name": self.name(kind, slug),
            "GroupName": self._group,
            "ScheduleExpression": schedule.expression,
            "ScheduleExpressionTimezone": schedule.timezone,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "State": "ENABLED" if enabled else "DISABLED",
            "Description": f"{kind} {slug}",
            "Target": {
                **self._target,
                "Input": orjson.dumps(payload).decode(),
                "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 3600},
            },
        }
        with translated():
            try:
                self._put(definition)
            except self._scheduler.exceptions.ValidationException as error:
                message = error.response["Error"].get("Message", "")
                raise Invalid(f"EventBridge Scheduler does not accept {schedule.expression!r}: {message}") from None

    def _put(self, definition: dict[str, Any]) -> None:
        # There is no upsert. Updating comes first, since most writes are of schedules that exist.
        try:
            self._scheduler.update_schedule(**definition)
        except self._scheduler.exceptions.ResourceNotFoundException:
            try:
                self._scheduler.create_schedule(**definition)
            except self._scheduler.exceptions.ConflictException:  # another request created it just now
                self._scheduler.update_schedule(**definition)

    def remove(self, kind: str, slug: str) -> None:
        """Delete the schedule, if there is one.

        Args:
            kind: `datasource` or `project`.
        """
        with translated():
            try:
                self._scheduler.delete_schedule(Name=self.name(kind, slug), GroupName=self._group)
            except self._scheduler.exceptions.ResourceNotFoundException:
                return
