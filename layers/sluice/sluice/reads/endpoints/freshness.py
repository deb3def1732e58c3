"""The age of an endpoint's data, compared with what the endpoint promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sluice.domain.dataset import Pointer
from sluice.domain.names import now, parse_time


@dataclass(frozen=True)
class Freshness:
    """How old the data of an endpoint is at one moment.

    Args:
        max_age_seconds: the age that the endpoint promises at most.
        refreshed_at: when the oldest of its data was last refreshed, RFC 3339; None if some was never.
        moment: the moment.
    """

    max_age_seconds: int
    refreshed_at: str | None
    moment: datetime

    @classmethod
    def of(cls, max_age_seconds: int, pointers: Sequence[Pointer]) -> Freshness:
        """The freshness now.

        Args:
            max_age_seconds: the age that the endpoint promises at most.
            pointers: the pointers of the datasets that refreshes change; at least one.
        """
        times = [pointer.fresh_at if pointer.published is not None else None for pointer in pointers]
        return cls(max_age_seconds, min(map(str, times)) if all(times) else None, now())

    @property
    def age(self) -> int:
        """The whole seconds since the data was refreshed; 0 if it never was."""
        if self.refreshed_at is None:
            return 0
        # Another process, whose clock is ahead, may have refreshed it.
        return max(0, int((self.moment - parse_time(self.refreshed_at)).total_seconds()))

    @property
    def older_than_promised(self) -> bool:
        """Whether the data is older than promised, or was never refreshed."""
        return self.refreshed_at is None or self.age > self.max_age_seconds

    @property
    def seconds_left(self) -> int:
        """The seconds until the data is older than promised; 0 if it is."""
        return 0 if self.older_than_promised else self.max_age_seconds - self.age

    def as_json(self) -> dict[str, Any]:
        """The field `freshness` of the JSON answer, which changes only when the data does or becomes too old."""
        return {
            "max_age_seconds": self.max_age_seconds,
            "refreshed_at": self.refreshed_at,
            "older_than_promised": self.older_than_promised,
        }
