"""The API as the command speaks to it."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from sluice_cli.progress import StepFailed

_PAUSE_SECONDS = 0.3
_BUSY = (429, 503)
_BUSY_SECONDS = 120.0
_LONGEST_PAUSE = 5.0


def answer_when_free(send: Callable[[], httpx.Response], seconds: float = _BUSY_SECONDS) -> httpx.Response:
    """The answer to a request, which is sent again while the API is too busy for it.

    An API that is too busy has not done what was asked for. It says by `Retry-After` when to ask
    again; the local emulator's gateway leaves that out.

    Args:
        seconds: after this long, the answer that it is too busy is the answer.
    """
    deadline = time.monotonic() + seconds
    pause = _PAUSE_SECONDS
    while True:
        answer = send()
        asked = answer.headers.get("Retry-After", "")
        # Jitter, so that those who were refused together do not come back together.
        wait = (float(asked) if asked.isdecimal() else pause / 2) + random.uniform(0, pause / 2)  # noqa: S311
        if answer.status_code not in _BUSY or time.monotonic() + wait > deadline:
            return answer
        time.sleep(wait)
        pause = min(2 * pause, _LONGEST_PAUSE)


class Api:
    """A client of one API with one key."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url.rstrip("/")
        self._client = httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {key}"}, timeout=60, trust_env=False
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One request.

        Raises:
            StepFailed: with what the API says is wrong.
        """
        try:
            answer = answer_when_free(lambda: self._client.request(method, path, **more))
        except httpx.TransportError as error:
            raise StepFailed(f"{self.url} cannot be reached ({error}); is the stack up? Try: make up") from None
        if answer.status_code >= 400:
            raise StepFailed(_explained(answer, method, path))
        return answer

    def get(self, path: str, **params: Any) -> Any:
        """A document."""
        return self.call("GET", path, params=params).json()

    def put(self, path: str, document: Any) -> Any:
        """Create or replace a document."""
        return self.call("PUT", path, json=document).json()

    def post(self, path: str, document: Any | None = None, **headers: str) -> Any:
        """Create something, or start it."""
        return self.call("POST", path, json=document or {}, headers=headers).json()

    def finished(self, run: dict[str, Any], seconds: float = 300) -> dict[str, Any]:
        """The run when it has ended.

        Raises:
            StepFailed: it takes longer than this.
        """
        deadline = time.monotonic() + seconds
        while run["status"] in ("pending", "running"):
            if time.monotonic() > deadline:
                raise StepFailed(
                    f"the run {run['id']} has not ended after {seconds:.0f} s; see sluice get runs/{run['id']}"
                )
            time.sleep(_PAUSE_SECONDS)
            run = self.get(f"/runs/{run['id']}")
        return run


def _explained(answer: httpx.Response, method: str, path: str) -> str:
    try:
        problem = answer.json()
        faults = [f"\n    {fault['pointer']}: {fault['message']}" for fault in problem.get("errors", [])]
        said = problem["detail"] + "".join(faults)
    except (ValueError, KeyError, TypeError):
        said = answer.text[:500]
    return f"{method} {path} answered {answer.status_code}: {said}"


def connect(local: Path) -> Api:
    """The API named by SLUICE_API and SLUICE_API_KEY, else that of the local stack.

    Raises:
        StepFailed: there is neither.
    """
    if "SLUICE_API" in os.environ:
        return Api(os.environ["SLUICE_API"], os.environ.get("SLUICE_API_KEY", ""))
    stack = local / "stack.json"
    if not stack.exists():
        raise StepFailed("there is no local stack; start it with: make up (or set SLUICE_API and SLUICE_API_KEY)")
    description = json.loads(stack.read_text())
    return Api(description["api"], description["api_key"])
