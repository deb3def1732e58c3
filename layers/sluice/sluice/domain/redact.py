"""Messages for users, without details of the stack: accounts, buckets, ARNs."""

from __future__ import annotations

import re

from sluice.domain.credential_names import MASK

_HIDDEN = (
    (re.compile(r"\b[a-z0-9][a-z0-9.-]*-(?:inbox|lake)-\d{12}-[a-z0-9-]+"), "(a bucket)"),
    (re.compile(r"\barn:[\w-]+:[^\s\"'<>()]*[^\s\"'<>().,:;]"), "(an ARN)"),
    (re.compile(r"\b\d{12}\b"), "(an account)"),
)


# An API key of Sluice without the id at its beginning, and a JSON Web Token.
_CREDENTIALS = re.compile(r"(?<=slc_)([a-z0-9]{12})_[A-Za-z0-9_-]{20,}|eyJ[\w-]+\.[\w-]+(\.[\w-]*)*")


def mask_credentials(text: str) -> str:
    """Replace API keys and tokens in a text, such as a path; of a key its id stays."""
    return _CREDENTIALS.sub(lambda match: f"{match[1]}_{MASK}" if match[1] else MASK, text)


def redact(message: str) -> str:
    """Remove the names of buckets, accounts and resources from a message of an AWS service."""
    for pattern, stand_in in _HIDDEN:
        message = pattern.sub(stand_in, message)
    return message
