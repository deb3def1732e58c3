"""`Idempotency-Key`: a repeated POST gets the first answer."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sluice.api.call import Answer, Call
from sluice.catalog.locks import Locks
from sluice.container import Container
from sluice.errors import Conflict, Invalid
from sluice.lake.store import Lake

MAX_STORED_BYTES = 300_000
_RUNNING_SECONDS = 60


def once(call: Call, services: Container, handle: Callable[[], Answer]) -> Answer:
    """The handler's answer, or the one it gave to the same key before.

    Only successes are kept: a request that failed may be repeated with the same key.

    Raises:
        Invalid: the key came with another body before, or is too long.
        Conflict: the first request with this key is still being answered.
    """
    key = call.header("idempotency-key")
    if call.method != "POST" or key is None:
        return handle()
    if not 1 <= len(key) <= 255:
        raise Invalid("An Idempotency-Key has 1 to 255 characters.")
    name = hashlib.sha256(f"{call.principal.id}\n{call.path}\n{key}".encode()).hexdigest()
    lock = f"idempotency#{name}"
    request = hashlib.sha256(repr(sorted(call.query.items())).encode() + b"\n" + call.body()).hexdigest()
    locks = services.locks
    held = locks.acquire(lock, _RUNNING_SECONDS, request=request)
    if held is not None:
        return _replayed(held, request, services.lake)
    try:
        answer = handle()
    except BaseException:
        locks.release(lock, "#request = :request", {"request": request})
        raise
    _keep(call, locks, services.lake, lock, request, answer)
    return answer


def _replayed(held: dict[str, Any], request: str, lake: Lake) -> Answer:
    if held.get("request") != request:
        raise Invalid("This Idempotency-Key was used for another request; choose a new one.")
    if "status" not in held:
        raise Conflict("The first request with this Idempotency-Key is still being answered.")
    body = lake.get(held["body_key"]) if "body_key" in held else base64.b64decode(held["body"])
    headers = {**held["headers"], "Idempotent-Replayed": "true"}
    return Answer(body, held["status"], headers, held["media_type"])


def _keep(call: Call, locks: Locks, lake: Lake, lock: str, request: str, answer: Answer) -> None:
    if answer.shown_once:
        kept = {name: value for name, value in answer.body.items() if name not in answer.shown_once}
        answer = replace(answer, body=kept)
    body = answer.content()
    stored: dict[str, Any] = {"status": answer.status, "headers": dict(answer.headers), "media_type": answer.media_type}
    if len(body) > MAX_STORED_BYTES:
        stored["body_key"] = lake.put_answer(body)
    else:
        stored["body"] = base64.b64encode(body).decode()
    lifetime = call.settings.idempotency_hours * 3600
    locks.prolong(lock, lifetime, "#request = :request", {"request": request}, **stored)
