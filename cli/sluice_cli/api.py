"""The client of the API that the commands use."""

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
_BUSY_STATUSES = (429, 503)
_BUSY_SECONDS = 120.0
_MAX_PAUSE_SECONDS = 5.0


def send_with_retries(send: Callable[[], httpx.Response], seconds: float = _BUSY_SECONDS) -> httpx.Response:
    """Send a request, and retry it while the API answers 429 or 503.

    A retry is safe for every method: with these statuses the API has not done what was requested.

    Args:
        send: sends the request once.
        seconds: after this long, the last answer is returned, whatever its status.

    Returns:
        The first answer with another status, or the last one.
    """
    deadline = time.monotonic() + seconds
    pause = _PAUSE_SECONDS
    while True:
        answer = send()
        # The local emulator's gateway sends no Retry-After.
        retry_after = answer.headers.get("Retry-After", "")
        # Jitter, so that clients that were refused at the same moment do not retry at the same moment.
        wait = (float(retry_after) if retry_after.isdecimal() else pause / 2) + random.uniform(0, pause / 2)  # noqa: S311
        if answer.status_code not in _BUSY_STATUSES or time.monotonic() + wait > deadline:
            return answer
        time.sleep(wait)
        pause = min(2 * pause, _MAX_PAUSE_SECONDS)


class ApiError(StepFailed):
    """The API answered a problem.

    Args:
        status: the HTTP status.
        request: the method and path.
        detail: what is wrong.
        errors: `{"pointer", "message"}` for each invalid part of the body.
    """

    def __init__(self, status: int, request: str, detail: str, errors: list[dict[str, str]]) -> None:
        faults = "".join(f"\n    {fault['pointer']}: {fault['message']}" for fault in errors)
        super().__init__(f"{request} answered {status}: {detail}{faults}")
        self.status, self.detail, self.errors = status, detail, errors


class Api:
    """A client of one API with one key.

    Args:
        url: the API's address, ending in `/v1`.
        key: an API key.
    """

    def __init__(self, url: str, key: str) -> None:
        self.url = url.rstrip("/")
        self._client = httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {key}"}, timeout=60, trust_env=False
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request, with retries while the API is busy.

        Args:
            path: below `/v1`.
            options: further arguments of `httpx.Client.request`.

        Raises:
            ApiError: the API answers a problem.
            StepFailed: the API cannot be reached.
        """
        try:
            answer = send_with_retries(lambda: self._client.request(method, path, **options))
        except httpx.TransportError as error:
            raise StepFailed(
                f"{self.url} cannot be reached ({error}). Is the stack running? Start it with: make up"
            ) from None
        if answer.status_code >= 400:
            raise _problem(answer, f"{method} {path}")
        return answer

    def get(self, path: str, **params: Any) -> Any:
        """The JSON of a GET; `params` are its query parameters."""
        return self.call("GET", path, params=params).json()

    def put(self, path: str, document: Any) -> Any:
        """Create or replace a document.

        Args:
            path: below `/v1`.
            document: JSON values.

        Returns:
            The document as the API stored it.
        """
        return self.call("PUT", path, json=document).json()

    def post(self, path: str, document: Any | None = None, **headers: str) -> Any:
        """Create a resource or start a run.

        Args:
            path: below `/v1`.
            document: JSON values; null sends an empty object.
            headers: further headers.

        Returns:
            The JSON of the answer.
        """
        return self.call("POST", path, json=document or {}, headers=headers).json()

    def delete(self, path: str) -> None:
        """Delete a resource.

        Args:
            path: below `/v1`.
        """
        self.call("DELETE", path)

    def wait_for_run(self, run: dict[str, Any], seconds: float = 300) -> dict[str, Any]:
        """Poll a run until it has ended.

        Args:
            run: as the API answered it.
            seconds: the longest wait.

        Returns:
            The run after its end.

        Raises:
            StepFailed: the run takes longer.
        """
        deadline = time.monotonic() + seconds
        while run["status"] in ("pending", "running"):
            if time.monotonic() > deadline:
                raise StepFailed(
                    f"the run {run['id']} has not ended after {seconds:.0f} s; see: sluice get runs/{run['id']}"
                )
            time.sleep(_PAUSE_SECONDS)
            run = self.get(f"/runs/{run['id']}")
        return run


def _problem(answer: httpx.Response, request: str) -> ApiError:
    try:
        problem = answer.json()
        return ApiError(answer.status_code, request, problem["detail"], problem.get("errors", []))
    except (ValueError, KeyError, TypeError):
        return ApiError(answer.status_code, request, answer.text[:500], [])


def connect(local: Path) -> Api:
    """A client of the API in SLUICE_API and SLUICE_API_KEY, else of the local stack.

    Args:
        local: the folder of the local stack.

    Raises:
        StepFailed: neither is there.
    """
    if "SLUICE_API" in os.environ:
        return Api(os.environ["SLUICE_API"], os.environ.get("SLUICE_API_KEY", ""))
    stack = local / "stack.json"
    if not stack.exists():
        raise StepFailed("there is no local stack; start it with: make up (or set SLUICE_API and SLUICE_API_KEY)")
    description = json.loads(stack.read_text())
    return Api(description["api"], description["api_key"])
