"""Credentials of requests: which headers and query parameters carry a datasource's secrets."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote_plus, urlencode, urlsplit, urlunsplit

from sluice.domain.credential_names import MASK
from sluice.domain.datasource.http_source import ApiKeyAuth, Auth, BasicAuth, BearerAuth
from sluice.errors import SecretUnusable, SourceRefused

# A shorter secret can be part of an address by chance.
_SHORTEST_KNOWN = 6


@dataclass(frozen=True)
class Credentials:
    """The credentials of a request. They are never logged and never sent to another host.

    Args:
        headers: headers with credentials.
        params: query parameters with credentials.
        values: the values of the secrets, which are masked in texts from the upstream.
    """

    headers: dict[str, str] = field(default_factory=dict, repr=False)
    params: dict[str, str] = field(default_factory=dict, repr=False)
    values: tuple[str, ...] = field(default=(), repr=False)

    def mask(self, text: str) -> str:
        """Return a text with the secrets replaced by asterisks, as plain text and in URL encoding.

        In any case: the names of headers and encodings, which an upstream can misuse, are read in lower case.
        """
        return self._spellings.sub(MASK, text)

    @cached_property
    def _spellings(self) -> re.Pattern[str]:
        spellings = {
            spelling
            for value in filter(None, self.values)
            for spelling in (value, quote(value), quote(value, safe=""), quote_plus(value))
        }
        longest_first = sorted(spellings, key=lambda spelling: (-len(spelling), spelling))
        return re.compile("|".join(map(re.escape, longest_first)) or "(?!)", re.IGNORECASE)

    def mask_unexpected(self, error: Exception) -> RuntimeError:
        """The error of a library with the secrets in its message replaced, and with its traceback.

        The message can have what the library was sending, and the logs and the workflow's history keep it.
        """
        return RuntimeError(self.mask(f"{type(error).__name__}: {error}")).with_traceback(error.__traceback__)

    def mask_json(self, value: Any) -> Any:
        """Return data from the upstream with the secrets replaced by asterisks, in keys, too.

        A short secret can be part of a text by chance, so it is replaced only where it is the whole value.
        """
        if isinstance(value, dict):
            return {self.mask_json(key): self.mask_json(member) for key, member in value.items()}
        if isinstance(value, list):
            return [self.mask_json(element) for element in value]
        if value is None or isinstance(value, bool):
            return value
        if str(value) in self.values:
            return MASK
        return self._long.mask(value) if isinstance(value, str) else value

    @property
    def _long(self) -> Credentials:
        return Credentials(values=tuple(value for value in self.values if len(value) >= _SHORTEST_KNOWN))

    def strip_from(self, url: str) -> str:
        """Remove query parameters with a secret from an address that an upstream sent.

        The address is stored and shown, and the credentials are added again when it is requested.

        Raises:
            SourceRefused: the address contains a secret elsewhere.
        """
        parts = urlsplit(url)
        query = parse_qsl(parts.query, keep_blank_values=True)
        kept = [(name, value) for name, value in query if name not in self.params and value not in self.values]
        if len(kept) < len(query):
            url = urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(kept), ""))
        if any(len(value) >= _SHORTEST_KNOWN and value in unquote_plus(url) for value in self.values):
            raise SourceRefused("The upstream links to an address that contains the datasource's secret.")
        return url


def credentials(auth: Auth, secret: Callable[[str], str]) -> Credentials:
    """Return the credentials of a datasource.

    Args:
        auth: the datasource's `auth`.
        secret: returns a secret's value by its name.

    Raises:
        SecretMissing: the secret has no value.
        SecretUnusable: the secret has characters that are not allowed in a header.
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
    """Return a secret for a header, without surrounding white space, such as a pasted line feed."""
    value = secret(name).strip(" \t\r\n")
    if re.fullmatch(r"[\x20-\x7e]+", value) is None:
        raise SecretUnusable(f"The secret {name!r} has characters that are not allowed in a header; set it again.")
    return value
