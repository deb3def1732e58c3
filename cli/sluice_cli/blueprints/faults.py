"""What is wrong in a blueprint, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sluice_cli.errors import StepFailed
from sluice_cli.output.values import counted


@dataclass(frozen=True, order=True)
class Place:
    """A place in a file.

    Args:
        file: the path, as it is shown.
        line: from 1; 0 for the file as a whole.
        column: from 1.
    """

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, order=True)
class BlueprintFault:
    """A fault, shown as `file:line:column: message`."""

    place: Place
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


def sentence(text: str) -> str:
    """A text with a capital at its start and a full stop at its end."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?")) else ".")


class BlueprintInvalid(StepFailed):
    """A blueprint has faults, so nothing was changed.

    Args:
        faults: all of them.
    """

    def __init__(self, faults: Sequence[BlueprintFault]) -> None:
        self.faults = sorted(set(faults))
        number = counted(len(self.faults), "error")
        super().__init__("\n".join([f"The blueprint has {number}:", *(f"  {fault}" for fault in self.faults)]))
