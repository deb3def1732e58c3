"""Pagination in which each page names the next one: by its address, or by a cursor."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sluice.domain.datasource.http_source import CursorPagination, NextUrlPagination
from sluice.domain.expression import search
from sluice.sources.http.pagination import Counted, End, PageFacts, PageParameters, State, has_more

_PARAMETER = r'\s*;\s*([^\s=;,]+)\s*(?:=\s*(?:"([^"]*)"|([^",;\s]*)))?'


class LinkedPages:
    """Each page has the address of the next one, in its body or in the header `Link`."""

    reads_pages = True
    many_pages = True
    positional = False
    counts: Counted | None = None

    def __init__(self, spec: NextUrlPagination) -> None:
        self._spec = spec

    def first_state(self) -> State:
        """Return an empty state: the first page has the datasource's own address."""
        return {}

    def parameters(self, state: State) -> PageParameters:
        """Return the address that the page before named."""
        return PageParameters(url=state.get("url"))

    def next_state(self, state: State, page: PageFacts) -> State | End:
        """Return the next address; a page without one proves the end: see `Paginator.next_state`."""
        more = has_more(self._spec, page.document)
        header = page.headers.get("link", "")
        if self._spec.path is None and header and not re.search(r"<[^>]*>", header):
            return End("unproven", "the header Link cannot be read, so perhaps more follows")
        address = self._address(page)
        return _next_or_end(more, {"url": address} if address else None, "address")

    def total(self, document: Any) -> int | None:
        """Return None: the end is proven by a page without a link."""
        return None

    def states_ahead(self, state: State, size: int, total: int | None) -> Iterator[State]:
        """Yield nothing: only the page itself names the next one."""
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
    """Each page has a cursor that requests the next one."""

    reads_pages = True
    many_pages = True
    positional = False
    counts: Counted | None = None

    def __init__(self, spec: CursorPagination) -> None:
        self._spec = spec

    def first_state(self) -> State:
        """Return an empty state: the first page is requested without a cursor."""
        return {}

    def parameters(self, state: State) -> PageParameters:
        """Return the cursor, in the query or the body."""
        if "cursor" not in state:
            return PageParameters()
        if self._spec.body_path is not None:
            return PageParameters(body={self._spec.body_path: state["cursor"]})
        return PageParameters(params={self._spec.param or "": str(state["cursor"])})

    def next_state(self, state: State, page: PageFacts) -> State | End:
        """Return the next cursor; a page without one proves the end: see `Paginator.next_state`."""
        more = has_more(self._spec, page.document)
        if self._spec.header is not None:
            value: Any = page.headers.get(self._spec.header.lower())
        else:
            value = search(self._spec.path or "", page.document)
        if value is None or value is False or value in ("", [], {}):
            return _next_or_end(more, None, "cursor")
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError(f"path ({self._spec.path}) selects {type(value).__name__}, not a cursor")
        return _next_or_end(more, {"cursor": value}, "cursor")

    def total(self, document: Any) -> int | None:
        """Return None: the end is proven by a page without a cursor."""
        return None

    def states_ahead(self, state: State, size: int, total: int | None) -> Iterator[State]:
        """Yield nothing: only the page itself names the next one."""
        return iter(())


def _next_or_end(more: bool | None, following: State | None, noun: str) -> State | End:
    """Return the next state unless `has_more` or `stop_when` ends the pages; they must not contradict a missing one."""
    if more is False:
        return End("complete")
    if following is None:
        if more:
            return End("partial", f"the upstream says that more follows, and gives no {noun} for it")
        return End("complete")
    return following


def _next_link(header: str) -> str | None:
    """Return the address with rel=next in a `Link` header (RFC 8288)."""
    for link in re.finditer(rf"<([^>]*)>((?:{_PARAMETER})*)", header):
        for name, quoted, plain in re.findall(_PARAMETER, link[2]):
            # RFC 8288 allows several relation types in one parameter; some upstreams use single quotes.
            if name.lower() == "rel" and "next" in (quoted or plain.strip("'")).lower().split():
                return link[1] or None
    return None
