"""People who have signed in, in the table `Access`: `workspace#person` / principal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sluice.catalog.table import ConditionFailed, Item, Table
from sluice.catalog.transactions import MAX_BATCH_ITEMS, batch_get
from sluice.domain.identity import Principal
from sluice.domain.names import now, rfc3339
from sluice.domain.person import Person

# Beyond it, a process forgets when it wrote them: it writes some of them again, and stays small.
_MOST_REMEMBERED = 10_000
# DynamoDB's limit for a sort key.
_MOST_KEY_BYTES = 1024


class People:
    """The known people of the workspace.

    Args:
        interval: how far `last_seen_at` may be behind; zero: nothing is stored.
    """

    def __init__(self, table: Table, workspace: str, interval: timedelta) -> None:
        self._table = table
        self._partition = f"{workspace}#person"
        self._interval = interval
        self._recorded: dict[str, datetime] = {}

    def record(self, principal: Principal) -> None:
        """Store what a token says of a person, at most once per interval unless it says something new.

        A claim that the token lacks, such as the e-mail address in an access token, stays as it was.
        """
        changes: Item = {"role": principal.role, "groups": principal.groups}
        changes |= {"email": principal.email} if principal.email else {}
        changes |= {"display_name": principal.name} if principal.name else {}
        moment, remembered = now(), f"{principal.id} {changes}"
        if not self._interval or len(principal.id.encode()) > _MOST_KEY_BYTES:
            return
        if remembered in self._recorded and self._recorded[remembered] > moment - self._interval:
            return
        self._write(principal.id, changes, moment)
        if len(self._recorded) >= _MOST_REMEMBERED:
            self._recorded.clear()
        self._recorded[remembered] = moment

    def _write(self, principal: str, changes: Item, moment: datetime) -> None:
        differs = [f"attribute_not_exists(#{name}) OR #{name} <> :new_{name}" for name in changes]
        write = self._table.update(
            {"workspace_kind": self._partition, "name": principal},
            {**changes, "last_seen_at": rfc3339(moment)},
            " OR ".join(["attribute_not_exists(#name)", "#last_seen_at < :since", *differs]),
            {"since": rfc3339(moment - self._interval), **{f"new_{name}": value for name, value in changes.items()}},
        )
        try:
            self._table.execute(write)
        except ConditionFailed:
            return  # another process has stored the same within the interval

    def page(self, limit: int, after: str | None) -> tuple[list[Person], str | None]:
        """One page of the people, by principal.

        Returns:
            The people, and the principal that the next page begins after; None on the last one.
        """
        key = {"workspace_kind": self._partition, "name": after} if after is not None else None
        page = self._table.query("#workspace_kind = :pk", {"pk": self._partition}, limit=limit, after=key)
        people = [_decode(item) for item in page.items]
        return people, page.last_key["name"] if page.last_key else None

    def find_all(self, principals: Sequence[str]) -> dict[str, Person]:
        """Those of these people who have signed in, by principal; a request reads a hundred of them."""
        people: dict[str, Person] = {}
        for begin in range(0, len(principals), MAX_BATCH_ITEMS):
            some = principals[begin : begin + MAX_BATCH_ITEMS]
            keys = [(self._table, {"workspace_kind": self._partition, "name": name}) for name in some]
            items = batch_get(self._table.client, keys)
            people |= {person.id: person for person in (_decode(item) for item in items if item)}
        return people

    def after(self, principal: str | None) -> Iterator[Person]:
        """The people after a principal, ordered by principal; all for None."""
        first = principal or " "  # a principal begins with a letter
        condition = "#workspace_kind = :pk AND #name > :first"
        for item in self._table.query_all(condition, {"pk": self._partition, "first": first}):
            yield _decode(item)


def _decode(item: Item) -> Person:
    return Person.model_validate({**item, "id": item["name"], "name": item.get("display_name")})
