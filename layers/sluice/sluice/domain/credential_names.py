"""Recognize headers and query parameters that carry credentials by their names."""

from __future__ import annotations

import re

MASK = "********"
# Matches the end of a name whose letters are lower case and whose separators and digits are removed, so that
# `X-Api-Key`, `apiKey` and `api_key_2` all match.
_CREDENTIAL = re.compile(
    r"(assertion|authorization|cookie|credential|hmac|oauth|passcode|passphrase|passwd|password|signature|secret|token"
    r"|bearer|jwt|(access|admin|api|app|auth|client|consumer|dev|developer|encryption|functions|license|master"
    r"|private|read|secret|service|session|shared|signing|storage|subscription|user|write)key"
    r"|sessionid|session)(s|id|v)?$"
)
# Too short to match as a suffix: `compass` and `mypat` are no credentials.
_SHORT_WORDS = frozenset({"auth", "otp", "pass", "pat", "pwd", "sas", "sid", "sig", "totp"})
# Names of credentials, and of much else: a long random value decides.
_AMBIGUOUS = frozenset({"ak", "appid", "code", "devid", "k", "key", "sign", "sk", "ticket"})
_RANDOM = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9_-]{16,}")


def is_credential(name: str) -> bool:
    """Whether a header or query parameter with this name carries a credential."""
    letters = re.sub(r"[^a-z]+", "", name.lower())
    words = [word for word in re.split(r"[^a-z0-9]+", name.lower()) if word]
    return _CREDENTIAL.search(letters) is not None or bool(words and words[-1] in _SHORT_WORDS)


def carries_credential(name: str, value: str) -> bool:
    """Whether a header or query parameter carries a credential, by its name, or by its name and value together."""
    letters = re.sub(r"[^a-z0-9]+", "", name.lower())
    return is_credential(name) or (letters in _AMBIGUOUS and _RANDOM.fullmatch(value) is not None)
