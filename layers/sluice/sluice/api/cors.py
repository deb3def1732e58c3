"""Which browsers may call: those whose page comes from an origin that the settings allow."""

from __future__ import annotations

from typing import Any

from sluice.settings import Settings

_TAKEN = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Prefer, X-Api-Key"
_EXPOSED = "ETag, Idempotent-Replayed, Location, Preference-Applied, Retry-After, X-Sluice-Completeness, "
_EXPOSED += "X-Sluice-Data-As-Of, X-Sluice-Next, X-Sluice-Run, X-Sluice-Version"


def allowed(origin: str | None, settings: Settings) -> dict[str, str]:
    """The headers that let a page of this origin read an answer; none for others."""
    known = [one.strip() for one in settings.cors_origins.split(",") if one.strip()]
    if origin is None or not ("*" in known or origin in known):
        return {}
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin", "Access-Control-Expose-Headers": _EXPOSED}


def preflight(event: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """The answer to a browser that asks whether it may call; it needs no credentials."""
    sent = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    headers = allowed(sent.get("origin"), settings)
    if headers:
        headers |= {
            "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
            "Access-Control-Allow-Headers": _TAKEN,
            "Access-Control-Max-Age": "600",
        }
    return {"statusCode": 204, "headers": headers, "body": ""}
