"""Statistics of calls to upstreams."""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

from sluice.catalog.table import Item, Table
from sluice.domain.names import now, rfc3339

Outcome = Literal["success", "timeout", "error"]


class Tally:
    """Counts calls in memory, so that many calls take one write to the catalog."""

    def __init__(self) -> None:
        self.first_call: str | None = None
        self.last_call: str | None = None
        self.sums: Counter[str] = Counter()

    def count(self, outcome: Outcome, milliseconds: int) -> None:
        """Count a call that has just ended.

        Args:
            milliseconds: its duration, which only counts if it succeeded.
        """
        self.last_call = rfc3339(now())
        self.first_call = self.first_call or self.last_call
        self.sums.update({"calls": 1, outcome: 1})
        if outcome == "success":
            self.sums["success_ms"] += milliseconds


class CallStatistics:
    """Counters in the table `Datasets`: one item `calls/{datasource}/{created_at}` for each datasource.

    The key contains the time of creation, so that a datasource that is created under the name of a
    deleted one starts at zero.
    """

    def __init__(self, table: Table, workspace: str) -> None:
        self._table = table
        self._workspace = workspace

    def _key(self, datasource: str, created_at: str) -> Item:
        return {"workspace": self._workspace, "dataset": f"calls/{datasource}/{created_at}"}

    def add(self, datasource: str, created_at: str, tally: Tally) -> None:
        """Add the calls of a tally to the statistics.

        Args:
            created_at: the time at which the datasource was created.
        """
        if tally.first_call is None:
            return
        write = self._table.update(
            self._key(datasource, created_at),
            {"last_call": tally.last_call},
            # Always true: the first write creates the item, and `Table.update` requires a condition.
            "attribute_exists(#workspace) OR attribute_not_exists(#workspace)",
            add=dict(tally.sums),
            once={"first_call": tally.first_call},
        )
        self._table.execute(write)

    def statistics(self, datasource: str, created_at: str) -> dict[str, Any]:
        """The statistics as the API shows them.

        Args:
            created_at: the time at which the datasource was created.

        Returns:
            Counts, times, the average duration of successful calls in milliseconds and rates in percent.
            Averages and rates are null if there were no calls.
        """
        item = self._table.get(self._key(datasource, created_at)) or {}
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
