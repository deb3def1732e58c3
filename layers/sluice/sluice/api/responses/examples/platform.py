"""Examples of the platform, keys and secrets, and of parts of paths."""

from __future__ import annotations

from typing import Any

from sluice.api.responses.examples.common import BY, LATER, TIME

_KEY = {
    "id": "3f9c2k7d1m5x",
    "name": "dashboard",
    "role": "viewer",
    "projects": ["top-coins"],
    "expires_at": "2099-12-31T00:00:00.000Z",
    "old_expires_at": None,
    "created_at": TIME,
    "created_by": BY,
    "last_used_at": TIME,
}

EXAMPLES: dict[str, Any] = {
    "MemberRequest": {"role": "editor"},
    "MemberView": {
        "principal": "group:planners",
        "role": "editor",
        "created_at": TIME,
        "created_by": BY.replace("/", ":"),
    },
    "text/html": '<!doctype html><html lang="en">…</html>',
    "text/css": "body { margin: 0 }",
    "text/javascript": "window.onload = () => {}",
    "text/csv": "symbol,price_usd\r\nBTC,67000.5\r\n",
    "application/x-ndjson": '{"symbol":"BTC","price_usd":67000.5}\n',
    "application/octet-stream": '{"data": [{"symbol": "BTC", "quote": {"USD": {"price": 67000.5}}}]}',
    "Problem": {
        "type": "urn:sluice:problem:invalid",
        "title": "The request cannot be accepted",
        "status": 422,
        "detail": "The document has 1 invalid field.",
        "instance": "/v1/datasources",
        "errors": [{"pointer": "/http/url", "message": "This field is required."}],
    },
    "Redirect": {"location": "https://lake.s3.amazonaws.com/answers/9f86d0?X-Amz-Signature=…"},
    "ApiRoot": {
        "name": "Sluice",
        "release": "0.3.0",
        "docs": "https://api.example.com/live/v1/docs",
        "redoc": "https://api.example.com/live/v1/redoc",
        "openapi": "https://api.example.com/live/v1/openapi.json",
        "health": "https://api.example.com/live/v1/health",
        "me": "https://api.example.com/live/v1/me",
        "datasources": "https://api.example.com/live/v1/datasources",
        "projects": "https://api.example.com/live/v1/projects",
        "runs": "https://api.example.com/live/v1/runs",
        "sites": "https://api.example.com/live/v1/sites",
        "vessels": "https://api.example.com/live/v1/vessels",
        "equipment": "https://api.example.com/live/v1/equipment",
        "operations": "https://api.example.com/live/v1/operations",
        "sensors": "https://api.example.com/live/v1/sensors",
        "readings": "https://api.example.com/live/v1/readings",
        "alarms": "https://api.example.com/live/v1/alarms",
        "subscriptions": "https://api.example.com/live/v1/subscriptions",
        "secrets": "https://api.example.com/live/v1/secrets",
        "users": "https://api.example.com/live/v1/users",
        "keys": "https://api.example.com/live/v1/keys",
    },
    "Health": {"status": "ok", "version": "0.3.0"},
    "Identity": {"id": BY, "role": "editor", "projects": None, "groups": [], "workspace": "main"},
    "ApiDescription": {
        "openapi": "3.1.0",
        "info": {"title": "Sluice", "version": "0.3.0"},
        "servers": [{"url": "./.."}],
        "security": [{"bearer": []}],
        "tags": [{"name": "platform", "description": "The API itself."}],
        "paths": {"/v1/health": {"get": {"operationId": "health"}}},
        "components": {"schemas": {}},
    },
    "UserView": {
        "principal": "user:8f14e45f-ceea-467f-a0e6-1d2b3c4d5e6f",
        "name": "Ada Lovelace",
        "email": "ada@example.com",
        "role": "editor",
        "groups": ["editor", "traders"],
        "last_seen_at": TIME,
    },
    "KeyView": _KEY,
    "NewKey": {**_KEY, "key": "slc_3f9c2k7d1m5x_1uXk0Y3pQ7sT9vWbZdFgHjKlMnBvCxZaSqWeRtYuIoP"},
    "SecretValue": {"value": "the value", "hosts": ["rates.example.com"]},
    "SecretView": {
        "name": "cmc",
        "etag": "1",
        "hosts": ["pro-api.example.com"],
        "projects": None,
        "used_by": ["cmc-listings"],
        "created_at": TIME,
        "updated_at": LATER,
        "created_by": BY,
    },
}
