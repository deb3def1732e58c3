"""The types that a source says of its columns: they are used instead of inference."""

from __future__ import annotations

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
        known = {name: known[expression] for name, expression in fields.items() if expression in known}
    types = {name: kind for name, kind in known.items() if datasource.declared_type(name) is None}
    return datasource.model_copy(update={"types": {**types, **datasource.types}}) if types else datasource
