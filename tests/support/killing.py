"""Killing a function after any of its calls to AWS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import botocore.client
import pytest

from support.workflows import Killed


class Killer:
    """Kills the present function after its nth call to AWS, once, whether or not it had effect."""

    def __init__(self, after: int, *, effective: bool) -> None:
        self.after = after
        self.effective = effective
        self.calls = 0
        self.killed = False
        self.dead = False
        self.watching = False

    def begin(self) -> None:
        """Another process takes over."""
        self.watching, self.dead = True, False

    def wrap(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(client: Any, operation: str, arguments: Any) -> Any:
            if self.dead:  # the call that killed was made in another thread of the same process
                raise Killed
            due = self.watching and not self.killed and self.calls == self.after
            self.calls += self.watching
            if due:
                self.killed = self.dead = True
            if due and not self.effective:
                raise Killed
            answer = original(client, operation, arguments)
            if due:
                raise Killed
            return answer

        return call


@contextmanager
def watched_calls(monkeypatch: pytest.MonkeyPatch, killer: Killer) -> Iterator[None]:
    """Have the killer see every call of botocore within this block."""
    original = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined] # private
    with monkeypatch.context() as patch:
        patch.setattr(botocore.client.BaseClient, "_make_api_call", killer.wrap(original))
        yield
    killer.watching = False
