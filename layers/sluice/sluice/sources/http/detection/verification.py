"""Try a proposed pagination on the upstream: it must lead to a second page with other records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from sluice.domain.datasource import HttpDatasource
from sluice.domain.datasource.http_source import HttpSource
from sluice.domain.expression import search
from sluice.errors import RunError
from sluice.formats.limits import Limits
from sluice.sources.http.client import full_url
from sluice.sources.http.detection.candidates import Candidate, FirstPage
from sluice.sources.http.detection.columns import SampledColumn
from sluice.sources.http.detection.reasons import plural
from sluice.sources.http.detection.sample_page import identities, parse_response
from sluice.sources.http.detection.session import Session
from sluice.sources.http.pagination import End, PageFacts, PageParameters, State, selected_total
from sluice.sources.http.paginators import make_paginator
from sluice.sources.http.request_builder import next_address, page_request

Outcome = Literal["verified", "ended", "same", "refused"]
_OTHER_RECORDS = "a request for the second page brought other records"


@dataclass(frozen=True)
class Verdict:
    """What trying a candidate has shown.

    Args:
        outcome: `verified`: the second page has other records; `ended`: by this pagination, the first page is the
            last one; `same`: the second page has the records of the first one; `refused`: it cannot be requested, or
            shares some records with the first one.
        reason: the same, as part of a sentence for users.
        records: a sample of the second page's records.
        pagination: the pagination, without totals that the second page contradicts.
        repeated: how many of the second page's records are on the first page as well.
    """

    outcome: Outcome
    reason: str
    pagination: dict[str, Any]
    records: tuple[Any, ...] = ()
    repeated: int = 0


class Verifier:
    """Tries paginations on the second page.

    Args:
        session: sends the requests.
        draft: the datasource without pagination.
        page: the first page.
        receipt_url: the address of the first page, without credentials.
        limits: the caps of the readers.
        most: the most records to compare.
    """

    def __init__(
        self, session: Session, draft: HttpDatasource, page: FirstPage, receipt_url: str, limits: Limits, most: int
    ) -> None:
        self._session = session
        self._draft = draft
        self._page = page
        self._url = receipt_url
        self._limits = limits
        self._most = most
        self._seen: dict[str, tuple[list[Any], PageFacts] | RunError] = {}
        self._first = set(identities(page.records))

    async def try_candidate(self, candidate: Candidate, key: list[SampledColumn]) -> Verdict:
        """Request the second page as a candidate proposes.

        Args:
            candidate: the proposed pagination.
            key: the columns that identify a record; empty if none are known.

        Raises:
            RequestsExhaustedError: no request or no time is left.
        """
        if candidate.doubt is not None:
            return _verdict(candidate, "refused", candidate.doubt)
        http = self._with(candidate)
        paginator = make_paginator(http.pagination)
        facts = PageFacts(self._page.document, self._page.count, self._page.headers)
        try:
            following = paginator.next_state(paginator.first_state(), facts)
            if isinstance(following, End):
                return _verdict(candidate, "ended", _reason_of_end(following))
            parameters = paginator.parameters(self._absolute(following))
            second = await self._receive(http, parameters)
        except (RunError, ValueError) as error:
            detail = error.detail if isinstance(error, RunError) else str(error)
            return _verdict(candidate, "refused", f"the second page cannot be requested: {detail.rstrip('.')}")
        return self._compare(candidate, following, second, key)

    async def confirm(self, candidate: Candidate, verdict: Verdict, key: list[SampledColumn]) -> Verdict:
        """Check that the first page has the same records again.

        An upstream of the latest or of random records has other ones each time, whatever the parameters are.

        Args:
            candidate: a pagination that the response does not state.
            verdict: the verdict `verified` on it.
            key: the columns that identify a record; empty if none are known.

        Returns:
            The verdict, or another one if the records differ.

        Raises:
            RequestsExhaustedError: no request or no time is left.
        """
        try:
            records, _ = await self._receive(self._draft.http, PageParameters())
        except RunError as error:
            return _verdict(
                candidate, "refused", f"the first page cannot be requested again: {error.detail.rstrip('.')}"
            )
        if 2 * self._count_repeated(records, key) >= len(records) > 0:
            return verdict
        return _verdict(candidate, "refused", "the first page has other records each time")

    def _with(self, candidate: Candidate) -> HttpSource:
        block = self._draft.http.model_dump(by_alias=True)
        params = {name: value for name, value in block["params"].items() if name not in candidate.removed}
        return HttpSource.model_validate({**block, "params": params, "pagination": candidate.pagination})

    def _absolute(self, state: State) -> State:
        if "url" not in state:
            return state
        return {"url": next_address(self._url, state["url"], self._session.credentials)}

    async def _receive(self, http: HttpSource, parameters: PageParameters) -> tuple[list[Any], PageFacts]:
        """The records and facts of a page; candidates that lead to the same page share one request."""
        address = full_url(page_request(http, parameters))
        if address not in self._seen:
            try:
                self._seen[address] = await self._read(http, parameters)
            except RunError as error:
                self._seen[address] = error
        page = self._seen[address]
        if isinstance(page, RunError):
            raise page
        return page

    async def _read(self, http: HttpSource, parameters: PageParameters) -> tuple[list[Any], PageFacts]:
        receipt, response = await self._session.get(http, parameters)
        with response.body:
            parsed = parse_response(self._draft, receipt, response, self._limits, self._most, repeated_keys=False)
        if parsed.document is None and parsed.rows:
            return parsed.rows, PageFacts(None, parsed.row_count, parsed.headers)
        selected = search(self._page.choice.expression, parsed.document)
        records = selected if isinstance(selected, list) else [] if selected is None else [selected]
        return records[: self._most], PageFacts(parsed.document, len(records), parsed.headers, selected is None)

    def _compare(
        self, candidate: Candidate, state: State, second: tuple[list[Any], PageFacts], key: list[SampledColumn]
    ) -> Verdict:
        records, facts = second
        if not records:
            return _verdict(candidate, "ended", "a request for the second page brought no records")
        repeated = self._count_repeated(records, key)
        if 2 * repeated >= len(records):
            return _verdict(candidate, "same", "a request for the second page brought the records of the first one")
        if repeated:
            reason = f"the second page repeats {plural(repeated, 'record')} of the first one"
            return replace(_verdict(candidate, "refused", reason), repeated=repeated)
        pagination = self._without_wrong_totals(candidate.pagination, facts)
        paginator = make_paginator(self._with(replace(candidate, pagination=pagination)).pagination)
        try:
            following = paginator.next_state(state, facts)
        except ValueError as error:
            return _verdict(candidate, "refused", f"the second page leads nowhere: {error}")
        if not isinstance(following, End) and ("cursor" in state or "url" in state) and following == state:
            return _verdict(candidate, "refused", "the second page leads to itself")
        reason = f"{_OTHER_RECORDS}: {plural(facts.records, 'record')}, none of which is on the first page"
        return Verdict("verified", reason, pagination, tuple(records))

    def _count_repeated(self, records: list[Any], key: list[SampledColumn]) -> int:
        """How many records are on the first page as well, by the key, or else as a whole."""
        if key:
            first = set(zip(*(column.values for column in key), strict=True))
            rows = (tuple(search(column.expression, record) for column in key) for record in records)
            by_key = sum(row in first for row in rows)
            # Values such as prices change between two requests, so a key finds more than whole records; but a few
            # repeated keys without a repeated record show that the key is wrong, not the pagination.
            if 2 * by_key >= len(records):
                return by_key
        return sum(identity in self._first for identity in identities(records))

    def _without_wrong_totals(self, pagination: dict[str, Any], facts: PageFacts) -> dict[str, Any]:
        """The pagination without a total that differs on the second page, or that is too small."""
        kept = dict(pagination)
        received = self._page.count + facts.records
        for name, smallest in (("total", received), ("total_pages", 2)):
            if name in kept:
                totals = [selected_total(kept[name], document) for document in (self._page.document, facts.document)]
                if totals[0] != totals[1] or totals[0] is None or totals[0] < smallest:
                    del kept[name]
        return kept


def _verdict(candidate: Candidate, outcome: Outcome, reason: str) -> Verdict:
    return Verdict(outcome, reason, candidate.pagination)


def _reason_of_end(end: End) -> str:
    return "by the first page there is no second one" + (f" ({end.reason})" if end.reason else "")


def stated_totals(pagination: Mapping[str, Any]) -> str:
    """What tells where the pages end, as a sentence for users.

    Args:
        pagination: the document's `http.pagination`.
    """
    for name in ("total", "total_pages", "has_more", "stop_when"):
        if name in pagination:
            return f"`{pagination[name]}` tells where the pages end."
    if pagination["type"] in ("next_url", "cursor"):
        return "The last page names no next one."
    return "Nothing tells where the pages end, so that a run ends with a short or empty page and is `unproven`."
