"""The client that the commands use."""

from __future__ import annotations

import json
import os

from sluice_cli.errors import StepFailed
from sluice_cli.paths import local_folder
from sluice_client import Sluice


def connect() -> Sluice:
    """A client of the API in SLUICE_API and SLUICE_API_KEY, else of the local stack that was started last.

    Raises:
        StepFailed: neither is there.
        ConfigurationError: SLUICE_API is set without SLUICE_API_KEY, or is no address.
    """
    if os.environ.get("SLUICE_API"):
        return Sluice()
    stack = local_folder() / "stack.json"
    if not stack.exists():
        raise StepFailed("there is no local stack; start it with: make up (or set SLUICE_API and SLUICE_API_KEY)")
    description = json.loads(stack.read_text())
    return Sluice(description["api"], description["api_key"])
