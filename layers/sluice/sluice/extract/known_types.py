"""The types that a source says of its columns: they are used instead of inference."""

from __future__ import annotations

from collections.abc import Mapping

from sluice.domain.datasource import Datasource
from sluice.domain.page_columns import column_types
from sluice.domain.run import FetchIndex


def with_known_types(datasource: Datasource, index: FetchIndex) -> Datasource:
    """A datasource whose document says the types that the pages say; what it says itself goes before.

    Args:
        index: all pages of the run.
    """
    told = [page.columns for page in index.pages if page.columns is not None]
    known = column_types(told)
    if told and not any(page.rows for page in index.pages):
        known = dict.fromkeys(told[0], "string") | known  # else columns of unknown types would be lost
    if datasource.selects_columns:
        fields = datasource.fields or {}
        columns = {name: _column_of(expression, known) for name, expression in fields.items()}
        known = {name: known[column] for name, column in columns.items() if column in known}
    types = {name: kind for name, kind in known.items() if datasource.declared_type(name) is None}
    return datasource.model_copy(update={"types": {**types, **datasource.types}}) if types else datasource


def _column_of(expression: str, known: Mapping[str, str]) -> str:
    """The column that a path selects: `a.b` is `a_b` where `a` is an object, and so no column itself."""
    return expression if expression.partition(".")[0] in known else expression.replace(".", "_")
