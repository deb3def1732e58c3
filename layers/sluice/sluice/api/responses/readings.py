"""Responses about readings of sensors."""

from __future__ import annotations

from pydantic import Field

from sluice.api.responses.base import Response


class RefusedReading(Response):
    """A reading that was not stored."""

    index: int = Field(description="Its index in the body, from 0; blank lines are not counted.")
    message: str = Field(description="Why it was refused, as a sentence that says what to do.")


class ReadingReceipt(Response):
    """What became of posted readings."""

    accepted: int = Field(description="How many readings are stored; a repeated one counts each time.")
    refused: list[RefusedReading] = Field(description="The readings that are not stored.")
