"""Where in a page, as it was received, a value stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any

from sluice.domain.base import json_pointer
from sluice.domain.datasource import Datasource
from sluice.domain.run import PageReceipt
from sluice.formats.limits import Limits
from sluice.formats.memory import held
from sluice.formats.parsed_page import Page, open_page
from sluice.formats.xlsx_format import XlsxPage

Path = tuple[str | int, ...]
# An expression that only goes down from key to key, which a pointer can do as well.
_STEPS = re.compile(r'^(?:[A-Za-z_][A-Za-z0-9_]*|"[^"\\]+")(?:\.(?:[A-Za-z_][A-Za-z0-9_]*|"[^"\\]+"))*$')
_STEP = re.compile(r'[A-Za-z_][A-Za-z0-9_]*|"[^"\\]+"')


@dataclass(frozen=True)
class Place:
    """Where a value stands.

    Args:
        pointer: a JSON Pointer into the page: below its document for JSON; below the number of the
            record for JSON lines, CSV and Parquet; `/Sheet/row/column` for XLSX; XPath for XML.
        exact: whether the value itself stands there; if not, the record does.
        expression: what was applied to the record, where it is not exact.
    """

    pointer: str
    exact: bool
    expression: str | None = None


def places(
    datasource: Datasource, receipt: PageReceipt, content: IO[bytes], limits: Limits, row: int, columns: list[str]
) -> dict[str, Place]:
    """Where the values of a record's columns stand in its page.

    Args:
        row: the record's number within the page, from 0.
    """
    with open_page(datasource, receipt, content, limits) as page:
        record = next(islice(page.records(), row, None))
        base = _base(page, record, row)
        return {name: _place(page, record, base, name, row) for name in columns}


def document_place(
    datasource: Datasource, receipt: PageReceipt, content: IO[bytes], limits: Limits, way: Path, *, listed: bool
) -> Place | int:
    """Where a part of the selected document stands in one of its pages.

    Args:
        way: of the part in what this page has given; its first step is an index if `listed`.
        listed: whether the document is the list of all that the pages gave.

    Returns:
        The place; or how many elements the page has given, if the part is of a later page.
    """
    with open_page(datasource, receipt, content, limits) as page:
        selected = page.selection()
        selected = held(selected, limits) if isinstance(selected, Iterator) else selected
        if not way:
            return Place("", datasource.records == "@" and page.rows is None, datasource.records)
        if listed:
            elements = selected if isinstance(selected, list) else [selected]
            row = int(way[0])
            if row >= len(elements):
                return len(elements)
            plain = page.rows is not None and datasource.records == "@"
            base = (row,) if plain else _way_to_element(page, selected, elements[row], row)
            return _part(page, base, way[1:], f"{datasource.records} | [{row}]")
        return _part(page, _way_to(page.whole, selected), way, datasource.records)


def _way_to_element(page: Page, selected: Any, element: Any, row: int) -> Path | None:
    found = _way_to(page.whole, element)
    if found is None and isinstance(selected, list):
        whole = _way_to(page.whole, selected)
        found = (*whole, row) if whole is not None else None
    return found


def _part(page: Page, base: Path | None, rest: Path, expression: str) -> Place:
    if base is not None:
        return Place(_written(page, (*base, *rest)), True)
    steps = "".join(f"[{step}]" if isinstance(step, int) else f'."{step}"' for step in rest)
    return Place("", False, f"{expression} | @{steps}" if steps.startswith("[") else expression + steps)


def _base(page: Page, record: Any, row: int) -> Path | None:
    """The way to the record; none where it was made by an expression."""
    if page.rows is not None:
        return (row,) if page.datasource.records == "@" else None
    return _way_to(page.whole, record)


def _way_to(document: Any, wanted: Any) -> Path | None:
    """The way to the very object that was selected; of scalars none can be told from its equals."""
    if document is wanted:
        return ()
    if not isinstance(wanted, dict | list):
        return None
    level: list[tuple[Path, Any]] = [((), document)]
    while level:
        below: list[tuple[Path, Any]] = []
        for way, node in level:
            for key, value in _children(node):
                if value is wanted:
                    return (*way, key)
                if isinstance(value, dict | list):
                    below.append(((*way, key), value))
        level = below
    return None


def _children(node: Any) -> Iterator[tuple[str | int, Any]]:
    return iter(node.items()) if isinstance(node, dict) else enumerate(node)


def _place(page: Page, record: Any, base: Path | None, column: str, row: int) -> Place:
    way, expression = _column_way(page.datasource, record, column)
    if base is None:
        made = expression or column
        return Place("", False, f"{page.datasource.records} | [{row}] | {made}")
    if way is None:
        return Place(_written(page, base), False, expression)
    return Place(_written(page, (*base, *way)), True)


def _column_way(datasource: Datasource, record: Any, column: str) -> tuple[Path | None, str | None]:
    """The way from a record to a column's value; or none, and the expression that made it."""
    if datasource.selects_columns:
        expression = (datasource.fields or {}).get(column, column)
        if not _STEPS.match(expression):
            return None, expression
        return tuple(step.strip('"') for step in _STEP.findall(expression)), None
    if column in (datasource.fields or {}):
        return None, (datasource.fields or {})[column]
    if not isinstance(record, dict):
        return (), None
    return next(_ways(record, column.lower()), None), None


def _ways(record: dict[str, Any], column: str) -> Iterator[Path]:
    """The ways to the values whose keys make the column's name, as `a_b` is made of `a` and `b`, or is a key itself.

    Where it is spelled otherwise than the column, it is the column's all the same.

    Args:
        column: its name in lower case.
    """
    for key, value in record.items():
        name = key.lower()
        below = isinstance(value, dict) and bool(value)
        if name == column and not below:
            yield (key,)
        elif below and column.startswith(f"{name}_"):
            yield from ((key, *rest) for rest in _ways(value, column[len(name) + 1 :]))


def _written(page: Page, way: Path) -> str:
    if page.form == "xml":
        return _xpath(way)
    if isinstance(page.rows, XlsxPage):
        return page.rows.pointer(way)
    return json_pointer(way)


def _xpath(way: Path) -> str:
    """Keys as elements, `@name` as attributes, numbers as positions from 1."""
    text = ""
    for step in way:
        text += f"[{step + 1}]" if isinstance(step, int) else "/text()" if step == "#text" else f"/{step}"
    return text
