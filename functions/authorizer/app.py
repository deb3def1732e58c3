"""The function `authorizer`: who sends a request, by API key or token."""

import base64
from typing import Any

from sluice.access.credentials import authenticate
from sluice.container import container
from sluice.errors import Forbidden, Unauthenticated

_PUBLIC = "/v1/endpoints/"


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer API Gateway's REQUEST authorizer event with a policy that carries the principal.

    Raises:
        Exception: the one text that API Gateway turns into a 401.
        Unavailable: the issuer of tokens cannot be asked; API Gateway answers 503.
    """
    services = container()
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    try:
        principal = authenticate(headers, event["httpMethod"], services.keys, services.tokens)
    except Unauthenticated:
        if _may_be_anonymous(event, headers):
            return _policy("nobody", event, "Allow", {})
        if services.settings.aws_sam_local:
            # SAM's own server makes a 502 of the exception; without a principal, the function answers 401.
            return _policy("nobody", event, "Allow", {})
        raise Exception("Unauthorized") from None
    except Forbidden:
        return _policy("nobody", event, "Deny", {})
    vouched = base64.b64encode(principal.model_dump_json().encode()).decode()
    return _policy(principal.id, event, "Allow", {"principal": vouched, "role": principal.role})


def _may_be_anonymous(event: dict[str, Any], headers: dict[str, str]) -> bool:
    """Whether the function decides itself: endpoints may be public. Wrong credentials are never let through."""
    sent = "x-api-key" in headers or "authorization" in headers
    return event["httpMethod"] == "GET" and event.get("path", "").startswith(_PUBLIC) and not sent


def _policy(principal: str, event: dict[str, Any], effect: str, context: dict[str, str]) -> dict[str, Any]:
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": context,
    }
