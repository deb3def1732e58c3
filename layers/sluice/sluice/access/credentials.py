"""Who sends a request: by API key, token, or HTTP Basic."""

from __future__ import annotations

import base64
import binascii

from sluice.access.api_keys import KeyRing
from sluice.access.tokens import Tokens
from sluice.domain.identity import Principal
from sluice.errors import Unauthenticated


def recognise(headers: dict[str, str], method: str, keys: KeyRing, tokens: Tokens) -> Principal:
    """Who sends these headers.

    Args:
        headers: with their names in lower case.
        method: Basic credentials count for GET only, where browsers and Excel need them.

    Raises:
        Unauthenticated: nobody we know.
        Forbidden: a valid token that names no role.
        Unavailable: the issuer's keys cannot be had.
    """
    if "x-api-key" in headers:
        return keys.recognise(headers["x-api-key"].strip())
    scheme, _, value = headers.get("authorization", "").strip().partition(" ")
    match scheme.lower():
        case "bearer":
            credential = value.strip()
            return tokens.recognise(credential) if credential.count(".") == 2 else keys.recognise(credential)
        case "basic" if method == "GET":
            return keys.recognise(_user_name(value))
    raise Unauthenticated("The API key is missing, unknown or expired.")


def _user_name(basic: str) -> str:
    try:
        return base64.b64decode(basic, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""
