"""Detect how the document of an address must be written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import IO, Any

import httpx

from sluice.domain.datasource import HttpDatasource
from sluice.domain.datasource.http_source import Auth
from sluice.domain.expression import search
from sluice.domain.run import PageReceipt
from sluice.errors import RunError, SourceRefused, UnreadableData
from sluice.formats.detect import looks_like
from sluice.formats.limits import Limits
from sluice.settings import Settings
from sluice.sources.http.auth import Credentials, credentials
from sluice.sources.http.client import Response
from sluice.sources.http.detection.addresses import free_slug, name_of, take_apart
from sluice.sources.http.detection.candidates import FirstPage
from sluice.sources.http.detection.columns import Columns, find_columns
from sluice.sources.http.detection.pagination import find_pagination
from sluice.sources.http.detection.positional_candidates import at_first_page
from sluice.sources.http.detection.primary_key import find_key
from sluice.sources.http.detection.proposal import Evidence, ProposalWriter
from sluice.sources.http.detection.reasons import Reason, plural
from sluice.sources.http.detection.records import Choice, choose_records
from sluice.sources.http.detection.sample_page import ParsedResponse, parse_response, require_records
from sluice.sources.http.detection.session import RequestsExhaustedError, Session
from sluice.sources.http.detection.verification import Verifier
from sluice.sources.http.pagination import PageParameters

# Makes a preview of the first page, as the proposed datasource reads it.
Sampler = Callable[[HttpDatasource, PageReceipt, IO[bytes]], dict[str, Any]]
_ACCEPT = {"Accept": "application/json"}
# What the document contains of the upstream's data.
_FROM_DATA = ("records", "fields", "types", "primary_key", "pagination")


@dataclass(frozen=True)
class Detection:
    """The proposal for an address.

    Args:
        document: a document that `POST /datasources` accepts.
        reasons: why its fields have their values.
        warnings: what a user should check or do.
        sample: the first records as the document reads them, without credentials; None if it cannot read them.
        requests: the number of requests that the upstream received.
    """

    document: dict[str, Any]
    reasons: list[Reason]
    warnings: list[str] = field(default_factory=list)
    sample: dict[str, Any] | None = None
    requests: int = 0


class Detector:
    """Detects the document of one address.

    Args:
        url: the address; it may contain a credential, which does not get into the document.
        auth: the credentials, by the names of secrets.
        settings: the limits.
        secret: returns a secret's value by its name.
        transport: makes a new transport.
        is_taken: whether a datasource has, or had, a slug.
    """

    def __init__(
        self,
        url: str,
        auth: Auth,
        settings: Settings,
        secret: Callable[[str], str],
        transport: Callable[[], httpx.AsyncBaseTransport],
        is_taken: Callable[[str], bool],
    ) -> None:
        address = take_apart(url)
        self._address = replace(address, params=at_first_page(address.params))
        self._auth = auth
        self._settings = settings
        self._secret = secret
        self._transport = transport
        self._is_taken = is_taken
        self._limits = Limits.of(settings)

    def detect(self, sampler: Sampler) -> Detection:
        """Request the first page and, to verify the pagination, the second one; nothing is stored.

        Args:
            sampler: makes a preview of the first page.

        Raises:
            RunError: the first page cannot be requested or read.
        """
        return asyncio.run(self._detect(sampler))

    async def _detect(self, sampler: Sampler) -> Detection:
        known = self._credentials()
        session = Session(self._transport, self._settings, known, self._settings.probe_seconds)
        try:
            with ExitStack() as stack:
                return _masked(await self._propose(session, stack, sampler), known)
        except RequestsExhaustedError as error:
            raise SourceRefused(f"The first page cannot be requested: {error}.") from None
        except RunError as error:
            error.detail = known.mask(error.detail)
            raise
        finally:
            await session.aclose()

    def _credentials(self) -> Credentials:
        named, carried = credentials(self._auth, self._secret), self._address.credentials
        values = (*named.values, *(value for value in carried.values() if value))
        return Credentials(named.headers, {**named.params, **carried}, values)

    async def _propose(self, session: Session, stack: ExitStack, sampler: Sampler) -> Detection:
        draft, parsed, response = await self._first_page(session, stack)
        choice, records, count = self._records(parsed)
        columns = self._columns(records, choice)
        key = find_key(columns.columns, len(records))
        page = FirstPage(
            parsed.document, parsed.headers, records, count, choice, self._address.params, self._address.cursors
        )
        most = self._settings.detect_records
        verifier = Verifier(session, draft, page, parsed.receipt.url, self._limits, most)
        pagination = await find_pagination(page, verifier, key.columns if key is not None else [])
        # The second page shows whether the key is unique, and columns that the first one lacks.
        sample = [*records, *pagination.records]
        name = name_of(self._address.url)
        evidence = Evidence(
            slug=free_slug(name, self._is_taken),
            name=name,
            address=self._address,
            auth=self._auth,
            headers=draft.http.headers,
            parsed=parsed,
            choice=choice,
            columns=self._columns(sample, choice) if pagination.records else columns,
            sampled=len(sample),
            pagination=pagination,
        )
        return self._written(evidence, response, sampler, session.requests)

    async def _first_page(self, session: Session, stack: ExitStack) -> tuple[HttpDatasource, ParsedResponse, Response]:
        """The first page and the draft that requests it: with a header `Accept` if the upstream sends HTML without."""
        draft = self._draft({})
        receipt, response = await session.get(draft.http, PageParameters())
        stack.enter_context(response.body)
        if _is_html(response):
            with_header = self._draft(_ACCEPT)
            try:
                _, other = await session.get(with_header.http, PageParameters())
            except (RunError, RequestsExhaustedError):
                pass
            else:
                stack.enter_context(other.body)
                if not _is_html(other):
                    draft, response = with_header, other
                    receipt.media_type = other.headers.get("content-type")
        parsed = parse_response(
            draft, receipt, response, self._limits, self._settings.detect_records, repeated_keys=True
        )
        return draft, parsed, response

    def _draft(self, headers: dict[str, str]) -> HttpDatasource:
        http = {
            "url": self._address.url,
            "params": self._address.params,
            "headers": headers,
            "auth": self._auth.model_dump(by_alias=True),
        }
        return HttpDatasource.model_validate({"name": "unsaved", "kind": "http", "http": http})

    def _records(self, parsed: ParsedResponse) -> tuple[Choice, list[Any], int]:
        """Which part of the first page holds the records, a sample of them, and their number."""
        most = self._settings.detect_records
        if parsed.document is None and parsed.form not in ("json", "xml"):
            reason = f"Each row of {parsed.form.upper()} is a record: {plural(parsed.row_count, 'record')}."
            return Choice("@", reason, "likely", parsed.row_count, ()), parsed.rows, parsed.row_count
        choice = choose_records(parsed.document, form=parsed.form)
        selected = search(choice.expression, parsed.document)
        records = selected if isinstance(selected, list) else [selected]
        require_records(parsed, listed=choice.listed and bool(records))
        return choice, records[:most], len(records)

    def _columns(self, records: list[Any], choice: Choice) -> Columns:
        if not any(isinstance(record, dict | list) for record in records):
            return Columns([], [], [], cut=False)
        return find_columns(records, choice.names, self._settings.detect_fields)

    def _written(self, evidence: Evidence, response: Response, sampler: Sampler, requests: int) -> Detection:
        writer = ProposalWriter(evidence)
        writer.write()
        datasource = writer.validated()
        sample = None
        try:
            response.body.seek(0)
            sample = sampler(datasource, evidence.parsed.receipt, response.body)
        except UnreadableData as error:
            writer.warnings.append(f"The proposed document cannot read the first page: {error.detail}")
        return Detection(writer.document, writer.reasons, writer.warnings, sample, requests)


def _is_html(response: Response) -> bool:
    response.body.seek(0)
    beginning = response.body.read(512)
    response.body.seek(0)
    return looks_like(beginning) == "HTML"


def _masked(detection: Detection, known: Credentials) -> Detection:
    """The proposal without credentials that the upstream repeats in its data."""
    document = {**detection.document, "http": dict(detection.document["http"])}
    for part in (document, document["http"]):
        part |= {name: known.mask_json(value) for name, value in part.items() if name in _FROM_DATA}
    return replace(
        detection,
        document=document,
        reasons=[
            replace(reason, pointer=known.mask_json(reason.pointer), reason=known.mask(reason.reason))
            for reason in detection.reasons
        ],
        warnings=[known.mask(warning) for warning in detection.warnings],
        sample=known.mask_json(detection.sample),
    )
