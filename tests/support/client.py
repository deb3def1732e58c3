"""Calls the real handlers with API Gateway's events, the authorizer first, as the gateway does.

Every answer must be one that functions/api/openapi.json describes: see `support.conformance`.
"""

from __future__ import annotations

import base64
import importlib
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sluice.api.dispatch import matches_path
from sluice.container import container
from support.conformance import require_conformance
from support.workflows import Context, LocalWorkflows


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


def event_of(method: str, path: str, body: str | bytes | None, headers: dict[str, str]) -> dict[str, Any]:
    parts = urlsplit(path)
    query = parse_qs(parts.query, keep_blank_values=True)
    return {
        "resource": parts.path,
        "path": "/v1" + parts.path,
        "httpMethod": method,
        "headers": {"host": "api.example.com", "x-forwarded-proto": "https", **headers},
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "requestContext": {
            "stage": "live",
            "requestId": "request-1",
            "apiId": "api-1",
            "domainName": "api.example.com",
        },
        "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": isinstance(body, bytes),
    }


def _deliver_publications() -> None:
    """What a call has published reaches the followers soon after it."""
    if isinstance(workflows := container().workflows, LocalWorkflows):
        workflows.deliver_publications()


def serving(method: str, path: str) -> str:
    """The function that the gateway calls: the one with this path and verb, as the template has it."""
    found = "api"
    for name in ("query", "authoring", "probe", "console", "api"):
        for route in importlib.import_module(f"{name}.app").ROUTES:
            if matches_path(route, path):
                found = name
                if method in route.methods:
                    return name
    return found


class Client:
    """A client with one key; without one it sends none."""

    def __init__(self, key: str | None = None) -> None:
        self.key = key

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        sent = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        if self.key:
            sent.setdefault("authorization", f"Bearer {self.key}")
        text = body if body is None or isinstance(body, str | bytes) else json.dumps(body)
        event = event_of(method, path, text, sent)
        if method == "OPTIONS":
            answer = importlib.import_module("preflight.app").handler(event, Context())
            return Reply(answer["statusCode"], answer["headers"], answer["body"])
        try:
            context = self._authorized(event)
        except Exception as refused:
            assert str(refused) == "Unauthorized"
            return Reply(401, {}, "{}")
        event["requestContext"]["authorizer"] = context
        answer = importlib.import_module(f"{serving(method, event['path'])}.app").handler(event, Context())
        _deliver_publications()
        text = str(answer.get("body") or "")
        if answer.get("isBase64Encoded"):
            text = base64.b64decode(text).decode()
        found = {name: values[0] for name, values in answer.get("multiValueHeaders", {}).items()}
        reply = Reply(answer["statusCode"], found | answer.get("headers", {}), text)
        # HEAD is answered as GET is; the gateway sends the length of the body instead of the body.
        read = "GET" if method == "HEAD" else method
        require_conformance(read, event["path"], reply.status, reply.headers.get("Content-Type"), reply.text)
        if method == "HEAD":
            return Reply(reply.status, {**reply.headers, "Content-Length": str(len(text.encode()))}, "")
        return reply

    def _authorized(self, event: dict[str, Any]) -> dict[str, Any]:
        if not any(name in event["headers"] for name in ("authorization", "x-api-key")):
            return {}
        asked = {**event, "type": "REQUEST", "methodArn": "arn:aws:execute-api:us-east-1:1:api-1/live/GET/"}
        context: dict[str, Any] = importlib.import_module("authorizer.app").handler(asked, Context())["context"]
        return context

    def get(self, path: str, **headers: str) -> Reply:
        return self.call("GET", path, **headers)

    def head(self, path: str, **headers: str) -> Reply:
        return self.call("HEAD", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Reply:
        return self.call("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Reply:
        return self.call("PUT", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Reply:
        return self.call("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Reply:
        return self.call("DELETE", path, **headers)


def client_of(services: Any, role: str, projects: list[str] | None = None) -> Client:
    """A client with a new key of a role, for all projects or for some only."""
    from sluice.domain.identity import KeyRequest

    request = KeyRequest(name=role, role=role, projects=projects)  # type: ignore[arg-type]
    return Client(services.keys.issue(request, "test")[1])


def client_of_projects(services: Any, projects: list[str]) -> Client:
    """A viewer who sees some projects only."""
    return client_of(services, "viewer", projects)
