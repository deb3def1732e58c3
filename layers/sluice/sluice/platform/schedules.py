"""EventBridge Scheduler schedules of datasources and projects."""

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
    """The schedules of one stack, all in its group."""

    def __init__(
        self, scheduler: EventBridgeSchedulerClient, group: str, function: str, role: str, workspace: str
    ) -> None:
        self._scheduler = scheduler
        self._group = group
        self._target = {"Arn": function, "RoleArn": role}
        self._workspace = workspace

    def name(self, kind: str, slug: str) -> str:
        """The schedule's name: a hash, since names may have 64 characters only."""
        return hashlib.sha256(f"{self._workspace}/{kind}/{slug}".encode()).hexdigest()[:48]

    def apply(self, kind: str, slug: str, schedule: Schedule | None, *, enabled: bool) -> None:
        """Make the schedule what the document says; saying it again changes nothing."""
        if schedule is None:
            self.remove(kind, slug)
            return
        payload = {
            "kind": kind,
            "slug": slug,
            "execution": "<aws.scheduler.execution-id>",
            "time": "<aws.scheduler.scheduled-time>",
        }
        wanted: dict[str, Any] = {
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
                self._put(wanted)
            except self._scheduler.exceptions.ValidationException as error:
                said = error.response["Error"].get("Message", "")
                raise Invalid(f"EventBridge Scheduler does not take {schedule.expression!r}: {said}") from None

    def _put(self, wanted: dict[str, Any]) -> None:
        try:
            self._scheduler.update_schedule(**wanted)
        except self._scheduler.exceptions.ResourceNotFoundException:
            try:
                self._scheduler.create_schedule(**wanted)
            except self._scheduler.exceptions.ConflictException:
                self._scheduler.update_schedule(**wanted)

    def remove(self, kind: str, slug: str) -> None:
        """Remove the schedule; removing it twice is fine."""
        with translated():
            try:
                self._scheduler.delete_schedule(Name=self.name(kind, slug), GroupName=self._group)
            except self._scheduler.exceptions.ResourceNotFoundException:
                return
