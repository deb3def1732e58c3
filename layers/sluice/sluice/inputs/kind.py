"""What a kind of input declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sluice.inputs.workbooks import Parsed, SheetReader, SheetTemplate

# A JSON Pointer and a message.
Fault = dict[str, Any]


def no_warnings(_: Any) -> list[str]:
    """No warnings."""
    return []


@dataclass(frozen=True)
class WorkbookForm:
    """How a kind is written as a workbook.

    Args:
        sheets: the sheets of a blank workbook.
        parse: the document in a workbook, with the cell of each value.
        codes: the codes of faults by the name of the field.
    """

    sheets: Sequence[SheetTemplate]
    parse: Callable[[SheetReader], Parsed]
    codes: Mapping[str, int]


@dataclass(frozen=True)
class InputKind:
    """A kind of input.

    Args:
        name: its name in the API.
        title: its name for people.
        description: what such a document contains, as a sentence.
        faults: everything that is wrong with a document.
        warnings: what to look at in a valid document, as sentences.
        keys: the fields by which the objects of a list are identified, by the name of the list.
        fits: by another kind, a function that raises Invalid if a document does not fit a document of that kind.
        workbook: how it is written as a workbook; None if it has no such form.
    """

    name: str
    title: str
    description: str
    faults: Callable[[Any], list[Fault]]
    warnings: Callable[[Any], list[str]] = no_warnings
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fits: Mapping[str, Callable[[Any, Any], None]] = field(default_factory=dict)
    workbook: WorkbookForm | None = None
