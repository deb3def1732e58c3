"""Requests for pages ahead of the current one, if their parameters are known before it arrives."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sluice.sources.http.pagination import State
from sluice.sources.http.requester import RequestOutcome

# Requests the page of a state once; returns None if no request may be sent now.
SendRequest = Callable[[State], Coroutine[Any, Any, RequestOutcome | None]]


@dataclass(frozen=True)
class _Pending:
    number: int
    state: State
    task: asyncio.Task[RequestOutcome | None]


class Prefetcher:
    """The requests for pages whose turn has not come, in the order of the pages.

    Nothing about a page is stored before its turn. So a run has the same result as with one request after the
    other, whatever the order of the responses.

    Args:
        send: requests the page of a state once.
    """

    def __init__(self, send: SendRequest) -> None:
        self._send = send
        self._pending: deque[_Pending] = deque()

    def request(self, states: Iterable[State], number: int, max_pending: int) -> None:
        """Request the pages of the next states, except those that are requested already.

        Args:
            states: the states of the pages after the current one, in order.
            number: the number of the first of these pages.
            max_pending: the most requests that may be pending.
        """
        for state in islice(states, len(self._pending), max_pending):
            page = _Pending(number + len(self._pending), state, asyncio.create_task(self._send(state)))
            self._pending.append(page)

    def expects(self, state: State) -> bool:
        """Return whether the next page is the first pending one; true as well if none is pending."""
        return not self._pending or self._pending[0].state == state

    async def next_outcome(self) -> RequestOutcome | None:
        """Wait for the first pending request and remove it; return None if none is pending or it was not sent."""
        return await self._pending.popleft().task if self._pending else None

    async def cancel(self) -> dict[int, tuple[State, dict[str, Any]]]:
        """Cancel all pending requests and discard their responses.

        Returns:
            The requests that have failed already: the state and the failure, by the number of the page.
        """
        cancelled, self._pending = self._pending, deque()
        for page in cancelled:
            page.task.cancel()
        outcomes = await asyncio.gather(*(page.task for page in cancelled), return_exceptions=True)
        failures: dict[int, tuple[State, dict[str, Any]]] = {}
        for page, outcome in zip(cancelled, outcomes, strict=True):
            if not isinstance(outcome, RequestOutcome):
                continue
            if outcome.response is not None:
                outcome.response.body.close()
            else:
                failures[page.number] = (page.state, outcome.failure)
        return failures
