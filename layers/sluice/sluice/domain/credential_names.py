"""Names that tell that what they name is a credential."""

from __future__ import annotations

import re

MASK = "********"
# The ends of names that hold a credential, without what separates their words; `api_key_2` and the like as well.
_CREDENTIAL = re.compile(
    r"(authorization|cookie|credential|signature|passwd|password|passphrase|secret|token|bearer|jwt"
    r"|(access|api|app|auth|client|functions|h?api|license|private|secret|service|session|subscription|user)key"
    r"|sessionid|session)(s|id|v)?$"
)
_SHORT_WORDS = frozenset({"auth", "pass", "pat", "pwd", "sid", "sig"})


def is_credential(name: str) -> bool:
    """Whether a header or query parameter of this name carries a credential."""
    letters = re.sub(r"[^a-z]+", "", name.lower())
    words = [word for word in re.split(r"[^a-z0-9]+", name.lower()) if word]
    return _CREDENTIAL.search(letters) is not None or bool(words and words[-1] in _SHORT_WORDS)
