"""Columns whose types the source itself states, so that they need not be inferred."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from sluice.domain.base import Record
from sluice.domain.schema import common_type, is_decimal, scale_of

# Types of numbers without a stated precision: PostgreSQL's and BSON's.
_UNBOUNDED = ("numeric", "decimal")


class PageColumn(Record):
    """A column of a page."""

    server_type: str = Field(description="The server's name for the type; empty if it has none.")
    type: str | None = Field(
        description="The column type that holds the page's values. Null: only nulls of an unknown type."
    )
    wide: bool = Field(False, description="Whether it has whole numbers whose digits a double would lose.")


def column_types(pages: Sequence[Mapping[str, PageColumn]]) -> dict[str, str]:
    """The column types of a result over all its pages.

    A number whose precision the server does not state becomes a decimal of 38 digits, so that larger values do not
    change the type later.

    Args:
        pages: the columns of each page, by name; all pages have the same columns.

    Returns:
        Types by column name; columns whose type is unknown are omitted.
    """
    columns: dict[str, list[PageColumn]] = {}
    for page in pages:
        for name, column in page.items():
            columns.setdefault(name, []).append(column)
    return {name: kind for name, of_pages in columns.items() if (kind := _type(of_pages)) is not None}


def _type(columns: Sequence[PageColumn]) -> str | None:
    typed_columns = [column for column in columns if column.type is not None]
    if not typed_columns:
        return None
    types = [column.type for column in typed_columns if column.type is not None]
    kind = common_type(types)
    # JSON keeps values of several server types apart: 7 and "7" are different values.
    if kind == "string" and len(set(types)) > 1 and len({column.server_type for column in typed_columns}) > 1:
        return "json"
    if kind == "double" and any(column.wide for column in typed_columns):
        return "json"
    if is_decimal(kind) and all(column.server_type in _UNBOUNDED for column in typed_columns):
        return f"decimal(38,{scale_of(kind)})"
    return kind
