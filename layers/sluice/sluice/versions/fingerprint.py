"""The fingerprint of a version: one hash of everything that decides about its bytes."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from sluice import __version__
from sluice.lake.parquet import engine_name


def fingerprint_of(decisive: dict[str, Any]) -> str:
    """Hash what decides about a version's bytes; the release and the engine always do.

    Equal fingerprints mean equal bytes, so that a version is reused instead of written again.

    Args:
        decisive: the version's inputs and documents, as JSON values.

    Returns:
        `sha256:` and 64 hexadecimal digits.
    """
    everything = {"release": __version__, "engine": engine_name(), **decisive}
    return "sha256:" + hashlib.sha256(orjson.dumps(everything, option=orjson.OPT_SORT_KEYS)).hexdigest()
