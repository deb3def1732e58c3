"""The function `authorizer`: who sends a request, by its API key."""

import base64
from typing import Any

from sluice.bootstrap import platform
from sluice.errors import Unauthenticated


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer API Gateway's REQUEST authorizer event with a policy that carries the principal.

    Raises:
        Exception: the one text that API Gateway turns into a 401.
    """
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    try:
        principal = platform().keys.recognise(headers, event["httpMethod"])
    except Unauthenticated:
        raise Exception("Unauthorized") from None
    vouched = base64.b64encode(principal.model_dump_json().encode()).decode()
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": event["methodArn"]}
    return {
        "principalId": principal.id,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"principal": vouched, "role": principal.role},
    }
