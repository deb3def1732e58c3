"""Candidates in which each page names the next one: by its address, or by a cursor."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sluice.sources.http.detection.candidates import Candidate, FirstPage, whole_number
from sluice.sources.http.detection.paths import LONGEST_KEY, Path, expression_of, plain_name

_NEXT = frozenset(
    {"next", "nexturl", "nextlink", "nextpageurl", "nextpagelink", "nexthref", "nextpage", "nexturi", "odatanextlink"}
    | {"nextpagepath", "nextpageuri"}
)
_PREVIOUS = frozenset({"prev", "previous", "prevurl", "previousurl", "prevpageurl", "previouspageurl"})
# A cursor's key, and the parameters that take it, the usual one first.
_CURSOR_PARAMS: dict[str, tuple[str, ...]] = {
    "nextpagetoken": ("pageToken", "page_token", "next_page_token"),
    "pagetoken": ("pageToken", "page_token"),
    "nexttoken": ("next_token", "nextToken", "pagination_token"),
    "paginationtoken": ("pagination_token", "paginationToken"),
    "nextcursor": ("cursor", "start_cursor", "next_cursor", "nextCursor", "after"),
    "endcursor": ("after", "cursor"),
    "cursor": ("cursor",),
    "after": ("after",),
    "continuation": ("continuation",),
    "continuationtoken": ("continuationToken", "continuation_token", "continuation"),
    "scrollid": ("scroll_id", "scrollId"),
    "nextpageid": ("page_id", "next_page_id"),
    "nextpage": ("page", "next_page"),
    "nextoffset": ("offset", "next_offset"),
    "nextmarker": ("marker", "next_marker"),
    "marker": ("marker",),
    "bookmark": ("bookmark",),
    "offset": ("offset",),
    "next": ("cursor", "next", "after", "page"),
}
_HEADERS = {"x-next-page": "page", "x-next-cursor": "cursor", "x-continuation-token": "continuation_token"}
_PAGE_RELATION = re.compile(r"""rel\s*=\s*["']?[^"';,]*\b(next|prev|first|last)\b""", re.IGNORECASE)
# As the number 0, these are the position of the first page.
_POSITIONS = frozenset({"offset", "after", "marker", "cursor"})
_SAME_NAME_FIRST = frozenset({"continuationtoken", "nexttoken", "nextpagetoken", "pagetoken", "scrollid", "endcursor"})


def link_candidates(page: FirstPage) -> Iterator[Candidate]:
    """Addresses of the next page: in the header `Link`, or in the document."""
    if _PAGE_RELATION.search(page.headers.get("link", "")):
        yield Candidate({"type": "next_url", "from": "link"}, "The response has a header `Link` for its pages.")
    for path, value in page.envelope:
        if isinstance(value, list):
            yield from _in_list_of_links(path, value)
        elif plain_name(path[-1]) in _NEXT:
            yield from _at(path, value, page)


def _at(path: Path, value: Any, page: FirstPage) -> Iterator[Candidate]:
    place = (*path, "href") if isinstance(value, dict) and isinstance(value.get("href"), str) else path
    address = value.get("href") if isinstance(value, dict) else value
    expression = expression_of(place)
    if isinstance(address, str) and _is_address(address):
        evidence = f"`{expression}` is the address of the next page."
        yield Candidate({"type": "next_url", "path": expression}, evidence, doubt=_doubt(path, page))
    elif value is None and plain_name(path[-1]) != "nextpage":
        evidence = f"`{expression}`, where the address of the next page would be, is null."
        yield Candidate({"type": "next_url", "path": expression}, evidence)


def _doubt(path: Path, page: FirstPage) -> str | None:
    """A first page with a link to the page before it is one of a series without end, such as the days of a feed."""
    for place, value in page.envelope:
        if place[:-1] == path[:-1] and plain_name(place[-1]) in _PREVIOUS and isinstance(value, str) and value:
            return f"`{expression_of(place)}` is an address, too, so the pages may have no end"
    return None


def _in_list_of_links(path: Path, links: list[Any]) -> Iterator[Candidate]:
    """Lists such as `[{"rel": "next", "href": "…"}]`, as FHIR and STAC have them."""
    for link in links[:20]:
        if not isinstance(link, dict):
            return
        for name in ("rel", "relation"):
            target = next((key for key in ("href", "url") if isinstance(link.get(key), str)), None)
            if link.get(name) == "next" and target is not None:
                expression = f"{expression_of(path)}[?{name}=='next'].{target} | [0]"
                evidence = f"`{expression_of(path)}` has a link to the next page."
                yield Candidate({"type": "next_url", "path": expression}, evidence)


def _is_address(text: str) -> bool:
    return text.startswith(("http://", "https://", "/", "?", "./", "../")) and " " not in text


def cursor_candidates(page: FirstPage) -> Iterator[Candidate]:
    """Cursors: in the document, in a header, or the last record's identifier."""
    more = page.more()
    limits = {"has_more": expression_of(more[0])} if more is not None else {}
    yield from _continuations(page)
    for path, value in page.envelope:
        key = plain_name(path[-1])
        if key in _CURSOR_PARAMS and _is_cursor(key, value, more is not None):
            yield from _cursors(page, path, key, value, limits)
    for header, param in _HEADERS.items():
        if header in page.headers:
            spec = {"type": "cursor", "header": header, "param": page.param(param) or param}
            removed = frozenset({spec["param"]} & page.params.keys())
            yield Candidate(spec, f"The response has the header `{header}`.", removed=removed)
    if more is not None and page.records and isinstance(page.records[-1], dict) and page.choice.path is not None:
        yield from _last_records(page, limits)


def _cursors(page: FirstPage, path: Path, key: str, value: Any, limits: dict[str, str]) -> Iterator[Candidate]:
    expression = expression_of(path)
    evidence = f"`{expression}` is a cursor to the next page." if value else f"`{expression}`, a cursor, is null."
    if key == "scrollid":  # Elasticsearch gives a cursor on every page, and an empty page at the end
        limits = {"stop_when": f"length({page.choice.expression}) == `0`", **limits}
    params = [*page.cursors, *_CURSOR_PARAMS[key]]
    if key in _SAME_NAME_FIRST:
        params.insert(len(page.cursors), str(path[-1]).removeprefix("_"))
    if "_" in str(path[-1]):  # such APIs have parameters in snake_case, too
        params.sort(key=lambda name: name != name.lower())
    for param in dict.fromkeys(page.param(name) or name for name in params):
        spec = {"type": "cursor", "path": expression, "param": param, **limits}
        yield Candidate(spec, evidence, removed=frozenset({param} & page.params.keys()))


def _is_cursor(key: str, value: Any, more: bool) -> bool:
    if isinstance(value, str) and value:
        if key in _POSITIONS and whole_number(value) == 0:
            return False
        return not _is_address(value) or key not in _NEXT
    if key in ("nextpage", "nextoffset", "nextpageid", "nextcursor", "cursor", "next") and type(value) is int:
        return value > 0
    return value in (None, "") and key.startswith(("next", "endcursor")) and (more or key != "next")


def _continuations(page: FirstPage) -> Iterator[Candidate]:
    """`continue` of MediaWiki: an object whose keys are the parameters of the next request."""
    document = page.document if isinstance(page.document, dict) else {}
    following = document.get("continue")
    for name, value in following.items() if isinstance(following, dict) else ():
        if name != "continue" and isinstance(value, str | int) and 0 < len(name) <= LONGEST_KEY:
            expression = expression_of(("continue", name))
            yield Candidate(
                {"type": "cursor", "path": expression, "param": name},
                f"`continue` names the parameter of the next request, `{name}`.",
                removed=frozenset({name} & page.params.keys()),
            )


def _last_records(page: FirstPage, limits: dict[str, str]) -> Iterator[Candidate]:
    """`starting_after` of Stripe: the identifier of the last record."""
    if "id" in page.records[-1]:
        path = f"{page.choice.expression}[-1].id" if page.choice.path else "[-1].id"
        for param in ("starting_after", "after", "after_id"):
            evidence = f"`{limits['has_more']}` says whether more records follow, and records have an `id`."
            yield Candidate({"type": "cursor", "path": path, "param": param, **limits}, evidence, stated=False)
