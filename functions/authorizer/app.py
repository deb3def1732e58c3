"""The function `authorizer`: authenticates requests by API key or token."""

import base64
from contextlib import suppress
from typing import Any

from sluice.access.credentials import authenticate
from sluice.container import Container, container
from sluice.domain.identity import Principal
from sluice.errors import Forbidden, Unauthenticated, Unavailable

_PUBLIC = "/v1/endpoints/"


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer API Gateway's REQUEST authorizer event.

    Returns:
        An IAM policy whose context carries the principal as base64 of JSON.

    Raises:
        Exception: with the text "Unauthorized", which API Gateway turns into 401.
        Unavailable: the issuer's keys cannot be fetched; API Gateway answers 503.
    """
    services = container()
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    try:
        principal = authenticate(headers, event["httpMethod"], services.keys, services.tokens)
    except Unauthenticated:
        if _may_be_anonymous(event, headers):
            return _policy("nobody", event, "Allow", {})
        if services.settings.aws_sam_local:
            # `sam local start-api` turns the exception into 502; without a principal, the API's function answers 401.
            return _policy("nobody", event, "Allow", {})
        raise Exception("Unauthorized") from None
    except Forbidden:
        return _policy("nobody", event, "Deny", {})
    _record_person(services, principal)
    encoded = base64.b64encode(principal.model_dump_json().encode()).decode()
    return _policy(principal.id, event, "Allow", {"principal": encoded, "role": principal.role})


def _record_person(services: Container, principal: Principal) -> None:
    """Note that a person has signed in; a request does not fail if that cannot be stored."""
    if principal.is_person:
        with suppress(Unavailable):
            services.people.record(principal)


def _may_be_anonymous(event: dict[str, Any], headers: dict[str, str]) -> bool:
    """Whether the API's function decides: a GET or HEAD of an endpoint, which may be public, without any credentials.

    A request with invalid credentials is always refused.
    """
    has_credentials = "x-api-key" in headers or "authorization" in headers
    reads = event["httpMethod"] in ("GET", "HEAD")
    return reads and event.get("path", "").startswith(_PUBLIC) and not has_credentials


def _policy(principal: str, event: dict[str, Any], effect: str, context: dict[str, str]) -> dict[str, Any]:
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": context,
    }
