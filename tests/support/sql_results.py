"""Results of statements, without a server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sluice.errors import SourceUnreachable
from sluice.sources.sql.base import ServerColumn


class Rows:
    """A result whose rows are known; it notes how many are asked for."""

    def __init__(self, columns: list[ServerColumn], rows: Sequence[Any], broken_at: int | None = None) -> None:
        self.columns = columns
        self.asked: list[int] = []
        self._rows = list(rows)
        self._broken_at = broken_at

    async def start(self) -> None:
        return

    async def rows(self, max_rows: int) -> Sequence[Any]:
        self.asked.append(max_rows)
        if self._broken_at is not None and len(self.asked) > self._broken_at:
            raise SourceUnreachable("the connection broke")
        batch, self._rows = self._rows[:max_rows], self._rows[max_rows:]
        return batch

    async def aclose(self) -> None:
        return
