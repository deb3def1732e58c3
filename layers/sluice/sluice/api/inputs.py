"""Answers about inputs, which the functions `api` and `authoring` share."""

from __future__ import annotations

from typing import Any

import orjson

from sluice.api.call import Answer, Call
from sluice.api.routes import Parameter
from sluice.catalog.definitions import Definition
from sluice.catalog.inputs import latest_version
from sluice.container import Container
from sluice.domain.input import InputVersion
from sluice.inputs.check import kind_of
from sluice.inputs.kinds import KINDS

DELETED = Parameter("deleted", "`true` lists the deleted inputs instead.", {"type": "boolean", "default": False})
KIND = Parameter("kind", "The kind of the inputs.", {"type": "string", "enum": list(KINDS)})


def summary(stored: Definition, version: InputVersion | None = None) -> dict[str, Any]:
    """An input as the API shows it, without its document.

    Args:
        stored: the input.
        version: the version to show; None for the latest.
    """
    shown = version or latest_version(stored)
    return {
        "slug": stored.name,
        "kind": stored.document["kind"],
        "version": shown.number,
        "comment": shown.comment,
        "hash": shown.hash,
        "size": shown.size,
        "warnings": shown.warnings,
        "restored_from": shown.restored_from,
        "created_at": stored.created_at,
        "created_by": stored.created_by,
        "updated_at": shown.created_at,
        "updated_by": shown.created_by,
        "deleted_at": stored.deleted_at,
        "etag": stored.etag,
    }


def raw_json(text: bytes) -> Any:
    """JSON text as a value of an answer, written as it is: with all digits, and without being parsed."""
    return orjson.Fragment(text)


def inline(call: Call, text: bytes) -> Any:
    """A document as a value of an answer to a write; null if it is too large for such an answer.

    Args:
        call: the request.
        text: the document as JSON.
    """
    # An answer to a write is no redirect. Quotation marks are escaped in Lambda's response, which at most doubles it.
    return raw_json(text) if 2 * len(text) <= call.settings.max_inline_bytes else None


def etag_headers(stored: Definition) -> dict[str, str]:
    """The header with the state of a definition."""
    return {"ETag": f'"{stored.etag}"'}


def written_headers(call: Call, stored: Definition, *, created: bool) -> dict[str, str]:
    """The headers of the answer to a write of an input.

    Args:
        call: the request.
        stored: the input.
        created: whether it was not there before.
    """
    location = {"Location": call.url(f"/inputs/{stored.name}")} if created else {}
    return {**location, **etag_headers(stored)}


def current_etag(stored: Definition | None) -> str | None:
    """The ETag for `If-Match`; None if there is no such definition, or it is deleted."""
    return stored.etag if stored is not None and stored.deleted_at is None else None


def optional_kind(call: Call) -> str | None:
    """The query parameter `kind`; None if it is absent.

    Raises:
        Invalid: there is no such kind.
    """
    kind = call.query_value("kind")
    return None if kind is None else kind_of(kind, "?kind").name


def list_answer(call: Call, services: Container, visible: Any) -> Answer:
    """One page of the inputs, by slug.

    Args:
        call: the request.
        services: the container.
        visible: whether the caller may know of an input.
    """
    kind, limit = optional_kind(call), call.limit()
    deleted = call.choice("deleted", ("true", "false"), "false") == "true"
    bound = ["inputs", kind, deleted, call.principal.projects]
    after = services.cursors.open(bound, call.query_value("cursor"))
    items: list[Definition] = []
    while True:
        # A filter leaves some out, so several pages of the table may be needed to fill one of the list.
        page, following = services.definitions.page("input", limit - len(items), after, deleted=deleted)
        items += [item for item in page if kind in (None, item.document["kind"]) and visible(item)]
        if following is None or len(items) == limit:
            break
        after = following
    cursor = services.cursors.seal(bound, following) if following is not None else None
    return Answer({"items": [summary(item) for item in items], "next": cursor})
