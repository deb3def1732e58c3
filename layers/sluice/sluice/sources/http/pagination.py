"""The protocol of pagination: how a page is requested, how it leads to the next, and what the last page proves.

A paginator has no state of its own. Its state is a JSON object that is stored with each page's receipt, so that
any later call can continue from there. `paginators` makes the paginator of a datasource.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from sluice.domain.datasource.http_source import PageLimits
from sluice.domain.expression import search
from sluice.domain.run import Completeness

State = dict[str, Any]
Counted = Literal["records", "pages"]
_DIGITS = re.compile(r"[0-9]{1,15}(\.0+)?")
# Larger totals are not plausible, and a double, as which some upstreams write them, holds no more digits exactly.
_TOTAL_LIMIT = 10**15


@dataclass(frozen=True)
class PageFacts:
    """What a paginator needs to know about a page.

    Args:
        document: the parsed page.
        records: the number of its records.
        headers: the response's headers, with names in lower case.
        missing: whether the datasource's `records` selects nothing in the page.
    """

    document: Any
    records: int
    headers: Mapping[str, str] = field(default_factory=dict)
    missing: bool = False


@dataclass(frozen=True)
class PageParameters:
    """How a page is requested.

    Args:
        params: parameters of the query.
        body: values of the body, by JSON Pointer.
        url: the page's own address, which is used without `params`; None: the datasource's address.
    """

    params: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    url: str | None = None


@dataclass(frozen=True)
class End:
    """There is no further page.

    Args:
        completeness: whether the end is proven.
        reason: why not, if it is not.
    """

    completeness: Completeness
    reason: str | None = None


class Paginator(Protocol):
    """One kind of pagination.

    Args:
        reads_pages: whether a page must be parsed to find the next one.
        many_pages: whether a run can have more than one page.
        positional: whether a page is requested by its position, which shifts when records are inserted or deleted
            before it.
        counts: what a page's total counts; None if pages have no total.
    """

    reads_pages: bool
    many_pages: bool
    positional: bool
    counts: Counted | None

    def first_state(self) -> State:
        """Return the state of the first page."""
        ...

    def parameters(self, state: State) -> PageParameters:
        """Return how to request the page of a state."""
        ...

    def next_state(self, state: State, page: PageFacts) -> State | End:
        """Return the state of the next page, or the end.

        Args:
            state: the state of the page.
            page: the page.

        Raises:
            ValueError: the page has a link, cursor or total of the wrong type.
        """
        ...

    def total(self, document: Any) -> int | None:
        """Return the total number of records or pages that a page states; None if it states none."""
        ...

    def states_ahead(self, state: State, size: int, total: int | None) -> Iterator[State]:
        """Yield the states after a page that are known before the page is read.

        Args:
            state: the state of the page.
            size: the expected number of records of each page: that of the first one.
            total: the total that an earlier page stated; None if none did.
        """
        ...


def has_more(limits: PageLimits, document: Any) -> bool | None:
    """Return whether the upstream says that more pages follow; None if it says nothing.

    Args:
        limits: the datasource's `has_more` and `stop_when`.
        document: the parsed page.
    """
    if limits.has_more is not None:
        value = search(limits.has_more, document)
        return None if value is None else bool(value)
    if limits.stop_when is not None and search(limits.stop_when, document):
        return False
    return None


def selected_total(expression: str | None, document: Any) -> int | None:
    """Return the total that an expression selects, as a number or as text; None if there is none.

    Args:
        expression: a JMESPath expression; None: pages have no total.
        document: the parsed page.
    """
    if expression is None:
        return None
    value = search(expression, document)
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        value = int(value.strip().partition(".")[0])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    # Some upstreams write -1 for a total that they do not know.
    usable = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _TOTAL_LIMIT
    return value if usable else None
