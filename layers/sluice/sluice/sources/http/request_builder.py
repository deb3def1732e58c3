"""From a datasource and the state of its pagination to the request for a page."""

from __future__ import annotations

import copy
from typing import Any

from sluice.domain.datasource.http_source import HttpSource
from sluice.domain.json_text import set_at_pointer
from sluice.errors import UnreadableData
from sluice.sources.http.auth import Credentials
from sluice.sources.http.client import Request, absolute
from sluice.sources.http.pagination import Ask


def page_request(http: HttpSource, ask: Ask) -> Request:
    """The request for a page, without credentials.

    An address that a page named is asked for as it is: it holds what the upstream wants.
    """
    params = {name: _query_text(value) for name, value in http.params.items()} | dict(ask.params)
    return Request(
        method=http.method,
        url=ask.url or http.url,
        home=http.url,
        params=params if ask.url is None else {},
        headers=http.headers,
        json=_body(http.body, ask),
        timeout_seconds=http.timeout_seconds,
    )


def _body(body: Any, ask: Ask) -> Any:
    if not ask.body:
        return body
    filled = copy.deepcopy(body) if body is not None else {}
    for pointer, value in ask.body.items():
        set_at_pointer(filled, pointer, value)
    return filled


def next_address(current: str, named: str, credentials: Credentials) -> str:
    """The absolute address of the next page, without the credentials that an upstream may echo.

    Args:
        current: the address of the page that names it.

    Raises:
        UnreadableData: it is no address of HTTP.
        SourceRefused: it contains a secret elsewhere than in a query parameter.
    """
    address = absolute(current, named)
    if address is None:
        shown = credentials.masked(named)[:200]
        raise UnreadableData(f"`pagination`: the next page is at {shown!r}, which is no address of HTTP.")
    return credentials.without(address).partition("#")[0]


def _query_text(value: str | int | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
