"""The audit: entries that are added, and never changed or deleted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from ulid import ULID

from sluice.catalog.operations import first_id
from sluice.catalog.table import Item, Table
from sluice.domain.audit import AuditEntry, AuditFilter
from sluice.domain.names import now

# Releases before this month recorded nothing.
_FIRST_MONTH = datetime(2026, 1, 1, tzinfo=UTC)
# Of one id, the newest first is the ended one.
_BEGUN, _ENDED = "begun", "ended"


class AuditTrail:
    """The table `Audit`: `workspace#month` / `id#part`, with the indexes `ByPrincipal` and `ByResource`.

    A request that may change something has two items. `begun` is written before the change, and `ended` with the
    answer after it, so that no change is without an item, whenever its process ends. Other requests have `ended` only.
    This class only puts new items; the functions have no permission to update or delete one.

    Args:
        days: how long entries are kept; 0 for ever.
    """

    def __init__(self, table: Table, workspace: str, days: int) -> None:
        self._table = table
        self._workspace = workspace
        self._days = days

    def begin(self, entry: AuditEntry, *, names_resource: bool) -> None:
        """Add what is known of a request before it changes anything.

        Args:
            names_resource: whether `resource` is final, and not the list to which the request will add a resource.
        """
        self._add(entry, _BEGUN, in_resource=names_resource)

    def end(self, entry: AuditEntry) -> None:
        """Add a request with its answer."""
        self._add(entry, _ENDED, in_resource=True)

    def _add(self, entry: AuditEntry, part: str, *, in_resource: bool) -> None:
        item = {
            **entry.model_dump(),
            "workspace_month": self._month_key(_time_of(entry.id)),
            "entry": f"{entry.id}#{part}",
            "workspace_principal": f"{self._workspace}#{entry.principal}" if entry.principal else None,
            "workspace_resource": f"{self._workspace}#{entry.resource}" if in_resource else None,
            "expires_at": int(time.time()) + self._days * 86400 if self._days else None,
        }
        self._table.execute(self._table.put(item, "attribute_not_exists(#entry)"))

    def page(
        self, audit_filter: AuditFilter, limit: int, before: str | None, most: int
    ) -> tuple[list[AuditEntry], str | None]:
        """One page of the entries, newest first.

        Args:
            audit_filter: which entries.
            limit: the most entries of the page.
            before: an id; the page begins with the next older entry.
            most: the most entries that are examined; a page can have fewer than `limit` although others follow.

        Returns:
            The entries, and the id that the next page begins before; None if there is none.
        """
        entries: list[AuditEntry] = []
        for examined, entry in enumerate(self._walk(audit_filter, before), 1):
            if len(entries) == limit:
                return entries, entries[-1].id
            if audit_filter.action in (None, entry.action):
                entries.append(entry)
            if examined == most:
                return entries, entry.id
        return entries, None

    def _walk(self, audit_filter: AuditFilter, before: str | None) -> Iterator[AuditEntry]:
        """The entries of a period, newest first, of a principal or resource if the filter names one."""
        last_ended = ""
        for item in self._items(audit_filter, before):
            entry_id, _, part = item["entry"].partition("#")
            # TTL deletes expired items up to two days late.
            is_current = item.get("expires_at", time.time()) >= time.time()
            is_other = audit_filter.principal not in (None, item.get("principal"))
            if part == _ENDED:
                last_ended = entry_id
            elif entry_id != last_ended:
                item = self._ended(item) or item  # an index can have `begun` before it has `ended`
            else:
                continue
            if is_current and not is_other:
                yield AuditEntry.model_validate(item)

    def _ended(self, item: Item) -> Item | None:
        key = {"workspace_month": item["workspace_month"], "entry": item["entry"].replace(_BEGUN, _ENDED)}
        return self._table.get(key)

    def _items(self, audit_filter: AuditFilter, before: str | None) -> Iterator[Item]:
        since, until = self._period(audit_filter)
        first, last = first_id(since), first_id(until)
        last = min(last, before or last)
        if first >= last:
            return
        index: str | None = None
        if audit_filter.resource is not None:
            name, index = "workspace_resource", "ByResource"
            keys = [f"{self._workspace}#{audit_filter.resource}"]
        elif audit_filter.principal is not None:
            name, index = "workspace_principal", "ByPrincipal"
            keys = [f"{self._workspace}#{audit_filter.principal}"]
        else:
            name = "workspace_month"
            keys = [self._month_key(month) for month in _months(since, _time_of(last))]
        for key in keys:
            # `last` itself is in no item: those of an id have a part after it.
            condition, values = f"#{name} = :key AND #entry BETWEEN :first AND :last", {"first": first, "last": last}
            yield from self._table.query_all(condition, {"key": key, **values}, index=index, newest_first=True)

    def _period(self, audit_filter: AuditFilter) -> tuple[datetime, datetime]:
        """The period of the filter, without the time when there can be no entries."""
        moment = now()
        earliest = max(_FIRST_MONTH, moment - timedelta(days=self._days)) if self._days else _FIRST_MONTH
        latest = moment + timedelta(days=1)  # clocks differ
        return max(audit_filter.since or earliest, earliest), min(audit_filter.until or latest, latest)

    def _month_key(self, moment: datetime) -> str:
        return f"{self._workspace}#{moment:%Y-%m}"


def _time_of(entry_id: str) -> datetime:
    return ULID.from_str(entry_id).datetime


def _months(first: datetime, last: datetime) -> Iterator[datetime]:
    """The first day of each month of a period, the latest first."""
    month = last.replace(day=1)
    while (month.year, month.month) >= (first.year, first.month):
        yield month
        month = (month - timedelta(days=1)).replace(day=1)
