"""How one page leads to the next, and what the last one proves.

A paginator is small and has no state of its own: its state is a JSON object that is stored with
each page's receipt, so that any later call can go on from there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sluice.domain.datasource import NoPagination, OffsetPagination, PageLimits, Pagination
from sluice.domain.expression import search
from sluice.domain.run import Completeness

State = dict[str, Any]


@dataclass(frozen=True)
class PageFacts:
    """What a paginator may know of a page: its document, and how many records it has."""

    document: Any
    records: int


@dataclass(frozen=True)
class End:
    """There is no further page; whether that was proven, and if not, why."""

    completeness: Completeness
    reason: str | None = None


class Paginator(Protocol):
    """What the fetcher asks of each way of pagination."""

    reads_pages: bool

    def first(self) -> State:
        """The state before the first page."""
        ...

    def params(self, state: State) -> Mapping[str, str]:
        """The query parameters that ask for the state's page."""
        ...

    def after(self, state: State, page: PageFacts) -> State | End:
        """The state of the next page, or the end."""
        ...


class SinglePage:
    """One request gives the whole, unless the upstream itself says that more follows."""

    def __init__(self, spec: NoPagination) -> None:
        self._spec = spec
        self.reads_pages = spec.has_more is not None or spec.stop_when is not None

    def first(self) -> State:
        """Nothing to remember."""
        return {}

    def params(self, state: State) -> Mapping[str, str]:
        """Nothing to ask for."""
        return {}

    def after(self, state: State, page: PageFacts) -> State | End:
        """A whole body is the whole."""
        if self.reads_pages and _said(self._spec, page.document):
            return End("partial", "the upstream says that more follows, and the datasource has no pagination")
        return End("complete")


class OffsetPages:
    """The offset grows by the records received, until the total is reached or a page is short."""

    reads_pages = True

    def __init__(self, spec: OffsetPagination) -> None:
        self._spec = spec

    def first(self) -> State:
        """The offset of the first record, and none received."""
        return {"offset": self._spec.start, "received": 0}

    def params(self, state: State) -> Mapping[str, str]:
        """The offset and, where the upstream takes one, the limit."""
        params = {self._spec.offset_param: str(state["offset"])}
        if self._spec.limit_param is not None and self._spec.limit is not None:
            params[self._spec.limit_param] = str(self._spec.limit)
        return params

    def after(self, state: State, page: PageFacts) -> State | End:
        """The next offset, or the end with what it proves."""
        received = state["received"] + page.records
        said = _said(self._spec, page.document)
        total = _total(self._spec, page.document)
        if said is not None:
            return _further(state, page.records, received) if said else _ended(received, total)
        if self._spec.has_more is not None:
            return End("unproven", f"has_more selects nothing in the page after {received} records")
        if total is not None:
            return self._by_total(state, page.records, received, total)
        if page.records == 0 or (self._spec.limit is not None and page.records < self._spec.limit):
            kind = "an empty" if page.records == 0 else "a short"
            return End("unproven", f"the pages ended with {kind} one, after {received} records, without a total")
        return _further(state, page.records, received)

    @staticmethod
    def _by_total(state: State, records: int, received: int, total: int) -> State | End:
        if received >= total or records == 0:
            return _ended(received, total)
        return _further(state, records, received)


def _ended(received: int, total: int | None) -> End:
    """The end, as far as the total agrees with it."""
    if total is None or received == total:
        return End("complete")
    if received > total:
        return End("unproven", f"the upstream says {total} records and gave {received}")
    return End("partial", f"the upstream says {total} records and gave only {received}")


def _further(state: State, records: int, received: int) -> State | End:
    if records == 0:
        return End("partial", f"the upstream says that more follows, and gave an empty page after {received} records")
    return {"offset": state["offset"] + records, "received": received}


def _said(limits: PageLimits, document: Any) -> bool | None:
    """Whether the upstream says that more follows; none when it says nothing."""
    if limits.has_more is not None:
        value = search(limits.has_more, document)
        return None if value is None else bool(value)
    if limits.stop_when is not None and search(limits.stop_when, document):
        return False
    return None


def _total(spec: OffsetPagination, document: Any) -> int | None:
    if spec.total is None:
        return None
    value = search(spec.total, document)
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def paginator(spec: Pagination) -> Paginator:
    """The paginator for a datasource's `pagination`."""
    match spec:
        case OffsetPagination():
            return OffsetPages(spec)
        case NoPagination():
            return SinglePage(spec)
