"""What goes wrong with a MongoDB, as the errors of a run; and what is worth another connection."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bson.errors import BSONError
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    OperationFailure,
    PyMongoError,
)

from sluice.errors import RunError, SourceRefused, UnreadableData

SNAPSHOT_TOO_OLD = 239
_TIME_OVER = 50
_UNAUTHORIZED = 13
_AUTHENTICATION_FAILED = 18
# The server or the network gave up, not the query: a new cursor goes on. The last two ends are a cursor's own.
_BREAKS = frozenset({
    6, 7, 43, 64, 89, 91, 112, 133, 175, 189, 237, SNAPSHOT_TOO_OLD, 246, 262, 9001,
    10107, 11600, 11602, 13388, 13435, 13436,
})  # fmt: skip


class Broken(Exception):  # noqa: N818 - a state of the connection, which another one follows
    """The connection or the cursor broke: another one can go on behind the last document.

    Args:
        reason: why, for people.
        snapshot_lost: whether the server no longer has the snapshot.
    """

    def __init__(self, reason: str, *, snapshot_lost: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.snapshot_lost = snapshot_lost


def fault_of(error: Exception, max_time_seconds: int) -> Exception:
    """The error for one of the driver's: `Broken`, or one that ends the run."""
    if isinstance(error, RunError | Broken):
        return error
    if isinstance(error, OperationFailure):
        return _refusal(error, max_time_seconds)
    if isinstance(error, ConnectionFailure | OSError):
        return Broken(reason_of([str(error)]))
    if isinstance(error, BSONError | UnicodeError | RecursionError):
        return UnreadableData(f"The server sent a document that cannot be read: {_text(error)}.")
    if isinstance(error, ConfigurationError):
        return SourceRefused(f"The server cannot be read: {_text(error)}.")
    if isinstance(error, PyMongoError):
        return Broken(_text(error))
    # The driver takes a server's answers for well-formed: a TypeError or KeyError says that one is not.
    return UnreadableData(f"The server's answer cannot be read ({type(error).__name__}).")


def _refusal(error: OperationFailure, max_time_seconds: int) -> Exception:
    details = error.details or {}
    text = str(details.get("errmsg") or error).rstrip(".")
    if error.code in _BREAKS:
        return Broken(text, snapshot_lost=error.code == SNAPSHOT_TOO_OLD)
    if error.code == _TIME_OVER:
        return SourceRefused(
            f"The server worked longer than {max_time_seconds} s (mongo.max_time_seconds); filter by fields that have "
            "an index, or allow more time."
        )
    if error.code == _AUTHENTICATION_FAILED:
        return SourceRefused(
            f"The server refused the user: {text}; check the user, password and authSource of the URI."
        )
    if error.code == _UNAUTHORIZED:
        return SourceRefused(f"The user may not read the collection: {text}.")
    return SourceRefused(f"The server refused the query: {text}.")


def reason_of(texts: Iterable[str]) -> str:
    """Why there was no connection, without the host: its name belongs to the secret.

    Args:
        texts: what the driver says, which does not keep the error that it has met.
    """
    for text in texts:
        invalid = re.search(r"certificate verify failed: ([^(]*[^( ])", text)
        if invalid is not None:
            # Python names the host in the sentence that tells that the certificate is for another one.
            reason = invalid[1] if "mismatch" not in invalid[1].lower() else "it is for another name"
            return f"its certificate is not valid for this host ({reason})"
        if "belongs to a set named" in text or "replica set named" in text:
            return "its replica set has another name than replicaSet of the URI says"
        if "SSL" in text:
            return "the encrypted connection failed; a server without TLS needs tls=false in the URI"
        if "refused" in text:
            return "the connection was refused"
        if "timed out" in text:
            return "no answer in time"
    return "no answer in time, or the connection broke"


def _text(error: BaseException) -> str:
    return str(error).rstrip(".")[:500] or type(error).__name__
