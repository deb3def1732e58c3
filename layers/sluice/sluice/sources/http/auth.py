"""Credentials of requests: secrets by name, put where the upstream wants them."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, quote_plus, unquote_plus, urlencode, urlsplit, urlunsplit

from sluice.domain.datasource.http_source import ApiKeyAuth, Auth, BasicAuth, BearerAuth
from sluice.errors import SecretUnusable, SourceRefused

MASK = "********"
# A shorter secret may well stand in an address by chance.
_SHORTEST_KNOWN = 6


@dataclass(frozen=True)
class Credentials:
    """What a request carries to prove who we are; never logged, never sent to another host.

    Args:
        values: the secrets' own values, by which an upstream's echo of them is known.
    """

    headers: dict[str, str] = field(default_factory=dict, repr=False)
    params: dict[str, str] = field(default_factory=dict, repr=False)
    values: tuple[str, ...] = field(default=(), repr=False)

    def masked(self, text: str) -> str:
        """A text for people, without a secret that an upstream has put into it."""
        for value in self.values:
            for spelled in {value, quote(value), quote(value, safe=""), quote_plus(value)}:
                text = text.replace(spelled, MASK)
        return text

    def without(self, url: str) -> str:
        """An address that an upstream has given, without the query parameters that echo a secret.

        Raises:
            SourceRefused: a secret stands elsewhere in it.
        """
        parts = urlsplit(url)
        query = parse_qsl(parts.query, keep_blank_values=True)
        kept = [(name, value) for name, value in query if name not in self.params and value not in self.values]
        if len(kept) < len(query):
            url = urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(kept), ""))
        if any(len(value) >= _SHORTEST_KNOWN and value in unquote_plus(url) for value in self.values):
            raise SourceRefused("The upstream sends us to an address that contains the datasource's secret.")
        return url


def credentials(auth: Auth, secret: Callable[[str], str]) -> Credentials:
    """The credentials that a datasource's `auth` asks for.

    Args:
        secret: gives a secret's value by its name.

    Raises:
        SecretMissing: the secret has no value.
        SecretUnusable: it holds what a header cannot carry.
    """
    match auth:
        case ApiKeyAuth(in_="header"):
            value = _header_value(auth.secret, secret)
            return Credentials(headers={auth.name: value}, values=(value,))
        case ApiKeyAuth():
            value = secret(auth.secret)
            return Credentials(params={auth.name: value}, values=(value,))
        case BearerAuth():
            value = _header_value(auth.secret, secret)
            return Credentials(headers={"Authorization": f"Bearer {value}"}, values=(value,))
        case BasicAuth():
            value = secret(auth.secret)
            pair = base64.b64encode(f"{auth.username}:{value}".encode()).decode()
            return Credentials(headers={"Authorization": f"Basic {pair}"}, values=(value, pair))
        case _:
            return Credentials()


def _header_value(name: str, secret: Callable[[str], str]) -> str:
    """A secret for a header, without the white space around it, which no header can carry."""
    value = secret(name).strip(" \t\r\n")
    if re.fullmatch(r"[\x20-\x7e]+", value) is None:
        raise SecretUnusable(f"The secret {name!r} has characters that no header can carry; set it again.")
    return value
