"""The columns of a page whose source says their types, so that they need not be inferred."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sluice.domain.base import Record
from sluice.domain.schema import common_type, is_decimal, scale_of


class PageColumn(Record):
    """A column on a page.

    Args:
        server_type: the server's name of its type; empty where it has none.
        type: the column type that holds the page's values; none where nothing speaks for one.
    """

    server_type: str
    type: str | None


def column_types(pages: Sequence[Mapping[str, PageColumn]]) -> dict[str, str]:
    """The types of a result's columns over all of its pages; a column is left out where nothing speaks for one.

    A number whose precision the server does not know becomes a decimal of 38 digits, so that its
    type does not change with each larger value.
    """
    types: dict[str, str] = {}
    for name, column in (pages[0] if pages else {}).items():
        seen = [kind for page in pages if (kind := page[name].type) is not None]
        if not seen:
            continue
        kind = common_type(seen)
        if is_decimal(kind) and column.server_type == "numeric":
            kind = f"decimal(38,{scale_of(kind)})"
        types[name] = kind
    return types
