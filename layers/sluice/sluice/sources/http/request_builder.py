"""Build the request for a page from a datasource and the state of its pagination."""

from __future__ import annotations

import copy
from typing import Any

from sluice.domain.datasource.http_source import HttpSource
from sluice.domain.json_text import set_at_pointer
from sluice.errors import UnreadableData
from sluice.sources.http.auth import Credentials
from sluice.sources.http.client import Request, absolute
from sluice.sources.http.pagination import PageParameters


def page_request(http: HttpSource, parameters: PageParameters) -> Request:
    """Return the request for a page, without credentials.

    Args:
        http: the datasource's `http`.
        parameters: the page's parameters. If they have an address, the datasource's `params` are not added to it:
            the upstream has put what it needs into the address.
    """
    params = {name: _query_text(value) for name, value in http.params.items()} | dict(parameters.params)
    return Request(
        method=http.method,
        url=parameters.url or http.url,
        home=http.url,
        params=params if parameters.url is None else {},
        headers=http.headers,
        json=_body(http.body, parameters),
        timeout_seconds=http.timeout_seconds,
    )


def _body(body: Any, parameters: PageParameters) -> Any:
    if not parameters.body:
        return body
    filled = copy.deepcopy(body) if body is not None else {}
    for pointer, value in parameters.body.items():
        set_at_pointer(filled, pointer, value)
    return filled


def next_address(current: str, link: str, credentials: Credentials) -> str:
    """Return the absolute address of the next page, without credentials that the upstream echoes.

    Args:
        current: the address of the page that has the link.
        link: the link, absolute or relative.
        credentials: the credentials to remove.

    Raises:
        UnreadableData: the link is not an HTTP address.
        SourceRefused: the link contains a secret elsewhere than in a query parameter.
    """
    address = absolute(current, link)
    if address is None:
        shown = credentials.mask(link)[:200]
        raise UnreadableData(f"`pagination`: the next page is at {shown!r}, which is not an HTTP address.")
    return credentials.strip_from(address).partition("#")[0]


def _query_text(value: str | int | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
