"""Pagination by position: by an offset, or by the number of a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sluice.domain.datasource.http_source import OffsetPagination, PageLimits, PagePagination
from sluice.sources.http.pagination import Counted, End, PageFacts, PageParameters, State, has_more, selected_total


class OffsetPages:
    """The offset grows by the number of records received, until the total is reached or a page is short."""

    reads_pages = True
    many_pages = True
    positional = True
    counts: Counted | None = "records"

    def __init__(self, spec: OffsetPagination) -> None:
        self._spec = spec

    def first_state(self) -> State:
        """Return the offset of the first record, and no records received."""
        return {"offset": self._spec.start, "received": 0}

    def parameters(self, state: State) -> PageParameters:
        """Return the offset and, if the upstream takes one, the limit."""
        return _place_parameters({self._spec.offset_param: state["offset"], self._spec.limit_param: self._spec.limit})

    def next_state(self, state: State, page: PageFacts) -> State | End:
        """Return the next offset, or the end: see `Paginator.next_state`."""
        received = state["received"] + page.records
        more = has_more(self._spec, page.document)
        total = selected_total(self._spec.total, page.document)
        if more is not None:
            return _next_offset(state, page.records, received) if more else _end_by_total(received, total)
        if self._spec.has_more is not None:
            return End("unproven", f"has_more selects nothing in the page after {received} records")
        if total is not None:
            # An empty page ends the run even if the total is not reached, or it would never end.
            if received >= total or page.records == 0:
                return _end_by_total(received, total)
            return _next_offset(state, page.records, received)
        if page.records == 0 or (self._spec.limit is not None and page.records < self._spec.limit):
            kind = "an empty" if page.records == 0 else "a short"
            return End("unproven", f"the pages ended with {kind} page, after {received} records, without a total")
        return _next_offset(state, page.records, received)

    def total(self, document: Any) -> int | None:
        """Return the total number of records."""
        return selected_total(self._spec.total, document)

    def states_ahead(self, state: State, size: int, total: int | None) -> Iterator[State]:
        """Yield the offsets up to the total: see `Paginator.states_ahead`."""
        following = dict(state)
        while _total_decides(self._spec, total) and 0 < size < (total or 0) - following["received"]:
            following = {"offset": following["offset"] + size, "received": following["received"] + size}
            yield following


class NumberedPages:
    """The page number grows by one, up to `total_pages` or a short page."""

    reads_pages = True
    many_pages = True
    positional = True
    counts: Counted | None = "pages"

    def __init__(self, spec: PagePagination) -> None:
        self._spec = spec

    def first_state(self) -> State:
        """Return the number of the first page."""
        return {"page": self._spec.start}

    def parameters(self, state: State) -> PageParameters:
        """Return the page number and, if the upstream takes one, the page size."""
        return _place_parameters({self._spec.page_param: state["page"], self._spec.size_param: self._spec.size})

    def next_state(self, state: State, page: PageFacts) -> State | End:
        """Return the next page number, or the end: see `Paginator.next_state`."""
        seen = state["page"] - self._spec.start + 1
        following = {"page": state["page"] + 1}
        more = has_more(self._spec, page.document)
        total = selected_total(self._spec.total_pages, page.document)
        if more is not None:
            return _unless_empty(following, page.records, seen) if more else _end_by_pages(seen, total, page.records)
        if self._spec.has_more is not None:
            return End("unproven", f"has_more selects nothing in page {seen}")
        if total is not None:
            if seen >= total:
                return _end_by_pages(seen, total, page.records)
            return _unless_empty(following, page.records, seen)
        if page.records == 0 or (self._spec.size is not None and page.records < self._spec.size):
            kind = "an empty" if page.records == 0 else "a short"
            return End("unproven", f"the pages ended with {kind} page, number {seen}, without a number of pages")
        return following

    def total(self, document: Any) -> int | None:
        """Return the total number of pages."""
        return selected_total(self._spec.total_pages, document)

    def states_ahead(self, state: State, size: int, total: int | None) -> Iterator[State]:
        """Yield the numbers up to the last page: see `Paginator.states_ahead`."""
        if _total_decides(self._spec, total):
            for number in range(state["page"] + 1, self._spec.start + (total or 0)):
                yield {"page": number}


def _place_parameters(values: Mapping[str | None, int | None]) -> PageParameters:
    """Put each value into the body if its name is a JSON Pointer (begins with `/`), or else into the query."""
    present = {name: value for name, value in values.items() if name is not None and value is not None}
    return PageParameters(
        params={name: str(value) for name, value in present.items() if not name.startswith("/")},
        body={name: value for name, value in present.items() if name.startswith("/")},
    )


def _total_decides(limits: PageLimits, total: int | None) -> bool:
    """Return whether the total alone decides where the pages end."""
    return total is not None and limits.has_more is None and limits.stop_when is None


def _next_offset(state: State, records: int, received: int) -> State | End:
    if records == 0:
        return End("partial", f"the upstream says that more follows, and gave an empty page after {received} records")
    return {"offset": state["offset"] + records, "received": received}


def _end_by_total(received: int, total: int | None) -> End:
    if total is None or received == total:
        return End("complete")
    if received > total:
        return End("unproven", f"the upstream says {total} records and gave {received}")
    return End("partial", f"the upstream says {total} records and gave only {received}")


def _unless_empty(following: State, records: int, seen: int) -> State | End:
    if records == 0:
        return End("partial", f"the upstream says that more follows, and page {seen} is empty")
    return following


def _end_by_pages(seen: int, total: int | None, records: int) -> End:
    if total is not None and seen > total and records:
        return End("unproven", f"the upstream says {total} pages and gave records on page {seen}")
    if total is not None and seen < total:
        return End("partial", f"the upstream says {total} pages and ended after {seen}")
    if total is not None and seen == total > 1 and not records:
        return End("partial", f"the upstream says {total} pages and the last one is empty")
    return End("complete")
