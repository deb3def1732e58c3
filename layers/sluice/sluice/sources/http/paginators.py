"""The paginator of a datasource's `pagination`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sluice.domain.datasource.http_source import (
    CursorPagination,
    NextUrlPagination,
    NoPagination,
    OffsetPagination,
    PagePagination,
    Pagination,
)
from sluice.sources.http.linked_pages import CursorPages, LinkedPages
from sluice.sources.http.pagination import Counted, End, PageFacts, PageParameters, Paginator, State, has_more
from sluice.sources.http.positional_pages import NumberedPages, OffsetPages


class SinglePage:
    """One request returns everything, unless `has_more` or `stop_when` says otherwise."""

    many_pages = False
    positional = False
    counts: Counted | None = None

    def __init__(self, spec: NoPagination) -> None:
        self._spec = spec
        self.reads_pages = spec.has_more is not None or spec.stop_when is not None

    def first_state(self) -> State:
        """Return an empty state."""
        return {}

    def parameters(self, state: State) -> PageParameters:
        """Return no parameters."""
        return PageParameters()

    def next_state(self, state: State, page: PageFacts) -> State | End:
        """Return the end: see `Paginator.next_state`."""
        if self.reads_pages and has_more(self._spec, page.document):
            return End("partial", "the upstream says that more follows, and the datasource has no pagination")
        return End("complete")

    def total(self, document: Any) -> int | None:
        """Return None: a single page needs no total."""
        return None

    def states_ahead(self, state: State, size: int, total: int | None) -> Iterator[State]:
        """Yield nothing: there is one page."""
        return iter(())


def make_paginator(spec: Pagination) -> Paginator:
    """Return the paginator for a datasource's `pagination`."""
    match spec:
        case OffsetPagination():
            return OffsetPages(spec)
        case PagePagination():
            return NumberedPages(spec)
        case NextUrlPagination():
            return LinkedPages(spec)
        case CursorPagination():
            return CursorPages(spec)
        case NoPagination():
            return SinglePage(spec)
