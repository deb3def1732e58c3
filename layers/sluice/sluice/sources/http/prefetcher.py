"""Asking for pages before those in front of them have come, where their addresses are known."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sluice.sources.http.pagination import State
from sluice.sources.http.requester import Try

# Asks for a state's page once; none when nothing may be asked now.
Ask = Callable[[State], Coroutine[Any, Any, Try | None]]


@dataclass(frozen=True)
class _Asked:
    number: int
    state: State
    task: asyncio.Task[Try | None]


class Ahead:
    """The requests for pages whose turn has not come, in the order of the pages.

    Nothing is written of them before their turn: a run ends as if it had asked for one page after
    the other, whatever the order of the answers.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._asked: deque[_Asked] = deque()

    def look(self, states: Iterable[State], number: int, most: int) -> None:
        """Ask for the pages of the next states, as far as they are not asked for.

        Args:
            number: that of the first one's page.
            most: how many may be under way.
        """
        for state in islice(states, len(self._asked), most):
            asked = _Asked(number + len(self._asked), state, asyncio.create_task(self._ask(state)))
            self._asked.append(asked)

    def foresees(self, state: State) -> bool:
        """Whether the next page is the first of those that were asked for, if any were."""
        return not self._asked or self._asked[0].state == state

    async def take(self) -> Try | None:
        """What asking for the next page has given; none if it was not asked for."""
        return await self._asked.popleft().task if self._asked else None

    async def drop(self) -> dict[int, tuple[State, dict[str, Any]]]:
        """Forget all that was asked for.

        Returns:
            What has failed meanwhile: the state and the failure, by the number of the page.
        """
        dropped, self._asked = self._asked, deque()
        for asked in dropped:
            asked.task.cancel()
        outcomes = await asyncio.gather(*(asked.task for asked in dropped), return_exceptions=True)
        failures: dict[int, tuple[State, dict[str, Any]]] = {}
        for asked, outcome in zip(dropped, outcomes, strict=True):
            if not isinstance(outcome, Try):
                continue
            if outcome.received is not None:
                outcome.received.body.close()
            else:
                failures[asked.number] = (asked.state, outcome.failure)
        return failures
