"""CORS: which origins may call the API from a browser."""

from __future__ import annotations

from typing import Any

from sluice.settings import Settings

_REQUEST_HEADERS = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Prefer, X-Api-Key"
_RESPONSE_HEADERS = "Content-Disposition, Deprecation, ETag, Idempotent-Replayed, Link, Location, "
_RESPONSE_HEADERS += "Preference-Applied, Retry-After, Sunset, "
_RESPONSE_HEADERS += "X-Sluice-Completeness, X-Sluice-Data-As-Of, X-Sluice-Next, X-Sluice-Resolution, "
_RESPONSE_HEADERS += "X-Sluice-Run, X-Sluice-Stale, X-Sluice-Truncated, X-Sluice-Version"


def cors_headers(origin: str | None, settings: Settings) -> dict[str, str]:
    """The headers that let a page of this origin read an answer.

    Args:
        origin: the request's `Origin`; null when it has none.

    Returns:
        Nothing for an origin that `CORS_ORIGINS` does not list.
    """
    allowed = [name.strip() for name in settings.cors_origins.split(",") if name.strip()]
    if origin is None or not ("*" in allowed or origin in allowed):
        return {}
    # Vary, so that a cache does not give the answer for one origin to a page of another.
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin", "Access-Control-Expose-Headers": _RESPONSE_HEADERS}


def preflight(event: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """The gateway answer to a CORS preflight request, which has no credentials.

    Args:
        event: API Gateway's proxy event of an OPTIONS request.
    """
    request_headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    headers = cors_headers(request_headers.get("origin"), settings)
    # For other origins the headers are missing, and the browser refuses the request itself.
    if headers:
        headers |= {
            "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
            "Access-Control-Allow-Headers": _REQUEST_HEADERS,
            "Access-Control-Max-Age": "600",
        }
    return {"statusCode": 204, "headers": headers, "body": ""}
