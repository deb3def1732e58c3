"""What a refresh did with each datasource of its project."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from sluice.domain.base import Record
from sluice.domain.names import parse_time

Outcome = Literal["pending", "fetched", "failed", "fresh", "received", "disabled", "not_requested"]


class SourceUse(Record):
    """What a refresh did with one datasource."""

    datasource: str = Field(description="The slug of the datasource.")
    outcome: Outcome = Field(
        description="`fetched` or `failed`: its ingest run ended so. `pending`: the run has not ended. `fresh`: its "
        "data has not expired, and its latest run has not failed, so it was not fetched. `received`: files and pushed "
        "records arrive by themselves. `disabled`. `not_requested`: the refresh was started with `ingest: none`."
    )
    run: str | None = Field(None, description="Its ingest run; null if this refresh did not fetch it.")
    fresh_until: str | None = Field(
        None, description="When its data expires, RFC 3339; null if it never does, or was not `fresh`."
    )


def fetch_summary(sources: Sequence[SourceUse], moment: datetime) -> str | None:
    """Say what a refresh has fetched, as in "2 of 3 sources fetched, prices fresh until 12:41 UTC".

    Files and pushed records are not counted, since they arrive by themselves.

    Args:
        sources: what the refresh did with each datasource.
        moment: when it is said; times of the same day in UTC are written without a date.

    Returns:
        The sentence without a full stop; null if the project has no datasource that is fetched.
    """
    pulled = [source for source in sources if source.outcome != "received"]
    if not pulled:
        return None
    fetched = sum(source.outcome == "fetched" for source in pulled)
    parts = [f"{fetched} of {len(pulled)} {'source' if len(pulled) == 1 else 'sources'} fetched"]
    for source in pulled:
        if source.outcome == "fresh":
            until = f" until {_clock(source.fresh_until, moment)}" if source.fresh_until else ", it never expires"
            parts.append(f"{source.datasource} fresh{until}")
    for outcome, text in (("failed", "failed"), ("disabled", "disabled"), ("not_requested", "not requested")):
        names = [source.datasource for source in pulled if source.outcome == outcome]
        if names and outcome == "not_requested" and len(names) == len(pulled):
            parts.append("no fetch was requested")
        elif names:
            parts.append(f"{', '.join(names)} {text}")
    return ", ".join(parts)


def _clock(text: str, moment: datetime) -> str:
    time = parse_time(text)
    same_day = time.astimezone(UTC).date() == moment.astimezone(UTC).date()
    return time.strftime("%H:%M UTC" if same_day else "%Y-%m-%d %H:%M UTC")
