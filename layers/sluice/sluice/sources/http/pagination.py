"""How one page leads to the next, and what the last one proves.

A paginator is small and has no state of its own: its state is a JSON object that is stored with
each page's receipt, so that any later call can go on from there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from sluice.domain.datasource.http_source import (
    CursorPagination,
    NextUrlPagination,
    NoPagination,
    OffsetPagination,
    PageLimits,
    PagePagination,
    Pagination,
)
from sluice.domain.expression import search
from sluice.domain.run import Completeness

State = dict[str, Any]
Counted = Literal["records", "pages"]
_DIGITS = re.compile(r"[0-9]{1,15}(\.0+)?")
_TOO_MANY = 10**15


@dataclass(frozen=True)
class PageFacts:
    """What a paginator may know of a page: its document, how many records it has, its headers.

    `missing` says that the datasource's `records` select nothing in the page.
    """

    document: Any
    records: int
    headers: Mapping[str, str] = field(default_factory=dict)
    missing: bool = False


@dataclass(frozen=True)
class Ask:
    """How a page is asked for: what goes into the query and the body, or another address."""

    params: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    url: str | None = None


@dataclass(frozen=True)
class End:
    """There is no further page; whether that was proven, and if not, why."""

    completeness: Completeness
    reason: str | None = None


class Paginator(Protocol):
    """What the fetcher asks of each way of pagination.

    Args:
        reads_pages: whether a page must be read to know what follows.
        many_pages: whether a run may have more than one page.
        positional: whether a page is asked for by its position, which changes when records are
            inserted or deleted before it.
        counts: what a page's total counts; none where pages have no total.
    """

    reads_pages: bool
    many_pages: bool
    positional: bool
    counts: Counted | None

    def first(self) -> State:
        """The state before the first page."""
        ...

    def ask(self, state: State) -> Ask:
        """How to ask for the state's page; `body` maps JSON Pointers to values."""
        ...

    def after(self, state: State, page: PageFacts) -> State | End:
        """The state of the next page, or the end."""
        ...

    def total(self, document: Any) -> int | None:
        """What a page says is the whole."""
        ...

    def ahead(self, state: State, size: int, total: int | None) -> Iterator[State]:
        """The states after this one, as far as they are known before its page is read.

        Args:
            size: how many records each page is expected to have, as the first one.
            total: what a page before said is the whole; none when it said nothing.
        """
        ...


class SinglePage:
    """One request gives the whole, unless the upstream itself says that more follows."""

    many_pages = False
    positional = False
    counts: Counted | None = None

    def __init__(self, spec: NoPagination) -> None:
        self._spec = spec
        self.reads_pages = spec.has_more is not None or spec.stop_when is not None

    def first(self) -> State:
        """Nothing to remember."""
        return {}

    def ask(self, state: State) -> Ask:
        """Nothing besides the request itself."""
        return Ask()

    def after(self, state: State, page: PageFacts) -> State | End:
        """A whole body is the whole."""
        if self.reads_pages and _said(self._spec, page.document):
            return End("partial", "the upstream says that more follows, and the datasource has no pagination")
        return End("complete")

    def total(self, document: Any) -> int | None:
        """A single page needs none."""
        return None

    def ahead(self, state: State, size: int, total: int | None) -> Iterator[State]:
        """There is one page."""
        return iter(())


class OffsetPages:
    """The offset grows by the records received, until the total is reached or a page is short."""

    reads_pages = True
    many_pages = True
    positional = True
    counts: Counted | None = "records"

    def __init__(self, spec: OffsetPagination) -> None:
        self._spec = spec

    def first(self) -> State:
        """The offset of the first record, and none received."""
        return {"offset": self._spec.start, "received": 0}

    def ask(self, state: State) -> Ask:
        """The offset and, where the upstream takes one, the limit."""
        return _placed({self._spec.offset_param: state["offset"], self._spec.limit_param: self._spec.limit})

    def after(self, state: State, page: PageFacts) -> State | End:
        """The next offset, or the end with what it proves."""
        received = state["received"] + page.records
        said = _said(self._spec, page.document)
        total = _whole(self._spec.total, page.document)
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

    def total(self, document: Any) -> int | None:
        """The number of records."""
        return _whole(self._spec.total, document)

    def ahead(self, state: State, size: int, total: int | None) -> Iterator[State]:
        """The offsets up to the total, unless each page says whether more follows."""
        following = dict(state)
        while _counts_alone(self._spec, total) and 0 < size < (total or 0) - following["received"]:
            following = {"offset": following["offset"] + size, "received": following["received"] + size}
            yield following

    @staticmethod
    def _by_total(state: State, records: int, received: int, total: int) -> State | End:
        if received >= total or records == 0:
            return _ended(received, total)
        return _further(state, records, received)


