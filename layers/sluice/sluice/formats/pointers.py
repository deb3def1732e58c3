"""The places of values in a page as it was received."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any

from sluice.domain.base import json_pointer
from sluice.domain.datasource import Datasource
from sluice.domain.expression import Path, RecordContext
from sluice.domain.run import PageReceipt
from sluice.formats.limits import Limits
from sluice.formats.memory import collect_rows
from sluice.formats.parsed_page import Page, open_page, without_tombstones
from sluice.formats.xlsx_format import XlsxPage

# An expression that only selects keys within keys, which a JSON Pointer can express.
_STEPS = re.compile(r'^(?:[A-Za-z_][A-Za-z0-9_]*|"[^"\\]+")(?:\.(?:[A-Za-z_][A-Za-z0-9_]*|"[^"\\]+"))*$')
_STEP = re.compile(r'[A-Za-z_][A-Za-z0-9_]*|"[^"\\]+"')
# An expression that selects keys of an object that encloses the record.
_ENCLOSING = re.compile(r"^(?:(root|parent)\(\)|parents\(\)\[(\d{1,3})\])(?:\.(.+))?$")


@dataclass(frozen=True)
class Place:
    """The place of a value.

    Args:
        pointer: a JSON Pointer into the page: for JSON below the document; for JSON Lines, CSV and Parquet below the
            number of the record; for XLSX `/Sheet/row/column`; for XML an XPath.
        exact: whether the pointer leads to the value itself; if not, to its record.
        expression: the expression that was applied to the record, if not exact.
    """

    pointer: str
    exact: bool
    expression: str | None = None


def find_places(
    datasource: Datasource, receipt: PageReceipt, content: IO[bytes], limits: Limits, row: int, columns: list[str]
) -> dict[str, Place]:
    """Find the values of a record's columns in its page.

    Args:
        datasource: tells how records and fields are selected.
        receipt: the page's receipt.
        content: the page as received, at its beginning.
        limits: the caps of the readers.
        row: the number of the record within the page, from 0.
        columns: the columns to find.

    Returns:
        The places by column.
    """
    with open_page(datasource, receipt, content, limits) as page:
        index = row - sum(gap < row for gap in receipt.gaps)
        record, context = next(islice(page.records_in_context(), index, None))
        base = _base(page, record, index)
        if base is None and context is not None and not isinstance(record, dict | list):
            base = context.path  # equal scalars cannot be told apart by identity
        return {
            name: _enclosing_place(page, context, name, row) or _place(page, record, base, name, row)
            for name in columns
        }


def find_document_place(
    datasource: Datasource, receipt: PageReceipt, content: IO[bytes], limits: Limits, path: Path, *, listed: bool
) -> Place | int:
    """Find a part of the selected document in one of its pages.

    Args:
        datasource: tells how records are selected.
        receipt: the page's receipt.
        content: the page as received, at its beginning.
        limits: the caps of the readers.
        path: the keys and indexes of the part within what this page gave; if `listed`, the first is an index.
        listed: whether the document is the list of everything that the pages gave.

    Returns:
        The place; or how many elements the page gave, if the part is in a later page.
    """
    with open_page(datasource, receipt, content, limits) as page:
        selected = page.selection()
        selected = collect_rows(selected, limits) if isinstance(selected, Iterator) else selected
        if not path:
            return Place("", datasource.records == "@" and page.rows is None, datasource.records)
        if listed:
            elements = selected if isinstance(selected, list) else [selected]
            kept = without_tombstones(elements, receipt)
            if int(path[0]) >= len(kept):
                return len(kept)
            row = kept[int(path[0])][0]
            plain = page.rows is not None and datasource.records == "@"
            base = (row,) if plain else _path_to_element(page, selected, elements[row], row)
            return _part(page, base, path[1:], f"{datasource.records} | [{row}]")
        return _part(page, path_to(page.whole, selected), path, datasource.records)


def _path_to_element(page: Page, selected: Any, element: Any, row: int) -> Path | None:
    path = path_to(page.whole, element)
    if path is None and isinstance(selected, list):
        whole = path_to(page.whole, selected)
        path = (*whole, row) if whole is not None else None
    return path


def _part(page: Page, base: Path | None, rest: Path, expression: str) -> Place:
    if base is not None:
        return Place(_format_path(page, (*base, *rest)), True)
    steps = "".join(f"[{step}]" if isinstance(step, int) else f'."{step}"' for step in rest)
    return Place("", False, f"{expression} | @{steps}" if steps.startswith("[") else expression + steps)


def _base(page: Page, record: Any, row: int) -> Path | None:
    """The path to the record; None if an expression built it."""
    if page.rows is not None:
        return (row,) if page.datasource.records == "@" else None
    return path_to(page.whole, record)


def path_to(document: Any, target: Any) -> Path | None:
    """The path to the selected object itself; None for scalars, which cannot be told from equal ones."""
    if document is target:
        return ()
    if not isinstance(target, dict | list):
        return None
    level: list[tuple[Path, Any]] = [((), document)]
    while level:
        below: list[tuple[Path, Any]] = []
        for path, node in level:
            for key, value in _children(node):
                # Identity, not equality: equal objects may occur in several places.
                if value is target:
                    return (*path, key)
                if isinstance(value, dict | list):
                    below.append(((*path, key), value))
        level = below
    return None


def _children(node: Any) -> Iterator[tuple[str | int, Any]]:
    return iter(node.items()) if isinstance(node, dict) else enumerate(node)


def _place(page: Page, record: Any, base: Path | None, column: str, row: int) -> Place:
    path, expression = _column_path(page.datasource, record, column)
    if base is None:
        source = expression or column
        return Place("", False, f"{page.datasource.records} | [{row}] | {source}")
    if path is None or not _has(record, path):
        return Place(_format_path(page, base), False, expression)
    return Place(_format_path(page, (*base, *path)), True)


def _enclosing_place(page: Page, context: RecordContext | None, column: str, row: int) -> Place | None:
    """The place of a value that a field selects in an object that encloses its record; None of other values."""
    match = _ENCLOSING.match((page.datasource.fields or {}).get(column, ""))
    if context is None or match is None or not (match[3] is None or _STEPS.match(match[3])):
        return None
    steps = tuple(step.strip('"') for step in _STEP.findall(match[3] or ""))
    if match[1] == "root":
        base: Path = (row,) if page.rows is not None and page.datasource.records == "@" else ()
        return Place(_format_path(page, (*base, *steps)), True)
    enclosing, number = context.enclosing, int(match[2] or 0)
    return Place(_format_path(page, (*enclosing[number][0], *steps)), True) if number < len(enclosing) else None


def _column_path(datasource: Datasource, record: Any, column: str) -> tuple[Path | None, str | None]:
    """The path from a record to a column's value; or None and the expression that built it."""
    if datasource.selects_columns:
        expression = (datasource.fields or {}).get(column)
        if expression is None or not _STEPS.match(expression):
            return None, expression
        return tuple(step.strip('"') for step in _STEP.findall(expression)), expression
    if column in (datasource.fields or {}):
        return None, (datasource.fields or {})[column]
    if not isinstance(record, dict):
        return (() if column == "value" else None), None
    return next(_paths(record, column.lower()), None), None


