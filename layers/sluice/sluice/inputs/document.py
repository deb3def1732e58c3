"""Documents without rules: any JSON object."""

from __future__ import annotations

from typing import Any

from sluice.inputs.kind import Fault, InputKind


def _no_faults(_: Any) -> list[Fault]:
    return []


KIND = InputKind("document", "Document", "Any JSON object.", _no_faults)
