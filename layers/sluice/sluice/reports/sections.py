"""The sections of a report's page."""

from __future__ import annotations

import warnings
from html import escape

from aws_lambda_powertools import Logger

from sluice.domain.report import Chart, MarkdownSection, QuerySection, TableSection
from sluice.reads.csv_text import csv_header, csv_rows
from sluice.reads.report_files import section_file_name
from sluice.reports.canvas import EmptyChartError
from sluice.reports.drawings import draw_chart
from sluice.reports.html import count_of, data_link, figure, markdown, section
from sluice.reports.tables import fold_style, table
from sluice.reports.values import Rows

logger = Logger()


class PageSections:
    """Collects the HTML of a report's sections, in their order.

    Args:
        project: the project's slug.
        report: the report's name.
        link_bytes: how many bytes of CSV all links of the page may contain.
    """

    def __init__(self, project: str, report: str, link_bytes: int) -> None:
        self._project = project
        self._report = report
        self._link_bytes = link_bytes
        self.html: list[str] = []
        self.styles: list[str] = []

    def add_text(self, document: MarkdownSection) -> None:
        """Add a section of text."""
        self.html.append(section(None, markdown(document.text)))

    def add_rows(self, index: int, document: QuerySection, rows: Rows, csv: str) -> None:
        """Add a table or chart.

        Args:
            index: the section's number in the report, from 0.
            document: the section.
            rows: the result of its query.
            csv: the rows as CSV.

        Raises:
            ModelFailed: a chart or a format does not fit the rows.
        """
        subject = document.title or f"{document.type.capitalize()} {index + 1}"
        note = count_of(rows) + self._data(index, rows, csv.encode(), subject)
        if isinstance(document, TableSection):
            name = f"section-{index}"
            content = f'{table(rows, subject, name)}\n<p class="note">{note}</p>'
            self.styles.append(fold_style(rows, name))
        else:
            content = _chart(document, rows, f"section-{index}", note)
        self.html.append(section(document.title, content))

    def _data(self, index: int, rows: Rows, csv: bytes, subject: str) -> str:
        """Return the link to a section's rows, or where to get them if the page has no room for the link."""
        if len(csv) <= self._link_bytes:
            self._link_bytes -= len(csv)
            file_name = section_file_name(
                self._project, self._report, None, str(index), len(rows.items), truncated=rows.truncated
            )
            return data_link(csv, file_name, subject)
        address = f"reports/{escape(self._report)}/latest?format=csv&amp;section={index}"
        return f" · The CSV is too large for this page; the API returns it at <code>{address}</code> of the project."


def section_csv(rows: Rows) -> str:
    """Return rows as CSV: all digits, in no format."""
    names = [column["name"] for column in rows.columns]
    kinds = [column["type"] for column in rows.columns]
    return csv_header(names) + csv_rows(kinds, ([row[name] for name in names] for row in rows.items))


def _chart(document: Chart, rows: Rows, name: str, note: str) -> str:
    if not rows.items:
        return f'<p class="note">The query has no rows, so there is nothing to draw. {note}</p>'
    try:
        with warnings.catch_warnings(action="ignore"):  # matplotlib warns of overflows before it raises
            return figure(draw_chart(document, rows, name), note)
    except EmptyChartError:
        return f'<p class="note">All values are null, so there is nothing to draw. {note}</p>'
    except (ValueError, ArithmeticError, IndexError, RuntimeError) as error:
        logger.info("a chart cannot be drawn", extra={"reason": str(error)})
        reason = "These values cannot be drawn: the range is too large, too small or no times."
        return f'<p class="note">{reason} {note}</p>'
