"""Requests derived from the OpenAPI document: no answer is a 5xx, and each is one that the document describes."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from sluice.container import Container
from support.client import Client
from support.examples import seed_examples
from support.fuzzing import Request, Response, fuzz, known_values
from support.template import resources
from support.upstream import Upstream

# The long run, `make fuzz`, sends more.
EXAMPLES = 1
BINARY = resources("AWS::Serverless::Api")["Api"]["BinaryMediaTypes"]


def find_no_host(*arguments: Any, **options: Any) -> Any:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def test_no_request_fails(
    services: Container, admin: Client, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", find_no_host)
    assert seed_examples(services, admin, upstream) == []

    def get(path: str) -> Any:
        reply = admin.get(path)
        return reply.json() if reply.headers.get("Content-Type") == "application/json" else None

    def send(request: Request) -> Response:
        # As the gateway passes bodies: base64 for binary media types, else text.
        binary = request.headers.get("Content-Type") in BINARY
        body = request.body if binary else (request.body or b"").decode(errors="replace") or None
        reply = admin.call(request.method, request.path, body, **request.headers)
        return Response(reply.status, reply.headers.get("Content-Type"), reply.text)

    assert fuzz(send, known_values(get), EXAMPLES) == []
