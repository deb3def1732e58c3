"""Operations on equipment, ordered by the time when they were done."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ulid import ULID

from sluice.catalog.table import Item, Table, Write
from sluice.catalog.transactions import transact
from sluice.domain.assets.operation import Operation

# A ULID has 10 characters of its time in milliseconds, and 16 random ones.
_RANDOM_BYTES = 10
_MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Period:
    """A half-open period of time.

    Args:
        start: the first moment; None for no limit.
        end: the first moment after it; None for no limit.
    """

    start: datetime | None = None
    end: datetime | None = None


class Operations:
    """The table `Operations`: `workspace` / `id`, with the indexes `BySite` and `ByEquipment`.

    An id begins with the operation's time, so each key condition selects a period without a further attribute.
    """

    def __init__(self, table: Table, workspace: str) -> None:
        self._table = table
        self._workspace = workspace

    def record(self, operation: Operation, more: Sequence[Write]) -> None:
        """Store a new operation.

        Args:
            operation: the operation.
            more: further writes of the same transaction, which come first.

        Raises:
            ConditionFailed: a condition of `more` did not hold.
        """
        item: Item = {
            **operation.model_dump(),
            "workspace": self._workspace,
            "workspace_site": f"{self._workspace}#{operation.site}",
            "workspace_equipment": f"{self._workspace}#{operation.equipment}",
        }
        transact(self._table.client, [*more, self._table.put(item, "attribute_not_exists(#id)")])

    def find(self, operation_id: str) -> Operation | None:
        """The operation; None if there is none."""
        item = self._table.get({"workspace": self._workspace, "id": operation_id})
        return Operation.model_validate(item) if item else None

    def walk(self, period: Period, before: str | None = None, page_size: int | None = None) -> Iterator[Operation]:
        """The operations of a period, the newest first; they are read in pages, as they are needed.

        Args:
            period: when they were done.
            before: an id; only those before it.
            page_size: how many to read at once; None for as many as DynamoDB returns.
        """
        return self._walk("workspace", self._workspace, None, period, before, page_size)

    def walk_site(
        self, site: str, period: Period, before: str | None = None, page_size: int | None = None
    ) -> Iterator[Operation]:
        """The operations that were recorded at a site; see `walk`. Such a read is not consistent."""
        return self._walk("workspace_site", f"{self._workspace}#{site}", "BySite", period, before, page_size)

    def walk_equipment(
        self, equipment: str, period: Period, before: str | None = None, page_size: int | None = None
    ) -> Iterator[Operation]:
        """The operations on a piece of equipment; see `walk`. Such a read is not consistent."""
        key = f"{self._workspace}#{equipment}"
        return self._walk("workspace_equipment", key, "ByEquipment", period, before, page_size)

    def _walk(
        self, attribute: str, key: str, index: str | None, period: Period, before: str | None, page_size: int | None
    ) -> Iterator[Operation]:
        first = first_id(period.start) if period.start else "0"
        last = first_id(period.end) if period.end else "~"  # which is after every ULID
        last = min(last, before or last)
        if first >= last:
            return
        after: Item | None = None
        while True:
            page = self._table.query(
                f"#{attribute} = :key AND #id BETWEEN :first AND :last",
                {"key": key, "first": first, "last": last},
                index=index,
                limit=page_size,
                after=after,
                newest_first=True,
            )
            # BETWEEN includes its ends, and a period does not include its end.
            yield from (Operation.model_validate(item) for item in page.items if item["id"] < last)
            if page.last_key is None:
                return
            after = page.last_key


def new_operation_id(moment: datetime) -> str:
    """A new id of an operation.

    Args:
        moment: when it was done, from 1970 on.
    """
    return _ulid((moment - EPOCH) // _MILLISECOND, secrets.token_bytes(_RANDOM_BYTES))


def first_id(moment: datetime) -> str:
    """The lowest id of an operation that is not done before a moment."""
    return _ulid(-((EPOCH - moment) // _MILLISECOND), bytes(_RANDOM_BYTES))  # rounded up


def _ulid(milliseconds: int, random: bytes) -> str:
    return str(ULID(max(0, milliseconds).to_bytes(6, "big") + random))
