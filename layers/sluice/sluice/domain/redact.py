"""Messages for users, without details of the stack: accounts, buckets, ARNs."""

from __future__ import annotations

import re

_HIDDEN = (
    (re.compile(r"\b[a-z0-9][a-z0-9.-]*-(?:inbox|lake)-\d{12}-[a-z0-9-]+"), "(a bucket)"),
    (re.compile(r"\barn:[\w-]+:[^\s\"'<>()]*[^\s\"'<>().,:;]"), "(an ARN)"),
    (re.compile(r"\b\d{12}\b"), "(an account)"),
)


def redact(message: str) -> str:
    """Remove the names of buckets, accounts and resources from a message of an AWS service."""
    for pattern, stand_in in _HIDDEN:
        message = pattern.sub(stand_in, message)
    return message
