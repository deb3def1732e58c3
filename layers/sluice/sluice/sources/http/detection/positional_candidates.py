"""Candidates in which a page is requested by its number, or by the offset of its first record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sluice.sources.http.detection.candidates import Candidate, FirstPage, whole_number
from sluice.sources.http.detection.paths import expression_of, plain_name

_PAGE = ("page", "_page", "pageNumber", "pageNo", "currentPage", "pageIndex", "p", "pg")
_OFFSET = ("offset", "$offset", "start", "skip", "$skip", "startAt", "from", "startIndex", "_start")
_SIZES = ("per_page", "page_size", "size", "limit", "$limit", "_limit", "maxResults", "$top", "top", "count", "rows")
_MORE_SIZES = ("itemsPerPage", "pagelen", "take", "first", "num")
_TOTAL_PAGES = frozenset({"totalpages", "pages", "pagecount", "lastpage", "numpages", "numberofpages", "pagestotal"})
# Parameters that are positions and nothing else; `from` and `start` may also be times.
_POSITIONS = {"page": "1", "pagenumber": "1", "pageno": "1", "offset": "0", "skip": "0"}
# Numbers of records that upstreams use as the size of a page, besides multiples of ten.
_ROUND = frozenset({12, 15, 16, 18, 24, 25, 32, 36, 48, 64, 75, 96, 128, 256, 512, 1024})
# Upstreams that send more records at once send all of them.
_LARGEST = 50_000
_EITHER = (0, 1)


def at_first_page(params: Mapping[str, str]) -> dict[str, str]:
    """The parameters of an address, with those that begin at a later page set to the first one."""
    return {
        name: _POSITIONS[plain_name(name)]
        if plain_name(name) in _POSITIONS and (whole_number(value) or 0) > 1
        else value
        for name, value in params.items()
    }


def positional_candidates(page: FirstPage) -> Iterator[Candidate]:
    """Numbers of pages and offsets: stated by the address, then by the document, then what is usual."""
    maker = _Maker(page, *_size(page))
    yield from _by_address(page, maker)
    yield from _by_document(page, maker)
    if _is_probably_cut(page):
        yield from _usual(page, maker)


@dataclass(frozen=True)
class _Maker:
    """Makes candidates for one page.

    Args:
        page: the page.
        size_param: the parameter for the size of a page; None if it is not known.
        size: the size; None if it is not known.
    """

    page: FirstPage
    size_param: str | None
    size: int | None

    def pages(self, name: str, starts: tuple[int, ...], evidence: str, *, stated: bool = True) -> Iterator[Candidate]:
        """Candidates with the number of the page in a parameter."""
        spec: dict[str, Any] = {"type": "page", "page_param": name}
        for path, value in self.page.envelope:
            if plain_name(path[-1]) in _TOTAL_PAGES and whole_number(value):
                spec.setdefault("total_pages", expression_of(path))
        return self._with_size(spec, starts, ("size_param", "size"), evidence, stated)

    def offsets(self, name: str, starts: tuple[int, ...], evidence: str, *, stated: bool = True) -> Iterator[Candidate]:
        """Candidates with the offset of the page's first record in a parameter."""
        spec: dict[str, Any] = {"type": "offset", "offset_param": name}
        total = self.page.total()
        keys = ("limit_param", "limit")
        if total is not None:
            counted = {**spec, "total": expression_of(total[0])}
            yield from self._with_size(counted, starts, keys, evidence, stated)
        # Some upstreams name the number of records of the page `total`.
        if total is None or total[1] == self.page.count:
            yield from self._with_size(spec, starts, keys, evidence, stated)

    def _with_size(
        self, spec: dict[str, Any], starts: tuple[int, ...], keys: tuple[str, str], evidence: str, stated: bool
    ) -> Iterator[Candidate]:
        """The candidates with the size of a page; and without it, unless the address has the size."""
        params = self.page.params.keys()
        removed = frozenset({str(spec.get("page_param") or spec.get("offset_param"))} & params)
        more = self.page.more()
        if more is not None:
            spec = {**spec, "has_more": expression_of(more[0])}
        for start in starts:
            if self.size_param is not None:
                sized = {**spec, "start": start, keys[0]: self.size_param, keys[1]: self.size}
                yield Candidate(sized, evidence, stated, removed | ({self.size_param} & params))
            if self.size_param not in params:
                yield Candidate({**spec, "start": start}, evidence, stated, removed)