class NumberedPages:
    """The page's number grows by one, until the last of `total_pages` or a short page."""

    reads_pages = True
    many_pages = True
    positional = True
    counts: Counted | None = "pages"

    def __init__(self, spec: PagePagination) -> None:
        self._spec = spec

    def first(self) -> State:
        """The number of the first page."""
        return {"page": self._spec.start}

    def ask(self, state: State) -> Ask:
        """The number and, where the upstream takes one, the size."""
        return _placed({self._spec.page_param: state["page"], self._spec.size_param: self._spec.size})

    def after(self, state: State, page: PageFacts) -> State | End:
        """The next number, or the end with what it proves."""
        seen = state["page"] - self._spec.start + 1
        following = {"page": state["page"] + 1}
        said = _said(self._spec, page.document)
        total = _whole(self._spec.total_pages, page.document)
        if said is not None:
            return _unless_empty(following, page.records, seen) if said else _all_pages(seen, total, page.records)
        if self._spec.has_more is not None:
            return End("unproven", f"has_more selects nothing in page {seen}")
        if total is not None:
            return (
                _all_pages(seen, total, page.records) if seen >= total else _unless_empty(following, page.records, seen)
            )
        if page.records == 0 or (self._spec.size is not None and page.records < self._spec.size):
            kind = "an empty" if page.records == 0 else "a short"
            return End("unproven", f"the pages ended with {kind} one, page {seen}, without a number of pages")
        return following

    def total(self, document: Any) -> int | None:
        """The number of pages."""
        return _whole(self._spec.total_pages, document)

    def ahead(self, state: State, size: int, total: int | None) -> Iterator[State]:
        """The numbers up to the last page's, unless each page says whether more follows."""
        if _counts_alone(self._spec, total):
            for number in range(state["page"] + 1, self._spec.start + (total or 0)):
                yield {"page": number}


def _all_pages(seen: int, total: int | None, records: int) -> End:
    if total is not None and seen > total and records:
        return End("unproven", f"the upstream says {total} pages and gave records on page {seen}")
    if total is not None and seen < total:
        return End("partial", f"the upstream says {total} pages and ended after {seen}")
    if total is not None and seen == total > 1 and not records:
        return End("partial", f"the upstream says {total} pages and the last one is empty")
    return End("complete")


def _unless_empty(following: State, records: int, seen: int) -> State | End:
    if records == 0:
        return End("partial", f"the upstream says that more follows, and page {seen} is empty")
    return following


class LinkedPages:
    """Each page names the address of the next one."""

    reads_pages = True
    many_pages = True
    positional = False
    counts: Counted | None = None

    def __init__(self, spec: NextUrlPagination) -> None:
        self._spec = spec

    def first(self) -> State:
        """The datasource's own address."""
        return {}

    def ask(self, state: State) -> Ask:
        """The address that the page before named, whole as it is."""
        return Ask(url=state.get("url"))

    def after(self, state: State, page: PageFacts) -> State | End:
        """The next address; none proves the end.

        Raises:
            ValueError: what stands where the address should is none.
        """
        said = _said(self._spec, page.document)
        header = page.headers.get("link", "")
        if self._spec.path is None and header and not re.search(r"<[^>]*>", header):
            return End("unproven", "the header Link cannot be read, so perhaps more follows")
        following = self._address(page)
        return _followed(said, {"url": following} if following else None, "address")

    def total(self, document: Any) -> int | None:
        """The last page names no next one; nothing is counted."""
        return None

    def ahead(self, state: State, size: int, total: int | None) -> Iterator[State]:
        """Only the page itself names the next one."""
        return iter(())

    def _address(self, page: PageFacts) -> str | None:
        if self._spec.path is None:
            return _next_link(page.headers.get("link", ""))
        value = search(self._spec.path, page.document)
        if value in (None, "", False):
            return None
        if not isinstance(value, str):
            raise ValueError(f"path ({self._spec.path}) selects {type(value).__name__}, not an address")
        return value


