"""Credentials of requests: secrets by name, put where the upstream wants them."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from sluice.domain.http_source import ApiKeyAuth, Auth, BasicAuth, BearerAuth
from sluice.errors import SecretUnusable


@dataclass(frozen=True)
class Credentials:
    """What a request carries to prove who we are; never logged, never sent to another host."""

    headers: dict[str, str] = field(default_factory=dict, repr=False)
    params: dict[str, str] = field(default_factory=dict, repr=False)


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
            return Credentials(headers={auth.name: _header_value(auth.secret, secret)})
        case ApiKeyAuth():
            return Credentials(params={auth.name: secret(auth.secret)})
        case BearerAuth():
            return Credentials(headers={"Authorization": f"Bearer {_header_value(auth.secret, secret)}"})
        case BasicAuth():
            pair = f"{auth.username}:{secret(auth.secret)}".encode()
            return Credentials(headers={"Authorization": f"Basic {base64.b64encode(pair).decode()}"})
        case _:
            return Credentials()


def _header_value(name: str, secret: Callable[[str], str]) -> str:
    """A secret for a header, without the line break that a file or a pipe may have left."""
    value = secret(name).rstrip("\r\n")
    if re.fullmatch(r"[\x20-\x7e]+", value) is None:
        raise SecretUnusable(f"The secret {name!r} has characters that no header can carry; set it again.")
    return value
