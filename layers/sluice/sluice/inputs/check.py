"""Checking documents and workbooks against the rules of their kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sluice.domain.base import json_pointer
from sluice.errors import Invalid, WorkbookInvalid
from sluice.inputs.kind import InputKind
from sluice.inputs.kinds import KINDS
from sluice.inputs.workbooks import Keys, Parsed, Place, SheetReader, cell_error
from sluice.settings import Settings

# A warning is a sentence; a document of many parts gives few of them.
_MOST_WARNINGS = 100


# What a new input is whose kind is left out.
DEFAULT_KIND = "document"


def kind_of(name: str, pointer: str = "/kind") -> InputKind:
    """The kind of this name.

    Args:
        name: the name.
        pointer: where it was given.

    Raises:
        Invalid: there is no such kind.
    """
    if name not in KINDS:
        message = f"There is no kind {name!r}; the kinds are {', '.join(KINDS)}."
        raise Invalid(message, [{"pointer": pointer, "message": message}])
    return KINDS[name]


def check_document(kind: InputKind, document: Any, most: int) -> list[str]:
    """Check a document.

    Args:
        kind: its kind.
        document: the parsed JSON.
        most: the most faults that the error lists.

    Returns:
        What to look at although the document is valid, as sentences.

    Raises:
        Invalid: it is not valid; `errors` points to each fault, below `/document`.
    """
    faults = kind.faults(document)
    if faults:
        errors = [{**fault, "pointer": "/document" + fault["pointer"]} for fault in faults[:most]]
        raise Invalid(_detail(kind, len(faults), most, errors[0]["pointer"], errors[0]["message"]), errors)
    return kind.warnings(document)[:_MOST_WARNINGS]


def _detail(kind: InputKind, count: int, most: int, place: str, message: str) -> str:
    noun = "fault" if count == 1 else "faults"
    listed = f", of which the first {most} are listed" if count > most else ""
    verb = "is" if count == 1 else "are"
    return f"There {verb} {count} {noun} in the {kind.title.lower()}{listed}; the first, at {place}: {message}"


@dataclass(frozen=True)
class Checked:
    """A workbook that was read and checked.

    Args:
        document: the document; with errors, each bad value has a field `{name}_error` beside it.
        warnings: what to look at although there are no errors.
        errors: the bad cells.
        detail: the errors in one sentence; empty if there are none.
    """

    document: Any
    warnings: list[str]
    errors: list[dict[str, Any]]
    detail: str


def check_workbook(kind: InputKind, content: bytes, settings: Settings) -> Checked:
    """Read a workbook as a document of a kind, and check it.

    Args:
        kind: the kind.
        content: the workbook.
        settings: the caps.

    Raises:
        Invalid: workbooks cannot be read as this kind.
        WorkbookInvalid: it is no workbook, or sheets or columns are missing.
    """
    if kind.workbook is None:
        known = ", ".join(name for name, other in KINDS.items() if other.workbook is not None)
        message = f"The kind {kind.name!r} has no workbooks, send it as JSON; those with workbooks are {known}."
        raise Invalid(message, [{"pointer": "?kind", "message": message}])
    parsed = kind.workbook.parse(SheetReader(content, settings))
    faults = kind.faults(parsed.document)
    if not faults:
        return Checked(parsed.document, kind.warnings(parsed.document)[:_MOST_WARNINGS], [], "")
    places = {json_pointer(path): path for path in parsed.cells}
    errors = [_cell_error(kind, parsed, places, fault) for fault in faults]
    for error in errors:
        _annotate(parsed.document, places.get(error["pointer"]), error)
    sheets = list(dict.fromkeys(place.sheet for place in parsed.cells.values()))
    errors.sort(key=lambda error: (sheets.index(error["sheet"]) if error["sheet"] else -1, error["row"] or 0))
    most, first = settings.max_import_errors, errors[0]
    place = " ".join(filter(None, (first["sheet"], first["cell"]))) or "the workbook"
    detail = f"{_detail(kind, len(errors), most, place, first['message'])} Nothing was stored."
    return Checked(parsed.document, [], errors[:most], detail)


def require_no_errors(checked: Checked, *, document: bool, max_bytes: int) -> None:
    """Refuse a workbook with errors.

    Args:
        checked: the workbook.
        document: whether the error shows the parsed document.
        max_bytes: the largest document that is shown.

    Raises:
        WorkbookInvalid: it has errors.
    """
    if checked.errors:
        raise WorkbookInvalid(checked.detail, checked.errors, checked.document if document else None, max_bytes)


def _cell_error(kind: InputKind, parsed: Parsed, places: dict[str, Keys], fault: dict[str, Any]) -> dict[str, Any]:
    """A fault of the document as an error of a cell.

    Args:
        kind: the document's kind.
        parsed: the document and its cells.
        places: the paths with a cell by JSON Pointer.
        fault: the fault.
    """
    assert kind.workbook is not None
    path = places.get(fault["pointer"])
    if path is None:
        return cell_error(fault["pointer"], Place(""), None, fault["message"])
    place, message = parsed.cells[path], parsed.messages.get(path, fault["message"])
    if place.state == "empty":
        message = f"The cell is empty. {message}"
    elif place.state == "unreadable":
        message = f"The cell has an error, or a formula without a stored result. {message}"
    return cell_error(fault["pointer"], place, kind.workbook.codes.get(str(path[-1])), message)


def _annotate(document: Any, path: Keys | None, error: dict[str, Any]) -> None:
    """Put the error of a value beside it."""
    if path is None or error["cell"] is None:
        return
    *parents, name = path
    for part in parents:
        document = document[part]
    document.setdefault(f"{name}_error", {"code": error["code"], "message": error["message"]})
