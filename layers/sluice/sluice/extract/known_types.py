"""Types that a source states for its columns, which are used instead of inference."""

from __future__ import annotations

from collections.abc import Mapping

from sluice.domain.datasource import Datasource
from sluice.domain.page_columns import column_types
from sluice.domain.run import FetchIndex


def with_known_types(datasource: Datasource, index: FetchIndex) -> Datasource:
    """Add the types that the pages state to a datasource's document. Declared types take precedence.

    Args:
        datasource: the document.
        index: all pages of the run.
    """
    pages = [page.columns for page in index.pages if page.columns is not None]
    known_types = column_types(pages)
    if pages and not any(page.rows for page in index.pages):
        # Without rows, columns of unknown types would be lost.
        known_types = dict.fromkeys(pages[0], "string") | known_types
    if datasource.selects_columns:
        fields = datasource.fields or {}
        columns = {name: _column_of(expression, known_types) for name, expression in fields.items()}
        known_types = {name: known_types[column] for name, column in columns.items() if column in known_types}
    types = {name: kind for name, kind in known_types.items() if datasource.declared_type(name) is None}
    return datasource.model_copy(update={"types": {**types, **datasource.types}}) if types else datasource


def _column_of(expression: str, known: Mapping[str, str]) -> str:
    """The column that a path selects: `a.b` is `a_b` where `a` is an object, and so no column itself."""
    return expression if expression.partition(".")[0] in known else expression.replace(".", "_")
