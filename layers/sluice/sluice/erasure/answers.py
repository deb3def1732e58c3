"""Removing answers that were kept: of endpoints, of requests with an `Idempotency-Key`, and large ones in the lake."""

from __future__ import annotations

import base64
from typing import Any

import orjson

from sluice.container import Container
from sluice.erasure.quotations import Quotations
from sluice.errors import Gone
from sluice.lake.purge import VersionedObjects

_ENDPOINTS, _IDEMPOTENT = "answer#", "idempotency#"
# Answers with other codes are about runs and definitions. They have no records, but may quote them.
_WITH_DATA = 200


def remove_answers(services: Container, quotations: Quotations, *, change: bool = True) -> int:
    """Remove all kept answers that may have records, whatever data they are of: they are kept for a day at most.

    A repeated request whose answer was removed is refused as gone: doing it again could repeat what it has done.

    Args:
        services: the catalog and the lake.
        quotations: recognizes texts of the record.
        change: false: only count them.

    Returns:
        How many there are.
    """
    refusal = _refusal()
    count = 0
    for item in list(services.erasures.locks(_ENDPOINTS, _IDEMPOTENT)):
        if item["name"].startswith(_ENDPOINTS):
            count += 1
            if change:
                services.erasures.remove_lock(item["name"])
        elif item.get("status") == _WITH_DATA or "body_key" in item or _is_quoting(item, quotations):
            count += 1
            if change:
                services.erasures.update_lock(item["name"], **refusal)
    lake = services.lake
    objects, prefix = VersionedObjects(services.s3, lake.bucket), lake.full_key("answers/")
    if not change:
        return count + sum(not version.marker for version in objects.versions(prefix))
    return count + objects.keep_only(prefix, ())


def _is_quoting(item: dict[str, Any], quotations: Quotations) -> bool:
    body = base64.b64decode(item.get("body") or "").decode(errors="replace")
    return quotations.has(body) or quotations.has(item.get("headers"))


def _refusal() -> dict[str, Any]:
    error = Gone("The answer to the first request was removed, since it may have had a record that was erased.")
    body = orjson.dumps(error.problem())
    return {
        "status": error.status,
        "headers": {},
        "media_type": "application/problem+json",
        "body": base64.b64encode(body).decode(),
        "body_key": None,
    }
