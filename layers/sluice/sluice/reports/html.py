"""The page of a report: one HTML file without scripts, for screens of any size and for print, light and dark."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from markdown_it import MarkdownIt

from sluice.domain.dataset import InputVersion
from sluice.domain.json_text import dumps
from sluice.domain.schema import is_number

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #59636e; --paper: #ffffff; --grid: #d9dee3;
  --series-0: #2563eb; --series-1: #d9480f; --series-2: #2b8a3e; --series-3: #9c36b5; --series-4: #b08900;
  --series-5: #0c8599; --series-6: #c2255c; --series-7: #5c677d; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --soft: #9aa4ae; --paper: #14171a; --grid: #343b42;
  --series-0: #6ea8fe; --series-1: #ff922b; --series-2: #69db7c; --series-3: #da77f2; --series-4: #ffd43b;
  --series-5: #3bc9db; --series-6: #f783ac; --series-7: #adb5bd; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .6rem; }
.about, .note, footer { color: var(--soft); font-size: .875rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .925rem; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .7rem .35rem 0; border-bottom: 1px solid var(--grid); text-align: left; vertical-align: top; }
th { color: var(--soft); font-weight: 600; white-space: nowrap; }
.number { text-align: right; white-space: nowrap; }
svg { width: 100%; height: auto; display: block; }
svg text { font-family: system-ui, sans-serif; }
.incomplete { border-left: 4px solid var(--series-1); padding: .4rem .8rem; }
footer { margin-top: 2.5rem; border-top: 1px solid var(--grid); padding-top: .8rem; }
@media print { :root { --paper: #ffffff; --ink: #000000; --soft: #444444; --grid: #cccccc; }
  main { max-width: none; padding: 0; } section { break-inside: avoid; } .wide { overflow: visible; } }
"""


@dataclass(frozen=True)
class Rows:
    """The result of a section's query.

    Args:
        columns: `{"name", "type"}` of each column.
        items: the rows, by column name.
        truncated: whether the query has more rows.
    """

    columns: list[dict[str, str]]
    items: list[dict[str, Any]]
    truncated: bool


def markdown(text: str) -> str:
    """Convert Markdown to HTML; HTML in the text is escaped."""
    return str(MarkdownIt("js-default", {"html": False, "linkify": False}).render(text))


def table(rows: Rows) -> str:
    """Return rows as an HTML table; numbers are right-aligned."""
    classes = [' class="number"' if is_number(column["type"]) else "" for column in rows.columns]
    head = "".join(
        f"<th{class_}>{escape(column['name'])}</th>" for column, class_ in zip(rows.columns, classes, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{class_}>{_cell(row[column['name']])}</td>"
            for column, class_ in zip(rows.columns, classes, strict=True)
        )
        + "</tr>\n"
        for row in rows.items
    )
    more = f'<p class="note">The first {len(rows.items)} rows; there are more.</p>' if rows.truncated else ""
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>{more}'


def _cell(value: Any) -> str:
    match value:
        case None:
            return '<span class="note">–</span>'
        case bool():
            return "yes" if value else "no"
        case list() | dict():
            return escape(dumps(value).decode())
        case _:
            return escape(str(value))


def section(title: str | None, content: str) -> str:
    """Return a section of the page.

    Args:
        title: the heading, as text.
        content: the section's HTML.
    """
    heading = f"<h2>{escape(title)}</h2>\n" if title else ""
    return f"<section>\n{heading}{content}\n</section>"


def page(title: str, project: str, run: str, data_as_of: str, inputs: list[InputVersion], sections: list[str]) -> str:
    """Return the whole page; its footer lists the versions that the report reads.

    Args:
        title: the report's title, as text.
        project: the project's slug.
        run: the id of the run that makes the report.
        data_as_of: the time of the data, RFC 3339.
        inputs: the versions that the report reads.
        sections: the sections' HTML.
    """
    incomplete = sorted(input_.alias for input_ in inputs if input_.completeness != "complete")
    warning = (
        f'<p class="incomplete">Not all of the data is known to be complete: {escape(", ".join(incomplete))}.</p>'
        if incomplete
        else ""
    )
    input_rows = Rows(
        [{"name": name, "type": "string"} for name in ("table", "version", "rows", "completeness", "made at")],
        [
            {
                "table": input_.alias,
                "version": input_.version,
                "rows": input_.rows,
                "completeness": input_.completeness,
                "made at": input_.created_at,
            }
            for input_ in inputs
        ],
        truncated=False,
    )
    parts = "\n".join(sections)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{escape(title)}</h1>
<p class="about">{escape(project)} · data as of {escape(data_as_of)}</p>
{warning}
{parts}
<footer>
<p>This report was made by the run {escape(run)} from:</p>
{table(input_rows)}
</footer>
</main>
</body>
</html>
"""
