"""Requests about quarantined readings."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from sluice.domain.base import Document

MOST_IDS = 100
# A record's id is a sort key in DynamoDB, which has at most so many bytes.
_MOST_BYTES = 1024
_IDS = "Ids of quarantined records, as their list has them"


def _check_id(text: str) -> str:
    if not 0 < len(text.encode()) <= _MOST_BYTES:
        raise ValueError(f"an id has 1 to {_MOST_BYTES} bytes")
    return text


QuarantinedId = Annotated[str, AfterValidator(_check_id)]


class QuarantinedIds(Document):
    """Which quarantined records to take in again."""

    ids: list[QuarantinedId] | None = Field(
        default=None, min_length=1, max_length=MOST_IDS, description=f"{_IDS}; null for all of them."
    )


class DiscardedIds(Document):
    """Which quarantined records to delete."""

    ids: list[QuarantinedId] = Field(min_length=1, max_length=MOST_IDS, description=f"{_IDS}.")
