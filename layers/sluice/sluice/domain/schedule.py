"""Schedules, validated as EventBridge Scheduler would."""

from __future__ import annotations

import re
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, WithJsonSchema

from sluice.domain.base import Document

_RATE = re.compile(r"^rate\(([1-9]\d{0,5}) (minutes?|hours?|days?)\)$")
_MONTHS = "JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC"
_DAYS = "SUN|MON|TUE|WED|THU|FRI|SAT"
# Each field's name, the pattern of its words, and its range of numbers.
_CRON_PARTS = (
    ("minutes", "", range(60)),
    ("hours", "", range(24)),
    ("day of month", r"\?|L|([1-9]|[12]\d|3[01])W", range(1, 32)),
    ("month", _MONTHS, range(1, 13)),
    ("day of week", rf"\?|L|[1-7]L|[1-7]#[1-5]|{_DAYS}", range(1, 8)),
    ("year", "", range(1970, 2200)),
)
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}


def _check_expression(expression: str) -> str:
    if rate := _RATE.match(expression):
        singular = not rate[2].endswith("s")
        if (rate[1] == "1") != singular:
            raise ValueError("use the singular for 1 and the plural otherwise: rate(1 minute), rate(2 minutes)")
        return expression
    cron = re.match(r"^cron\((.+)\)$", expression)
    if cron is None:
        raise ValueError("a schedule must be rate(N minutes|hours|days) or cron(six fields)")
    parts = cron[1].split(" ")
    if len(parts) != len(_CRON_PARTS):
        raise ValueError("a cron schedule has six fields: minutes hours day month weekday year")
    for part, (label, words, numbers) in zip(parts, _CRON_PARTS, strict=True):
        if not all(_is_cron_item(item, words, numbers) for item in part.split(",")):
            raise ValueError(f"{part!r} is not valid in the {label} field of a cron schedule")
    # A rule of EventBridge: one of the two day fields must be unset.
    if (parts[2] == "?") == (parts[4] == "?"):
        raise ValueError("exactly one of day of month and day of week must be ?")
    return expression


def _is_cron_item(item: str, words: str, numbers: range) -> bool:
    """Whether an item of a cron field is valid: `*`, a number, a word or a range, optionally with a step."""
    span, slash, step = item.partition("/")
    if slash and not (step.isdigit() and int(step) > 0):
        return False
    if span == "*":
        return True
    ends = span.split("-")
    return len(ends) <= 2 and all(
        (end.isdigit() and int(end) in numbers) or (bool(words) and re.fullmatch(words, end.upper()) is not None)
        for end in ends
    )


def _check_timezone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("unknown time zone; use a name such as Europe/Paris or UTC")
    return ZoneInfo(name).key


EXPRESSION_PATTERN = r"^(rate|cron)\(.+\)$"


class Schedule(Document):
    """When a datasource is ingested or a project is refreshed."""

    expression: Annotated[
        str, AfterValidator(_check_expression), WithJsonSchema({"type": "string", "pattern": EXPRESSION_PATTERN})
    ] = Field(
        description="`rate(N minutes|hours|days)`, or `cron(minutes hours day-of-month month day-of-week year)` as in "
        "EventBridge, with `?` in one of the two day fields."
    )
    timezone: Annotated[str, AfterValidator(_check_timezone)] = Field(
        "UTC", description="The time zone of a cron expression: an IANA name such as Europe/Paris."
    )


def interval_seconds(schedule: Schedule) -> int | None:
    """The seconds between two firings of a rate; None for cron, whose intervals vary."""
    rate = _RATE.match(schedule.expression)
    return int(rate[1]) * _SECONDS[rate[2].rstrip("s")] if rate else None
