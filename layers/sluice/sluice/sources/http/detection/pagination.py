"""The search for the pagination: candidates are tried until the second page of one has other records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sluice.sources.http.detection.candidates import Candidate, FirstPage
from sluice.sources.http.detection.columns import SampledColumn
from sluice.sources.http.detection.linked_candidates import cursor_candidates, link_candidates
from sluice.sources.http.detection.paths import expression_of
from sluice.sources.http.detection.positional_candidates import positional_candidates
from sluice.sources.http.detection.reasons import Confidence, plural
from sluice.sources.http.detection.session import RequestsExhaustedError
from sluice.sources.http.detection.verification import Verdict, Verifier, stated_totals

# Links are followed first: they need no guess of a parameter. Each entry yields candidates for a first page.
_KINDS = (link_candidates, cursor_candidates, positional_candidates)


@dataclass(frozen=True)
class PaginationProposal:
    """The pagination to propose.

    Args:
        pagination: the document's `http.pagination`.
        reason: the evidence, and whether it was tried.
        confidence: how sure it is.
        removed: parameters of the address that it sets itself.
        records: a sample of the second page's records; empty if there is no second page.
        warnings: what a user should check.
    """

    pagination: dict[str, Any]
    reason: str
    confidence: Confidence
    removed: frozenset[str] = frozenset()
    records: tuple[Any, ...] = ()
    warnings: tuple[str, ...] = ()


def candidates_for(page: FirstPage) -> Iterator[Candidate]:
    """The candidates for a first page, the best first, each once."""
    seen: set[str] = set()
    for kind in _KINDS:
        for candidate in kind(page):
            text = json.dumps(candidate.pagination, sort_keys=True)
            if text not in seen:
                seen.add(text)
                yield candidate


async def find_pagination(page: FirstPage, verifier: Verifier, key: list[SampledColumn]) -> PaginationProposal:
    """Find how further pages are requested.

    Args:
        page: the first page.
        verifier: tries candidates on the upstream.
        key: the columns that identify a record; empty if none are known.
    """
    search = _Search(page)
    for candidate in candidates_for(page):
        if search.is_pointless(candidate):
            continue
        try:
            verdict = await verifier.try_candidate(candidate, key)
            if verdict.outcome == "verified" and not candidate.stated:
                verdict = await verifier.confirm(candidate, verdict, key)
        except RequestsExhaustedError:
            search.note_exhausted(candidate)
            break
        if verdict.outcome == "verified":
            return _verified(candidate, verdict)
        search.note(candidate, verdict)
    return search.unverified()


class _Search:
    """What candidates that were not verified have shown."""

    def __init__(self, page: FirstPage) -> None:
        self._page = page
        self._ended: tuple[Candidate, str] | None = None
        self._refused: str | None = None
        self._ignored: set[str] = set()
        self._begins_at_one: set[str] = set()
        self._exhausted = False

    def is_pointless(self, candidate: Candidate) -> bool:
        """Whether the outcome of earlier candidates rules this one out."""
        if not candidate.stated and self._ended is not None and self._ended[0].stated:
            return True
        name = _param(candidate)
        # From 1 instead of 0 is a guess, too: it must follow from what 0 has shown.
        if not candidate.stated and candidate.pagination.get("start") == 1:
            return name not in self._begins_at_one
        return candidate.pagination["type"] == "offset" and name in self._ignored

    def note(self, candidate: Candidate, verdict: Verdict) -> None:
        """Note a verdict other than `verified`."""
        if verdict.outcome == "ended" and (self._ended is None or (candidate.stated and not self._ended[0].stated)):
            self._ended = (candidate, verdict.reason)
        self._note_start(candidate, verdict)
        if verdict.outcome in ("same", "refused") and candidate.stated and self._refused is None:
            self._refused = f"{candidate.evidence} But {verdict.reason}."

    def _note_start(self, candidate: Candidate, verdict: Verdict) -> None:
        name, kind = _param(candidate), candidate.pagination["type"]
        if verdict.outcome == "same":
            self._ignored.add(name)
        # Page 1 is the first page; or the second page begins with the last record of the first one.
        if (kind == "page" and verdict.outcome == "same") or (kind == "offset" and verdict.repeated == 1):
            self._begins_at_one.add(name)

    def note_exhausted(self, candidate: Candidate) -> None:
        """Note that a candidate was not tried, because no request or no time is left."""
        self._exhausted = True
        if candidate.stated and self._ended is None:
            self._ended = (candidate, "no request or no time was left to try it (DETECT_REQUESTS, PROBE_SECONDS)")

    def unverified(self) -> PaginationProposal:
        """The pagination to propose if none was verified."""
        warnings = (self._refused,) if self._refused is not None else ()
        if self._ended is not None:
            candidate, reason = self._ended
            text = f"{candidate.evidence} Not verified: {reason}. {stated_totals(candidate.pagination)}"
            confidence: Confidence = "likely" if candidate.stated else "guess"
            return PaginationProposal(candidate.pagination, text, confidence, candidate.removed, warnings=warnings)
        return self._none(warnings)

    def _none(self, warnings: tuple[str, ...]) -> PaginationProposal:
        total, more = self._page.total(), self._page.more()
        pagination: dict[str, Any] = {"type": "none"}
        if more is not None:
            pagination["has_more"] = expression_of(more[0])
        evidence = None
        if total is not None and total[1] > self._page.count:
            evidence = f"`{expression_of(total[0])}` is {total[1]:,}, and the response has {self._page.count:,} records"
        elif more is not None and more[1]:
            evidence = f"`{expression_of(more[0])}` says that more records follow"
        tried = "not all usual parameters were tried" if self._exhausted else "no usual parameter brought them"
        if evidence is not None:
            warning = f"Further pages are missing: {evidence}, but {tried}. Set `http.pagination` by hand."
            return PaginationProposal(
                pagination, f"None: {evidence}, but {tried}.", "guess", warnings=(warning, *warnings)
            )
        reason = f"None: nothing in the response points to more than its {plural(self._page.count, 'record')}"
        reason += ", but not all usual parameters were tried." if self._exhausted else "."
        return PaginationProposal(pagination, reason, "likely", warnings=warnings)


def _param(candidate: Candidate) -> str:
    """The parameter for the position of a page; empty for other paginations."""
    return candidate.pagination.get("page_param") or candidate.pagination.get("offset_param") or ""


def _verified(candidate: Candidate, verdict: Verdict) -> PaginationProposal:
    reason = f"{candidate.evidence} Verified: {verdict.reason}. {stated_totals(verdict.pagination)}"
    return PaginationProposal(verdict.pagination, reason, "verified", candidate.removed, verdict.records)
