"""Requests about quarantined readings."""

from __future__ import annotations

from pydantic import Field

from sluice.domain.base import Document

MOST_IDS = 100
_IDS = "Ids of quarantined records, as their list has them"


class QuarantinedIds(Document):
    """Which quarantined records to take in again."""

    ids: list[str] | None = Field(
        default=None, min_length=1, max_length=MOST_IDS, description=f"{_IDS}; null for all of them."
    )


class DiscardedIds(Document):
    """Which quarantined records to delete."""

    ids: list[str] = Field(min_length=1, max_length=MOST_IDS, description=f"{_IDS}.")
