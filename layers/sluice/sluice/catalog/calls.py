"""How an upstream has answered: counted call by call, written for many calls at once."""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

from sluice.catalog.table import Item, Table
from sluice.domain.names import now, rfc3339

Outcome = Literal["success", "timeout", "error"]


class Tally:
    """Calls that were made and are not in the catalog yet."""

    def __init__(self) -> None:
        self.first_call: str | None = None
        self.last_call: str | None = None
        self.sums: Counter[str] = Counter()

    def count(self, outcome: Outcome, milliseconds: int) -> None:
        """Count one call that has ended now."""
        self.last_call = rfc3339(now())
        self.first_call = self.first_call or self.last_call
        self.sums.update({"calls": 1, outcome: 1})
        if outcome == "success":
            self.sums["success_ms"] += milliseconds


class CallStatistics:
    """Counters in the table `Datasets`, one item for each datasource.

    Its key holds when the datasource was made, so that one made anew under an old name starts
    from nothing.
    """

    def __init__(self, table: Table, workspace: str) -> None:
        self._table = table
        self._workspace = workspace

    def _key(self, datasource: str, made_at: str) -> Item:
        return {"workspace": self._workspace, "dataset": f"calls/{datasource}/{made_at}"}

    def add(self, datasource: str, made_at: str, tally: Tally) -> None:
        """Add the calls of a tally to the statistics."""
        if tally.first_call is None:
            return
        write = self._table.update(
            self._key(datasource, made_at),
            {"last_call": tally.last_call},
            "attribute_exists(#workspace) OR attribute_not_exists(#workspace)",
            add=dict(tally.sums),
            once={"first_call": tally.first_call},
        )
        self._table.do(write)

    def of(self, datasource: str, made_at: str) -> dict[str, Any]:
        """The statistics as the API shows them: rates in percent, null without any call."""
        item = self._table.get(self._key(datasource, made_at)) or {}
        calls, successes = item.get("calls", 0), item.get("success", 0)

        def rate(outcome: Outcome) -> float | None:
            return round(100 * item.get(outcome, 0) / calls, 2) if calls else None

        return {
            "calls": calls,
            "average_success_ms": round(item["success_ms"] / successes, 1) if successes else None,
            "success_rate": rate("success"),
            "timeout_rate": rate("timeout"),
            "error_rate": rate("error"),
            "first_call": item.get("first_call"),
            "last_call": item.get("last_call"),
        }
