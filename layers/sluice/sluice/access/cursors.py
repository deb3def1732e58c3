"""Cursors of lists: opaque, signed, and bound to one list."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Any

import orjson

from sluice.errors import Invalid

# 128 bits cannot be guessed, and keep cursors short enough for query parameters.
_SIGNATURE_BYTES = 16


class Cursors:
    """Signs positions in a list, and checks them when they come back.

    Args:
        key: the HMAC key.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def _signature(self, payload: bytes) -> bytes:
        return hmac.new(self._key, payload, hashlib.sha256).digest()[:_SIGNATURE_BYTES]

    def seal(self, bound_to: Any, position: Any) -> str:
        """A cursor for a position.

        Args:
            bound_to: JSON values that identify the list: its name, filters, version.
            position: JSON values; the client can read them, but not change them.
        """
        payload = orjson.dumps([_digest(bound_to), position])
        return base64.urlsafe_b64encode(self._signature(payload) + payload).decode().rstrip("=")

    def open(self, bound_to: Any, cursor: str | None) -> Any:
        """The position in a cursor; null without one.

        Args:
            bound_to: the same values that the cursor was sealed with.

        Raises:
            Invalid: the signature is wrong, or the cursor belongs to another list, filter or version.
        """
        if cursor is None:
            return None
        fault = Invalid(
            "The cursor does not belong to this list.",
            [{"pointer": "?cursor", "message": "Send `next` of the previous page, with the same parameters."}],
        )
        try:
            # The padding was removed, since `=` would have to be escaped in URLs.
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise fault from None
        signature, payload = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(payload)):
            raise fault
        digest, position = orjson.loads(payload)
        if digest != _digest(bound_to):
            raise fault
        return position


def _digest(bound_to: Any) -> str:
    return hashlib.sha256(orjson.dumps(bound_to, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
