"""The page of a report: one HTML file without scripts, for screens of any size and for print, light and dark."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape

from markdown_it import MarkdownIt
from markdown_it.token import Token

from sluice import __version__
from sluice.domain.dataset import InputVersion, Manifest
from sluice.domain.stale_input import StaleInput
from sluice.reads.report_files import CONTENT_POLICY
from sluice.reports.canvas import Drawing
from sluice.reports.style import STYLE
from sluice.reports.tables import table
from sluice.reports.values import Rows, moment_text

_MOST_REASONS = 5
_STAND_IN = "Earlier versions stand in for sources that could not be fetched:"


@dataclass(frozen=True)
class Origin:
    """What a report is made of and by, for its notice and its footer.

    Args:
        project: the project's slug.
        run: the id of the run that makes the report.
        version: the version's number.
        data_as_of: the time of the data, RFC 3339.
        inputs: the versions that the report reads.
        manifests: their manifests, by alias.
        stale: the earlier versions that stand in for sources that could not be fetched.
    """

    project: str
    run: str
    version: int | None
    data_as_of: str
    inputs: list[InputVersion]
    manifests: dict[str, Manifest] = field(default_factory=dict)
    stale: list[StaleInput] = field(default_factory=list)


def markdown(text: str) -> str:
    """Convert Markdown to HTML; HTML in the text is escaped. Headings continue those of the page without gaps."""
    renderer = MarkdownIt("js-default", {"html": False, "linkify": False})
    tokens = renderer.parse(text)
    _nest_headings(tokens)
    for token in tokens:
        if token.type == "th_open":
            token.attrSet("scope", "col")
    html = str(renderer.renderer.render(tokens, renderer.options, {}))
    return html.replace("<table>", '<div class="scroll" tabindex="0"><table>').replace("</table>", "</table></div>")


def _nest_headings(tokens: list[Token]) -> None:
    """Give headings the levels from 2 on: the page's title is level 1."""
    open_levels: list[str] = []
    for token in tokens:
        if token.type == "heading_open":
            while open_levels and open_levels[-1] >= token.tag:
                open_levels.pop()
            open_levels.append(token.tag)
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(len(open_levels) + 1, 6)}"


def _legend(drawing: Drawing) -> str:
    """Return the legend of a chart; empty if it has none."""
    entries = "".join(
        f'<li><span style="color: var(--{color})" aria-hidden="true">{shape}</span> {escape(label)}</li>'
        for color, shape, label in drawing.legend
    )
    return f'<ul class="legend">{entries}</ul>\n' if entries else ""


def figure(drawing: Drawing, note: str) -> str:
    """Return a chart with its legend.

    Args:
        drawing: the chart.
        note: the HTML below the chart.
    """
    caption = f"{escape(drawing.note)} {note}" if drawing.note else note
    return f"<figure>\n{_legend(drawing)}{drawing.svg}\n<figcaption>{caption}</figcaption>\n</figure>"


def count_of(rows: Rows) -> str:
    """Say how many rows there are, as text."""
    count = f"{len(rows.items):,} {'row' if len(rows.items) == 1 else 'rows'}"
    return f"Only the first {count}; there are more." if rows.truncated else count


def data_link(csv: bytes, file_name: str, subject: str) -> str:
    """Return a link, after a dot, that saves rows as a CSV file, also offline: the link itself contains the file.

    Args:
        csv: the file.
        file_name: its name.
        subject: what the rows are, as text; for screen readers.
    """
    content = base64.b64encode(csv).decode()
    return (
        f'<span class="data"> · <a download="{escape(file_name)}" href="data:text/csv;charset=utf-8;base64,{content}">'
        f'Data as CSV<span class="unseen">: {escape(subject)}</span></a></span>'
    )


def section(title: str | None, content: str) -> str:
    """Return a section of the page.

    Args:
        title: the heading, as text.
        content: the section's HTML.
    """
    heading = f"<h2>{escape(title)}</h2>\n" if title else ""
    return f"<section>\n{heading}{content}\n</section>"


def page(title: str, origin: Origin, sections: Iterable[str], styles: Iterable[str]) -> str:
    """Return the whole page.

    Args:
        title: the report's title, as text.
        origin: what the report is made of.
        sections: the sections' HTML.
        styles: style rules of single sections.
    """
    content = "\n".join(sections)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{CONTENT_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{STYLE}{"".join(styles)}</style>
</head>
<body>
<main>
<h1>{escape(title)}</h1>
<p class="about">{escape(origin.project)} · data as of {escape(moment_text(origin.data_as_of))}</p>
{_notices(origin)}{content}
{_footer(origin)}
</main>
</body>
</html>
"""


def _notices(origin: Origin) -> str:
    """Return the notices at the top: what is older than it should be, and what may be incomplete."""
    notices = ""
    if origin.stale:
        notices += (
            '<div class="notice"><p><strong>Some of this data is not current.</strong> '
            f"{_STAND_IN}</p>{_stale_list(origin)}</div>\n"
        )
    doubtful = [
        f"{escape(input_.alias)} ({escape(input_.completeness)})"
        for input_ in sorted(origin.inputs, key=lambda input_: input_.alias)
        # The list of stale sources already explains this word.
        if input_.completeness not in ("complete", *(["stale"] if origin.stale else []))
    ]
    if doubtful:
        notices += (
            f'<div class="notice"><p>Not all of this data is known to be complete: {", ".join(doubtful)}.</p></div>\n'
        )
    return notices


def _stale_list(origin: Origin) -> str:
    items = "".join(
        f"<li><bdi>{escape(source.datasource)}</bdi>: version {source.version}, "
        f"data as of {escape(moment_text(source.data_as_of))}. <bdi>{escape(source.error)}</bdi></li>"
        for source in origin.stale
    )
    return f"<ul>{items}</ul>"


def _footer(origin: Origin) -> str:
    """Return the footer: the versions that the report reads, and what made it."""
    stale = f"<p>{_STAND_IN}</p>{_stale_list(origin)}\n" if origin.stale else ""
    reasons = "".join(
        f"<li>{escape(input_.alias)} is {escape(input_.completeness)}: {escape('; '.join(texts[:_MOST_REASONS]))}</li>"
        for input_ in origin.inputs
        if (texts := _reasons(origin, input_))
    )
    version = f"Version {origin.version} of this report" if origin.version else "This report"
    return f"""<footer>
<h2>About this report</h2>
{table(_input_rows(origin), "The versions that this report reads")}
{stale}{f"<ul>{reasons}</ul>" if reasons else ""}
<p>{version} was made by the run {escape(origin.run)} with Sluice {escape(__version__)}.
The data is as of {escape(moment_text(origin.data_as_of))}.</p>
</footer>"""


def _reasons(origin: Origin, input_: InputVersion) -> list[str]:
    """Return why a version is not complete, without the stale sources, which the footer lists before."""
    manifest = origin.manifests.get(input_.alias)
    if manifest is None or input_.completeness == "complete":
        return []
    listed = {source.sentence for source in origin.stale}
    return [reason for reason in manifest.completeness_reasons if reason not in listed]


def _input_rows(origin: Origin) -> Rows:
    types = {
        "table": "string",
        "version": "string",
        "rows": "bigint",
        "completeness": "string",
        "data as of": "timestamp",
    }
    items = [
        {
            "table": input_.alias,
            "version": str(input_.version),
            "rows": input_.rows,
            "completeness": input_.completeness,
            "data as of": origin.manifests[input_.alias].data_as_of,
        }
        for input_ in origin.inputs
    ]
    return Rows([{"name": name, "type": type_} for name, type_ in types.items()], items)
