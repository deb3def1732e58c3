"""Rows as HTML tables, which scroll on narrow screens and fold on paper if they are wide."""

from __future__ import annotations

from html import escape
from typing import Any

from sluice.reports.values import NULL, ColumnStyle, Rows

# About how many characters fit side by side on a page of paper.
_PAPER_WIDTH = 100
_WIDEST_TEXT = 18
_FEW_ROWS = 10


def table(rows: Rows, caption: str, name: str = "") -> str:
    """Return rows as a table; numbers are right-aligned.

    Args:
        rows: the result of a query.
        caption: what the table has, as text; for screen readers.
        name: the id of the table's box; required for `fold_style`.
    """
    styles = rows.styles()
    head = "".join(_heading(style) for style in styles)
    body = "".join(
        "<tr>" + "".join(_cell(style, row[style.name]) for style in styles) + "</tr>\n" for row in rows.items
    )
    if not rows.items:
        body = f'<tr><td colspan="{len(styles)}" class="none">No rows.</td></tr>\n'
    # Short tables are kept on one page of paper, unless they fold.
    size = " short" if len(rows.items) <= _FEW_ROWS and _fits_paper(styles, rows) else ""
    box = f'<div class="scroll{size}" tabindex="0" role="group" aria-label="{escape(caption)}"'
    box += f' id="{name}">' if name else ">"
    return (
        f'{box}<table><caption class="unseen">{escape(caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>"
    )


def fold_style(rows: Rows, name: str) -> str:
    """Return style rules that print each row of a wide table as a list, with each column's name before its value.

    Args:
        rows: the table's rows.
        name: the id of the table's box.

    Returns:
        The rules; empty if the table fits on paper.
    """
    styles = rows.styles()
    if _fits_paper(styles, rows):
        return ""
    table_rules = (
        f"#{name} :is(table, tbody, tr) {{ display: block }} #{name} thead {{ display: none }}"
        f" #{name} tr {{ border-bottom: 1px solid var(--grid); padding: .4rem 0; columns: 3; break-inside: auto }}"
        f" #{name} td {{ display: block; max-width: none; text-align: left; border: 0; padding: 0 1rem 0 0;"
        " white-space: normal; overflow-wrap: anywhere }"
        f" #{name} td::before {{ color: var(--soft); padding-right: .5em }}"
    )
    names = "".join(
        f'#{name} td:nth-child({index})::before{{content:"{_css_text(style.label)}"}}\n'
        for index, style in enumerate(styles, 1)
    )
    return f"@media print {{ {table_rules}\n{names}}}\n"


def _fits_paper(styles: list[ColumnStyle], rows: Rows) -> bool:
    return not rows.items or sum(_width(style, rows.items) for style in styles) <= _PAPER_WIDTH


def _width(style: ColumnStyle, items: list[dict[str, Any]]) -> int:
    """About how many characters wide a column is on paper, with the space beside it."""
    longest = max(len(style.text(row[style.name])) for row in items)
    if not style.is_number:
        longest = min(longest, _WIDEST_TEXT)
    return max(longest, min(len(style.name), 8)) + 2


def _css_text(text: str) -> str:
    """Escape a text for a string of CSS within HTML."""
    return "".join(
        character if character.isalnum() or character in " ()%€$_-" else f"\\{ord(character):x} " for character in text
    )


def _class(style: ColumnStyle) -> str:
    return ' class="number"' if style.is_number else ' class="time"' if style.is_time else ""


def _heading(style: ColumnStyle) -> str:
    unit = f' <span class="unit">({escape(style.unit)})</span>' if style.unit else ""
    return f'<th scope="col"{_class(style)}>{escape(style.name)}{unit}</th>'


def _cell(style: ColumnStyle, value: Any) -> str:
    if value is None:
        class_ = "number none" if style.is_number else "none"
        return f'<td class="{class_}">{NULL}</td>'
    text = escape(style.text(value))
    if style.is_time and text != value:
        text = f'<time datetime="{escape(str(value))}">{text}</time>'
    return f"<td{_class(style)}>{text}</td>"
