"""A hostile request, and what several families of them are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

LONG = 100_000
# Text that is shown from right to left.
BIDI = "\u202egnp.exe\u2066"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Attack:
    """One hostile request.

    Args:
        name: unique; the test names it.
        refused: whether only a 4xx is right; otherwise the request may also be accepted, as harmless.
    """

    name: str
    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    refused: bool = True
