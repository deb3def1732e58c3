"""A server of scripted answers for the Python client."""

from __future__ import annotations

from typing import Any

import httpx

from sluice_client import (
    Sluice,
)
from sluice_client._retries import Retries

KEY = "sk_secret_0123456789"
URL = "https://sluice.test/live/v1"
Answer = httpx.Response | Exception


class Server:
    """Answers with the given answers, one after the other; the last one again and again."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.pauses: list[float] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def client(self, url: str = URL) -> Sluice:
        client = Sluice(url, KEY, transport=httpx.MockTransport(self.handle))
        client._connection.retries = Retries(sleep=self.pauses.append, clock=lambda: sum(self.pauses))
        return client


def answer(status: int = 200, document: Any = None, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=named, json={} if document is None else document)