def _has(record: Any, path: Path) -> bool:
    """Whether there is something at a path, be it null."""
    for step in path:
        if not isinstance(record, dict) or step not in record:
            return False
        record = record[step]
    return True


def _paths(record: dict[str, Any], column: str) -> Iterator[Path]:
    """The paths to values whose keys, joined by `_`, make a column's name, as `a_b` is made of `a` and `b`.

    Case is ignored, since a dataset has one spelling for each column.

    Args:
        record: the object.
        column: the column's name in lower case.
    """
    for key, value in record.items():
        name = key.lower()
        below = isinstance(value, dict) and bool(value)
        if name == column and not below:
            yield (key,)
        elif below and column.startswith(f"{name}_"):
            yield from ((key, *rest) for rest in _paths(value, column[len(name) + 1 :]))


def _format_path(page: Page, path: Path) -> str:
    if page.form == "xml":
        return _xpath(path)
    if isinstance(page.rows, XlsxPage):
        return page.rows.pointer(path)
    return json_pointer(path)


def _xpath(path: Path) -> str:
    """Format a path as XPath: keys are elements, `@name` attributes, and indexes positions from 1."""
    text = ""
    for step in path:
        text += f"[{step + 1}]" if isinstance(step, int) else "/text()" if step == "#text" else f"/{step}"
    return text