def _by_address(page: FirstPage, maker: _Maker) -> Iterator[Candidate]:
    for name in _params(page, _PAGE):
        start = whole_number(page.params[name])
        if start is not None and start <= 1:
            yield from maker.pages(name, (start,), f"The address has the parameter `{name}`.")
    for name in _params(page, _OFFSET):
        start = whole_number(page.params[name])
        if start is not None and start <= 1:
            yield from maker.offsets(name, (start,), f"The address has the parameter `{name}`.")


def _by_document(page: FirstPage, maker: _Maker) -> Iterator[Candidate]:
    for path, value in page.envelope:
        number, name = whole_number(value), str(path[-1])
        if number is None or number > 1:
            continue
        evidence = f"The response has `{expression_of(path)}`, with the value {number}."
        if plain_name(name) in map(plain_name, (*_PAGE, "number")):
            for param in dict.fromkeys(("page" if name == "number" else name, "page")):
                yield from maker.pages(param, (number,), evidence)
        elif plain_name(name) in map(plain_name, _OFFSET):
            yield from maker.offsets(name, (number,), evidence)


def _is_probably_cut(page: FirstPage) -> bool:
    """Whether the response says that there are more records, or has as many as pages usually have."""
    total, more = page.total(), page.more()
    if more is not None:
        return more[1]
    if total is not None:
        return total[1] > page.count
    path = page.choice.path
    if path is None or page.choice.expression.removesuffix("[]") != expression_of(path):
        return False  # columns, and objects of records, are usually whole
    sizes = {whole_number(page.params[name]) for name in _params(page, (*_SIZES, *_MORE_SIZES))}
    is_usual = page.count <= _LARGEST and (page.count % 10 == 0 or page.count in _ROUND)
    return page.count > 0 and (is_usual or page.count in sizes)


def _usual(page: FirstPage, maker: _Maker) -> Iterator[Candidate]:
    evidence = _evidence_of_more(page)
    sized = maker.size_param or ""
    families = [
        maker.pages("page", _EITHER, evidence, stated=False),
        maker.offsets("offset", (0,), evidence, stated=False),
    ]
    if plain_name(sized) in ("limit", "top", "maxresults", "size"):
        families.reverse()
    if sized.startswith("$"):
        names = ("$skip", "$offset") if sized == "$top" else ("$offset", "$skip")
        families = [maker.offsets(name, (0,), evidence, stated=False) for name in names] + families
    if sized.startswith("_"):
        families.insert(0, maker.pages("_page", _EITHER, evidence, stated=False))
    if page.choice.path == ("hits", "hits"):  # Elasticsearch
        families.insert(0, maker.offsets("from", (0,), evidence, stated=False))
    for family in families:
        yield from family
    yield from maker.offsets("skip", (0,), evidence, stated=False)
    if page.total() is not None:  # without a total, these may as well be times
        for name in ("start", "from"):
            yield from maker.offsets(name, _EITHER, evidence, stated=False)
    yield from maker.offsets("$offset", (0,), evidence, stated=False)
    yield from maker.pages("_page", _EITHER, evidence, stated=False)


def _evidence_of_more(page: FirstPage) -> str:
    total, more = page.total(), page.more()
    if total is not None and total[1] > page.count:
        return f"`{expression_of(total[0])}` is {total[1]:,}, and the response has only {page.count:,} records."
    if more is not None:
        return f"`{expression_of(more[0])}` says that more records follow."
    return f"The response has {page.count:,} records, as many as pages usually have."


def _params(page: FirstPage, names: tuple[str, ...]) -> list[str]:
    """The parameters of the address with one of these names, in the order of the names."""
    return [name for name in (page.param(name) for name in names) if name is not None]


def _size(page: FirstPage) -> tuple[str | None, int | None]:
    """The parameter for the size of a page, and the size: from the address, or as the document repeats it."""
    names = (*_SIZES, *_MORE_SIZES)
    for name in _params(page, names):
        size = whole_number(page.params[name])
        if size:
            return name, size
    plain = set(map(plain_name, names)) - {"count"}
    for path, value in page.envelope:
        if plain_name(path[-1]) in plain and whole_number(value) == page.count > 0:
            return str(path[-1]), page.count
    return None, None
