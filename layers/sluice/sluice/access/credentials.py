"""Authentication of a request by API key, JSON Web Token or HTTP Basic."""

from __future__ import annotations

import base64
import binascii

from sluice.access.api_keys import KeyRing
from sluice.access.tokens import Tokens
from sluice.domain.identity import Principal
from sluice.errors import Unauthenticated


def authenticate(headers: dict[str, str], method: str, keys: KeyRing, tokens: Tokens) -> Principal:
    """The principal whose credentials a request carries.

    Args:
        headers: by their names in lower case.
        method: Basic credentials are accepted for GET and HEAD only, where browsers and Excel need them.

    Raises:
        Unauthenticated: there are no credentials, or they are not valid.
        Forbidden: the token is valid but names no role.
        Unavailable: the issuer's keys cannot be fetched.
    """
    if "x-api-key" in headers:
        return keys.authenticate(headers["x-api-key"].strip())
    scheme, _, value = headers.get("authorization", "").strip().partition(" ")
    match scheme.lower():
        case "bearer":
            credential = value.strip()
            # A signed JWT has three parts with dots between them; an API key has no dots.
            return tokens.authenticate(credential) if credential.count(".") == 2 else keys.authenticate(credential)
        case "basic" if method in ("GET", "HEAD"):
            return keys.authenticate(_user_name(value))
    raise Unauthenticated("The API key is missing, unknown or expired.")


def _user_name(basic: str) -> str:
    try:
        return base64.b64decode(basic, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""
