"""The API as the command speaks to it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import httpx

from sluice_cli.progress import StepFailed

_PAUSE_SECONDS = 0.3


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
            answer = self._client.request(method, path, **more)
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
