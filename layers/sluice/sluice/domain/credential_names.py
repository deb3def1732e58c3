"""Recognize headers and query parameters that carry credentials by their names."""

from __future__ import annotations

import re

MASK = "********"
# Matches the end of a name whose letters are lower case and whose separators and digits are removed, so that
# `X-Api-Key`, `apiKey` and `api_key_2` all match.
_CREDENTIAL = re.compile(
    r"(authorization|cookie|credential|signature|passwd|password|passphrase|secret|token|bearer|jwt"
    r"|(access|api|app|auth|client|functions|h?api|license|private|secret|service|session|subscription|user)key"
    r"|sessionid|session)(s|id|v)?$"
)
# Too short to match as a suffix: `compass` and `mypat` are no credentials.
_SHORT_WORDS = frozenset({"auth", "pass", "pat", "pwd", "sid", "sig"})


def is_credential(name: str) -> bool:
    """Whether a header or query parameter with this name carries a credential."""
    letters = re.sub(r"[^a-z]+", "", name.lower())
    words = [word for word in re.split(r"[^a-z0-9]+", name.lower()) if word]
    return _CREDENTIAL.search(letters) is not None or bool(words and words[-1] in _SHORT_WORDS)
