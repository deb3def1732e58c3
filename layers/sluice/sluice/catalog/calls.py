"""How an upstream has answered: counted call by call."""

from __future__ import annotations

from typing import Any, Literal

from sluice.catalog.table import Item, Table
from sluice.domain.names import now, rfc3339

Outcome = Literal["success", "timeout", "error"]


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

    def count(self, datasource: str, made_at: str, outcome: Outcome, milliseconds: int) -> None:
        """Count one call."""
        moment = rfc3339(now())
        add = {"calls": 1, outcome: 1} | ({"success_ms": milliseconds} if outcome == "success" else {})
        write = self._table.update(
            self._key(datasource, made_at),
            {"last_call": moment},
            "attribute_exists(#workspace) OR attribute_not_exists(#workspace)",
            add=add,
            once={"first_call": moment},
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