class CursorPages:
    """Each page gives a cursor that asks for the next one."""

    reads_pages = True
    many_pages = True
    positional = False
    counts: Counted | None = None

    def __init__(self, spec: CursorPagination) -> None:
        self._spec = spec

    def first(self) -> State:
        """No cursor yet."""
        return {}

    def ask(self, state: State) -> Ask:
        """The cursor, in the query or the body."""
        if "cursor" not in state:
            return Ask()
        if self._spec.body_path is not None:
            return Ask(body={self._spec.body_path: state["cursor"]})
        return Ask(params={self._spec.param or "": str(state["cursor"])})

    def after(self, state: State, page: PageFacts) -> State | End:
        """The next cursor; none proves the end.

        Raises:
            ValueError: what stands where the cursor should is none.
        """
        said = _said(self._spec, page.document)
        if self._spec.header is not None:
            value: Any = page.headers.get(self._spec.header.lower())
        else:
            value = search(self._spec.path or "", page.document)
        if value is None or value is False or value in ("", [], {}):
            return _followed(said, None, "cursor")
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError(f"path ({self._spec.path}) selects {type(value).__name__}, not a cursor")
        return _followed(said, {"cursor": value}, "cursor")

    def total(self, document: Any) -> int | None:
        """The last page names no next one; nothing is counted."""
        return None

    def ahead(self, state: State, size: int, total: int | None) -> Iterator[State]:
        """Only the page itself names the next one."""
        return iter(())


def _followed(said: bool | None, following: State | None, noun: str) -> State | End:
    """The next state, as far as `has_more` and `stop_when` agree with it."""
    if said is False:
        return End("complete")
    if following is None:
        if said:
            return End("partial", f"the upstream says that more follows, and gives no {noun} for it")
        return End("complete")
    return following


_PARAMETER = r'\s*;\s*([^\s=;,]+)\s*(?:=\s*(?:"([^"]*)"|([^",;\s]*)))?'


def _next_link(header: str) -> str | None:
    """The address with rel=next in a `Link` header (RFC 8288)."""
    for link in re.finditer(rf"<([^>]*)>((?:{_PARAMETER})*)", header):
        for name, quoted, plain in re.findall(_PARAMETER, link[2]):
            if name.lower() == "rel" and "next" in (quoted or plain.strip("'")).lower().split():
                return link[1] or None
    return None


def _placed(values: Mapping[str | None, int | None]) -> Ask:
    """Each value where its name says: below `/` it is a place in the body, else in the query."""
    given = {name: value for name, value in values.items() if name is not None and value is not None}
    return Ask(
        params={name: str(value) for name, value in given.items() if not name.startswith("/")},
        body={name: value for name, value in given.items() if name.startswith("/")},
    )


def _ended(received: int, total: int | None) -> End:
    """The end, as far as the total agrees with it."""
    if total is None or received == total:
        return End("complete")
    if received > total:
        return End("unproven", f"the upstream says {total} records and gave {received}")
    return End("partial", f"the upstream says {total} records and gave only {received}")


def _counts_alone(limits: PageLimits, total: int | None) -> bool:
    """Whether the total alone says where the pages end."""
    return total is not None and limits.has_more is None and limits.stop_when is None


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


def _whole(expression: str | None, document: Any) -> int | None:
    """The whole number that an expression selects, however it is written; none when it selects none.

    A negative number says nothing: some upstreams write -1 for a total that they do not know.
    """
    if expression is None:
        return None
    value = search(expression, document)
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        value = int(value.strip().partition(".")[0])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    usable = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _TOO_MANY
    return value if usable else None


def paginator(spec: Pagination) -> Paginator:
    """The paginator for a datasource's `pagination`."""
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
