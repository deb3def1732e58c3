"""The client that the commands use."""

from __future__ import annotations

import json
import os

from sluice_cli.errors import StepFailed
from sluice_cli.paths import local_folder
from sluice_client import Sluice


def connect() -> Sluice:
    """A client of the API in SLUICE_API, else of the local stack that was started last, with the key SLUICE_API_KEY.

    The local stack has an admin key of its own, which is used without SLUICE_API_KEY.

    Raises:
        StepFailed: there is no address, or no key for it.
    """
    url, key = os.environ.get("SLUICE_API"), os.environ.get("SLUICE_API_KEY")
    if url and not key:
        raise StepFailed("SLUICE_API is set without SLUICE_API_KEY; set the API key, too")
    if url:
        return Sluice(url, key)
    stack = local_folder() / "stack.json"
    if not stack.exists():
        raise StepFailed("there is no local stack; start it with: make up (or set SLUICE_API and SLUICE_API_KEY)")
    description = json.loads(stack.read_text())
    return Sluice(description["api"], key or description["api_key"])
