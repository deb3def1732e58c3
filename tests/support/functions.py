"""Asynchronous calls of functions, made in this process when a test says so."""

from __future__ import annotations

import importlib
import json
from typing import Any

from support import permissions
from support.workflows import Context


class LocalFunctions:
    """The port `Functions`: keeps the calls until `run`.

    Args:
        fail: raised instead of keeping a call, as when Lambda throttles.
    """

    def __init__(self, fail: Exception | None = None) -> None:
        self.fail = fail
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def call_later(self, function: str, event: dict[str, Any]) -> None:
        name = function.rpartition(":sluice-")[2]
        permissions.note("lambda:InvokeFunction", f"function:{name}")
        if self.fail is not None:
            raise self.fail
        self.calls.append((name, json.loads(json.dumps(event))))

    def run(self) -> list[Any]:
        """Make all calls that wait; what they return."""
        results = []
        while self.calls:
            name, event = self.calls.pop(0)
            with permissions.acting(None):
                results.append(importlib.import_module(f"{name}.app").handler(event, Context()))
        return results
