"""Why a part of the proposed document is as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Confidence = Literal["verified", "likely", "guess"]


@dataclass(frozen=True)
class Reason:
    """Why a field of the proposed document has its value.

    Args:
        pointer: a JSON Pointer to the field.
        reason: the evidence, as a sentence for users.
        confidence: `verified`: requests to the upstream have confirmed it; `likely`: the response suggests it;
            `guess`: it may well be wrong.
    """

    pointer: str
    reason: str
    confidence: Confidence


def plural(count: int, noun: str) -> str:
    """A count and its noun, such as `1 record` or `2 records`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
