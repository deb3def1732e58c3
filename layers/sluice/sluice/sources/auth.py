"""Credentials of requests: secrets by name, put where the upstream wants them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field

from sluice.domain.datasource import ApiKeyAuth, Auth, BasicAuth, BearerAuth


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
    """
    match auth:
        case ApiKeyAuth(in_="header"):
            return Credentials(headers={auth.name: secret(auth.secret)})
        case ApiKeyAuth():
            return Credentials(params={auth.name: secret(auth.secret)})
        case BearerAuth():
            return Credentials(headers={"Authorization": f"Bearer {secret(auth.secret)}"})
        case BasicAuth():
            pair = f"{auth.username}:{secret(auth.secret)}".encode()
            return Credentials(headers={"Authorization": f"Basic {base64.b64encode(pair).decode()}"})
        case _:
            return Credentials()
