"""HTML tables for notebooks. Every text is escaped."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

_MOST_CHARACTERS = 200
MOST_ROWS = 20


def facts_table(caption: str, facts: Mapping[str, Any]) -> str:
    """A table with a name and a value in each row; values that are None are left out.

    Args:
        caption: the heading.
        facts: values by name.
    """
    rows = [
        f'<tr><th scope="row" style="text-align:left">{escape(name)}</th>'
        f'<td style="text-align:left">{escape(_short(value))}</td></tr>'
        for name, value in facts.items()
        if value is not None
    ]
    return _table(caption, rows)


def rows_table(caption: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """A table of the first rows.

    Args:
        caption: the heading.
        columns: the names of the columns.
        rows: values by column.
    """
    heading = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    lines = [f"<tr>{heading}</tr>"]
    for _, row in zip(range(MOST_ROWS), rows, strict=False):
        lines.append("<tr>" + "".join(f"<td>{escape(_short(row.get(column)))}</td>" for column in columns) + "</tr>")
    return _table(caption, lines)


def _table(caption: str, rows: Iterable[str]) -> str:
    return f"<table><caption>{escape(caption)}</caption>{''.join(rows)}</table>"


def _short(value: Any) -> str:
    if value is None:
        return "–"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 1] + "…"
