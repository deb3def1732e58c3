"""The body of a request to detect the document of a datasource."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from sluice.domain.base import Document
from sluice.domain.datasource.http_source import Auth, NoAuth, Url, url_fault


def _require_address(url: object) -> object:
    """Refuse credentials in the address, with better advice than the pattern of `Url` gives."""
    if isinstance(url, str) and "@" in url.partition("://")[2].partition("/")[0].partition("?")[0]:
        raise ValueError("the URL has a user name or password; store the password as a secret and name it in `auth`")
    return url


def _require_usable(url: str) -> str:
    fault = url_fault(url) if urlsplit(url).hostname else "it has no host"
    if fault is not None:
        raise ValueError(f"the URL cannot be used: {fault}")
    return url


class DetectRequest(Document):
    """The address of an HTTP API whose datasource shall be detected."""

    url: Annotated[Url, BeforeValidator(_require_address), AfterValidator(_require_usable)] = Field(
        description="The address of the first page. A credential in its query is used for the requests, and the "
        "proposed document names a secret instead."
    )
    auth: Auth = Field(
        NoAuth(type="none"), description="The credentials, as in a datasource: with the name of a secret."
    )
