"""Write the proposed document, each of its fields with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sluice.domain.base import json_pointer
from sluice.domain.datasource import HttpDatasource
from sluice.domain.datasource.http_source import Auth, NoAuth
from sluice.domain.expression import MAX_LENGTH
from sluice.sources.http.detection.addresses import Address, secret_name_of
from sluice.sources.http.detection.columns import Columns
from sluice.sources.http.detection.pagination import PaginationProposal
from sluice.sources.http.detection.primary_key import find_key, no_key_reason
from sluice.sources.http.detection.reasons import Confidence, Reason, plural
from sluice.sources.http.detection.records import Choice
from sluice.sources.http.detection.sample_page import ParsedResponse
from sluice.sources.http.detection.types import find_types

_CHANGED = ("updatedat", "updated", "lastupdated", "modifiedat", "modified", "lastmodified", "lastupdate")
_SHOWN = 5
_SHOWN_CHARACTERS = 200


@dataclass(frozen=True)
class Evidence:
    """Everything that a proposal is made of.

    Args:
        slug: the proposed slug.
        name: the proposed display name.
        address: the address, taken apart.
        auth: the credentials that the user has named.
        headers: request headers without which the upstream sends no data.
        parsed: the first page.
        choice: which part of it holds the records.
        columns: the columns of the sample.
        sampled: the number of records of the sample.
        pagination: the pagination.
    """

    slug: str
    name: str
    address: Address
    auth: Auth
    headers: dict[str, str]
    parsed: ParsedResponse
    choice: Choice
    columns: Columns
    sampled: int
    pagination: PaginationProposal


class ProposalWriter:
    """Collects the fields of the document, and the reasons.

    Args:
        evidence: what the responses have shown.
    """

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self.document: dict[str, Any] = {"slug": evidence.slug, "name": evidence.name, "kind": "http"}
        self.reasons: list[Reason] = []
        self.warnings: list[str] = []

    def write(self) -> None:
        """Write all fields."""
        self._reason(
            "/slug", "The words of the address that name its owner and its subject; choose another one.", "guess"
        )
        self._write_http()
        self._write_records()
        self._write_columns()
        self._write_key()
        self._reason("/schedule", "None: set one if runs shall start by themselves.", "likely")

    def validated(self) -> HttpDatasource:
        """The document as a datasource, which `POST /datasources` accepts."""
        datasource = HttpDatasource.model_validate(self.document)
        datasource.require_safe()
        return datasource

    def _reason(self, pointer: str, reason: str, confidence: Confidence) -> None:
        self.reasons.append(Reason(pointer, reason, confidence))

    def _write_http(self) -> None:
        evidence, pages = self._evidence, self._evidence.pagination
        params = {name: value for name, value in evidence.address.params.items() if name not in pages.removed}
        http: dict[str, Any] = {"url": evidence.address.url}
        if params:
            http["params"] = params
        if evidence.headers:
            http["headers"] = evidence.headers
            self._reason("/http/headers", "Without this header, the upstream answers with HTML.", "verified")
        self.document["http"] = http
        self._write_auth(http)
        http["pagination"] = pages.pagination
        self._reason("/http/pagination", pages.reason, pages.confidence)
        self.warnings += pages.warnings
        for name in evidence.address.cursors:
            self.warnings.append(f"The parameter {name!r} of the address was left out: it leads to a later page.")

    def _write_auth(self, http: dict[str, Any]) -> None:
        auth, carried = self._evidence.auth, list(self._evidence.address.credentials)
        if not isinstance(auth, NoAuth):
            http["auth"] = auth.model_dump(by_alias=True)
        elif carried:
            name = carried.pop(0)
            secret = secret_name_of(self._evidence.slug, name)
            http["auth"] = {"type": "api_key", "in": "query", "name": name, "secret": secret}
            reason = f"The parameter {name!r} of the address is a credential, so the document names a secret instead."
            self._reason("/http/auth", reason, "likely")
            self.warnings.append(
                f"Store the value of {name!r} as the secret {secret!r} (PUT /v1/secrets/{secret}) before you save the "
                "document."
            )
        for name in carried:
            self.warnings.append(
                f"The parameter {name!r} of the address looks like a credential and is not in the document, which can "
                "have one credential only."
            )

    def _write_records(self) -> None:
        parsed, choice = self._evidence.parsed, self._evidence.choice
        self.document["format"] = parsed.form
        media_type = (parsed.receipt.media_type or "").partition(";")[0] or "no media type"
        self._reason("/format", f"The response is {parsed.form.upper()}, sent as {media_type}.", "verified")
        self.document["records"] = choice.expression
        self._reason("/records", choice.reason, choice.confidence)
        self.warnings += [*choice.warnings, *parsed.notes]

    def _write_columns(self) -> None:
        sampled = self._evidence.columns
        if sampled.too_long:
            self.warnings.append(
                f"{plural(sampled.too_long, 'key')} of the records cannot be selected: the expression would have more "
                f"than {MAX_LENGTH:,} characters."
            )
        if self._evidence.parsed.tabular and all(column.path == (column.name,) for column in sampled.columns):
            self._reason(
                "/fields", f"None: the {plural(len(sampled.columns), 'column')} of the page are used.", "likely"
            )
            return
        if not sampled.columns or (len(sampled.columns) == 1 and not sampled.columns[0].path):
            self._reason("/fields", "None: the page has no records with keys.", "likely")
            return
        self.document["fields"] = {column.name: column.expression for column in sampled.columns}
        self._reason("/fields", self._reason_of_fields(sampled), "likely")
        if sampled.cut:
            self.warnings.append(
                f"The records have more than {len(sampled.columns)} columns (DETECT_FIELDS); the others are left out."
            )
        if self._evidence.parsed.form in ("json", "jsonl"):
            self._write_types()

    def _reason_of_fields(self, sampled: Columns) -> str:
        nested = sum(len(column.path) > 1 for column in sampled.columns)
        parts = [f"{plural(len(sampled.columns), 'column')} of {plural(self._evidence.sampled, 'record')}"]
        parts += [f"{nested} from objects within them"] if nested else []
        parts += (
            [f"{_list(sampled.kept_whole)} kept as JSON, since keys differ by record"] if sampled.kept_whole else []
        )
        parts += [f"{_list(sampled.left_out)} left out, since it has links only"] if sampled.left_out else []
        lists = [column.name for column in sampled.columns if any(isinstance(value, list) for value in column.values)]
        parts += [f"lists as JSON: {_list(lists)}"] if lists else []
        return "; ".join(parts) + "."

    def _write_types(self) -> None:
        types = find_types(self._evidence.columns.columns)
        if types:
            self.document["types"] = {name: kind for name, (kind, _) in types.items()}
        for name, (_, reason) in types.items():
            self._reason(json_pointer(("types", name)), reason, "likely")
        changed = [
            name for name, (kind, _) in types.items() if name.lower().replace("_", "") in _CHANGED and kind != "date"
        ]
        if changed:
            self._reason(
                "/incremental",
                f"Null: each run reads everything. `{changed[0]}` seems to be when a record last changed; a merge can "
                "prefer the newest value by it.",
                "guess",
            )

    def _write_key(self) -> None:
        columns = self._evidence.columns.columns
        known = columns if "fields" in self.document or self._evidence.parsed.tabular else []
        key = find_key(known, self._evidence.sampled)
        if key is None:
            self._reason("/primary_key", no_key_reason(self._evidence.sampled), "guess")
            return
        self.document["primary_key"] = [column.name for column in key.columns]
        self._reason("/primary_key", key.reason, key.confidence)


def _list(names: list[str]) -> str:
    shown = ", ".join(f"`{name[:_SHOWN_CHARACTERS]}`" for name in names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
