"""Ways to request further pages that the first one suggests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sluice.sources.http.detection.paths import Path, plain_name, walk
from sluice.sources.http.detection.records import Choice

_MORE = frozenset(
    {"hasmore", "hasnext", "hasnextpage", "more", "moreavailable", "moreresultsavailable", "nextpageexists"}
)
_TOTALS = frozenset(
    {"total", "totalcount", "totalresults", "totalrecords", "totalrows", "totalitems", "totalelements", "totalhits"}
    | {"numfound", "count", "odatacount", "recordstotal", "recordcount", "resultcount", "totalsize", "hitcount"}
    | {"numresults", "matches", "nhits", "totaldocs", "resultscount"}
)
# These may count the records of the page as well.
_AMBIGUOUS = frozenset({"count", "recordcount", "resultcount", "numresults", "matches", "resultscount"})


@dataclass(frozen=True)
class FirstPage:
    """The first page, as the search for pagination sees it.

    Args:
        document: its document.
        headers: the response's headers, with names in lower case.
        records: a sample of its records.
        count: the number of its records.
        choice: which part of the document holds them.
        params: the parameters of the address that the user has given.
        cursors: the names of parameters that were removed from the address.
    """

    document: Any
    headers: Mapping[str, str]
    records: list[Any]
    count: int
    choice: Choice
    params: Mapping[str, str] = field(default_factory=dict)
    cursors: tuple[str, ...] = ()

    @cached_property
    def envelope(self) -> list[tuple[Path, Any]]:
        """The paths and values beside the records; none beside a single record."""
        path = self.choice.path
        if not self.choice.listed:
            return []
        if isinstance(self.document, list) and not (path and isinstance(path[0], int)):
            return []
        return [(place, value) for place, value in walk(self.document) if not path or place[: len(path)] != path]

    def param(self, *names: str) -> str | None:
        """The name of the first of these parameters that the address has, whatever its separators and case."""
        spelled = {plain_name(name): name for name in self.params}
        return next((spelled[plain_name(name)] for name in names if plain_name(name) in spelled), None)

    def more(self) -> tuple[Path, bool] | None:
        """The place where the page says whether further pages follow, and what it says."""
        for path, value in self.envelope:
            if plain_name(path[-1]) in _MORE and isinstance(value, bool):
                return path, value
        return None

    def total(self) -> tuple[Path, int] | None:
        """The place of the total number of records, and the number."""
        for path, value in self.envelope:
            name = plain_name(path[-1])
            if name == "value" and len(path) > 1 and plain_name(path[-2]) in _TOTALS:
                name = plain_name(path[-2])  # `hits.total.value`
            number = whole_number(value)
            if name not in _TOTALS or number is None or number < self.count:
                continue
            if number > self.count or name not in _AMBIGUOUS:
                return path, number
        return None


@dataclass(frozen=True)
class Candidate:
    """A proposed pagination.

    Args:
        pagination: the document's `http.pagination`.
        evidence: what suggests it, as a sentence for users.
        stated: whether the response or the address states it; if not, it is tried because it is usual.
        removed: parameters of the address that the pagination sets itself.
        doubt: why it must not be proposed although the response states it, as the end of a sentence; None if nothing
            speaks against it.
    """

    pagination: dict[str, Any]
    evidence: str
    stated: bool = True
    removed: frozenset[str] = frozenset()
    doubt: str | None = None


def whole_number(value: Any) -> int | None:
    """A value as a whole number that is not negative; None if it is none. Some APIs send numbers as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
