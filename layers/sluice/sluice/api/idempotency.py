"""`Idempotency-Key`: a repeated POST gets the answer to the first one."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sluice.api.call import Answer, Call
from sluice.catalog.locks import Locks
from sluice.container import Container
from sluice.errors import Invalid, RequestRunning
from sluice.lake.store import Lake

# In base64 this is 400,000 bytes; an item of DynamoDB has at most 409,600.
MAX_STORED_BYTES = 300_000
_RUNNING_SECONDS = 60


def answer_once(call: Call, services: Container, handle: Callable[[], Answer]) -> Answer:
    """The handler's answer, or the stored one of an earlier request with the same key.

    Only successes are stored: a request that failed can be repeated with the same key.

    Args:
        handle: runs the handler; it is called at most once.

    Raises:
        Invalid: the key was used for another request, or is too long.
        RequestRunning: the first request with this key has not been answered yet.
    """
    key = call.header("idempotency-key")
    if call.method != "POST" or key is None:
        return handle()
    if not 1 <= len(key) <= 255:
        raise Invalid("An Idempotency-Key must have 1 to 255 characters.")
    # Callers choose keys independently, and may use one key at several paths.
    # A header may have lone surrogates, as JSON of the gateway's event can.
    identity = f"{call.principal.id}\n{call.path}\n{key}".encode(errors="surrogatepass")
    name = hashlib.sha256(identity).hexdigest()
    lock = f"idempotency#{name}"
    request = hashlib.sha256(repr(sorted(call.query.items())).encode() + b"\n" + call.body()).hexdigest()
    locks = services.locks
    stored = locks.acquire(lock, _RUNNING_SECONDS, request=request)
    if stored is not None:
        return _replay(stored, request, services.lake)
    # The lock expires after a minute, so a function that is killed here blocks its key for no longer.
    try:
        answer = handle()
    # Whatever ends the handler, a repeated request must be able to run it again.
    except BaseException:
        # Only our own lock: it may have expired, and another request may hold it now.
        locks.release(lock, "#request = :request", {"request": request})
        raise
    _store(call, locks, services.lake, lock, request, answer)
    return answer


def _replay(stored: dict[str, Any], request: str, lake: Lake) -> Answer:
    if stored.get("request") != request:
        raise Invalid("This Idempotency-Key was used for another request; choose a new one.")
    if "status" not in stored:
        raise RequestRunning("The first request with this Idempotency-Key is still running; send this one again.")
    body = lake.get(stored["body_key"]) if "body_key" in stored else base64.b64decode(stored["body"])
    headers = {**stored["headers"], "Idempotent-Replayed": "true"}
    return Answer(body, stored["status"], headers, stored["media_type"])


def _store(call: Call, locks: Locks, lake: Lake, lock: str, request: str, answer: Answer) -> None:
    if answer.shown_once:
        body = {name: value for name, value in answer.body.items() if name not in answer.shown_once}
        answer = replace(answer, body=body)
    content = answer.content()
    stored: dict[str, Any] = {"status": answer.status, "headers": dict(answer.headers), "media_type": answer.media_type}
    if len(content) > MAX_STORED_BYTES:
        stored["body_key"] = lake.put_answer(content)
    else:
        stored["body"] = base64.b64encode(content).decode()
    lifetime = call.settings.idempotency_hours * 3600
    locks.extend(lock, lifetime, "#request = :request", {"request": request}, **stored)
