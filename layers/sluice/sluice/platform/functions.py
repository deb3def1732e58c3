"""Calls of the stack's own functions that nobody waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from sluice.aws import translated

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class Functions:
    """Asynchronous calls of functions: Lambda stores the event, and tries it three times."""

    def __init__(self, client: LambdaClient) -> None:
        self._client = client

    def call_later(self, function: str, event: dict[str, Any]) -> None:
        """Have a function called with an event, soon and at least once.

        Args:
            function: its ARN.

        Raises:
            Unavailable: Lambda throttles or cannot be reached; nothing was stored.
        """
        with translated():
            self._client.invoke(FunctionName=function, InvocationType="Event", Payload=orjson.dumps(event))
