"""Alarms of sensors, and the state by which each sensor's next readings are judged."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sluice.catalog.outbox import Outbox
from sluice.catalog.table import ConditionFailed, Item, Table, Write
from sluice.catalog.transactions import MAX_BATCH_ITEMS, batch_get, transact
from sluice.domain.alarm import Alarm, AlarmState, AlarmStatus
from sluice.domain.alarm_event import alarm_raised
from sluice.domain.names import now, rfc3339
from sluice.errors import NotFound, Unavailable

_ACKNOWLEDGE_ATTEMPTS = 10
_STATE = "state"


@dataclass(frozen=True)
class StoredState:
    """A sensor's state as it was read.

    Args:
        version: 0 if there is none.
    """

    state: AlarmState
    version: int


class Alarms:
    """The table `Alarms`: `workspace#part` / `entry`, with the indexes `ByState` and `BySensor`.

    The part `alarm` has the alarms by their ids, `state#{sensor}` a sensor's state, and `watched` the sensors
    that are watched for missing data.

    Args:
        days: how long cleared alarms are kept.
    """

    def __init__(self, table: Table, outbox: Outbox, workspace: str, days: int) -> None:
        self._table = table
        self._outbox = outbox
        self._workspace = workspace
        self._days = days

    def _key(self, part: str, entry: str) -> Item:
        return {"workspace_part": f"{self._workspace}#{part}", "entry": entry}

    def find(self, alarm: str) -> Alarm | None:
        """An alarm by its id; None if there is none or it has expired."""
        item = self._table.get(self._key("alarm", alarm))
        return _alarm(item) if item and _is_current(item) else None

    def get(self, alarm: str) -> Alarm:
        """An alarm by its id.

        Raises:
            NotFound: there is none.
        """
        stored = self.find(alarm)
        if stored is None:
            raise missing_alarm(alarm)
        return stored

    def newest(self, status: AlarmStatus | None, sensor: str | None, before: str | None) -> Iterator[Alarm]:
        """Alarms, those raised last first, read as they are consumed.

        Args:
            status: only alarms in this state.
            sensor: only alarms of this sensor.
            before: an id; only alarms that were raised earlier.
        """
        name, value, index = "workspace_part", f"{self._workspace}#alarm", None
        if sensor is not None:
            name, value, index = "workspace_sensor", f"{self._workspace}#{sensor}", "BySensor"
        elif status is not None:
            name, value, index = "workspace_state", f"{self._workspace}#{status}", "ByState"
        condition, values = f"#{name} = :pk", {"pk": value}
        if before is not None:
            condition, values = condition + " AND #entry < :before", values | {"before": before}
        for item in self._table.query_all(condition, values, index=index, newest_first=True):
            if _is_current(item) and status in (None, item["state"]):
                yield _alarm(item)

    def states(self, sensors: Sequence[str]) -> dict[str, StoredState]:
        """The states of sensors, each read consistently; of a sensor that was never judged, an empty one."""
        states: dict[str, StoredState] = {}
        for begin in range(0, len(sensors), MAX_BATCH_ITEMS):
            batch = sensors[begin : begin + MAX_BATCH_ITEMS]
            keys = [(self._table, self._key(f"state#{sensor}", _STATE)) for sensor in batch]
            items = batch_get(self._table.client, keys)
            states |= {sensor: _stored_state(item) for sensor, item in zip(batch, items, strict=True)}
        return states

    def commit(
        self, sensor: str, stored: StoredState, state: AlarmState, raised: Iterable[Alarm], changed: dict[str, Item]
    ) -> bool:
        """Store a sensor's new state, its alarms and the events of those that were raised, in one transaction.

        Args:
            stored: the state as it was read.
            raised: the new alarms.
            changed: the new values of fields of earlier alarms, by their ids.

        Returns:
            Whether it was stored; false if another process has changed the state since it was read.
        """
        writes = [self._state_write(sensor, stored, state)]
        detected_at = rfc3339(now())
        for alarm in raised:
            writes += [self._raise_write(alarm), self._outbox.put_write(alarm_raised(alarm, detected_at))]
        writes += [self._change_write(alarm, changes) for alarm, changes in changed.items()]
        try:
            if len(writes) == 1:
                self._table.execute(writes[0])
            else:
                transact(self._table.client, writes)
        except ConditionFailed:
            return False
        return True

    def _state_write(self, sensor: str, stored: StoredState, state: AlarmState) -> Write:
        changes = {**state.model_dump(exclude={"active"}), "active": _dumped(state)}
        condition, values = "attribute_not_exists(#entry)", {}
        if stored.version:
            condition, values = "#version = :read", {"read": stored.version}
        return self._table.update(self._key(f"state#{sensor}", _STATE), changes, condition, values, add={"version": 1})

    def _raise_write(self, alarm: Alarm) -> Write:
        changes = {
            **_storable(alarm.model_dump(exclude={"id"})),
            **self._state_key(alarm.state),
            "workspace_sensor": f"{self._workspace}#{alarm.sensor}",
        }
        # An alarm for missing data can be raised at the same moment again, after its limit was changed and restored.
        condition = "attribute_not_exists(#entry) OR #state = :cleared"
        return self._table.update(self._key("alarm", alarm.id), changes, condition, {"cleared": "cleared"})

    def _change_write(self, alarm: str, changes: Item) -> Write:
        changes = {**_storable(changes), **(self._state_key(changes["state"]) if "state" in changes else {})}
        return self._table.update(self._key("alarm", alarm), changes, "attribute_exists(#entry)")

    def _state_key(self, state: AlarmStatus) -> Item:
        expires_at = int(time.time()) + self._days * 86400 if state == "cleared" else None
        return {"state": state, "workspace_state": f"{self._workspace}#{state}", "expires_at": expires_at}

    def acknowledge(self, alarm: str, by: str, comment: str | None) -> Alarm:
        """Store that somebody has acknowledged an alarm, unless somebody has before.

        An alarm that is cleared stays so.

        Args:
            by: the principal.

        Raises:
            NotFound: there is no such alarm.
            Unavailable: other requests keep changing it.
        """
        for _ in range(_ACKNOWLEDGE_ATTEMPTS):
            current = self.get(alarm)
            if current.acknowledged_at is not None:
                return current
            changes: Item = {"acknowledged_at": rfc3339(now()), "acknowledged_by": by, "comment": comment}
            if current.state == "active":
                changes |= self._state_key("acknowledged")
            condition = "#state = :read AND #level = :level AND attribute_not_exists(#acknowledged_at)"
            values = {"read": current.state, "level": current.level}
            try:
                write = self._table.update(self._key("alarm", alarm), changes, condition, values)
                return _alarm(self._table.execute(write) or {})
            except ConditionFailed:
                continue  # it was cleared, escalated or acknowledged just now
        raise Unavailable(f"The alarm {alarm!r} keeps changing; try again.")

    def watch(self, sensors: Mapping[str, bool]) -> None:
        """Store whether sensors are watched for missing data; it is safe to repeat.

        Args:
            sensors: at most 100 sensors, and whether each is to be watched.
        """
        always = "attribute_exists(#entry) OR attribute_not_exists(#entry)"
        keys = ((self._key("watched", sensor), watched) for sensor, watched in sensors.items())
        writes = [self._table.put(key, always) if watched else self._table.delete(key, always) for key, watched in keys]
        if writes:
            transact(self._table.client, writes)

    def watched_among(self, sensors: Sequence[str]) -> set[str]:
        """Those of these sensors that are watched for missing data, read consistently; at most 100."""
        items = batch_get(self._table.client, [(self._table, self._key("watched", sensor)) for sensor in sensors])
        return {item["entry"] for item in items if item is not None}

    def watched(self) -> Iterator[str]:
        """The ids of the sensors that are watched for missing data, read as they are consumed."""
        for item in self._table.query_all("#workspace_part = :pk", {"pk": f"{self._workspace}#watched"}):
            yield item["entry"]


def missing_alarm(alarm: str) -> NotFound:
    """The error for an alarm that does not exist."""
    return NotFound(f"There is no alarm {alarm!r}.")


def _storable(fields: Item) -> Item:
    """The fields with floats as texts: DynamoDB's numbers have other limits."""
    return {name: repr(value) if isinstance(value, float) else value for name, value in fields.items()}


def _dumped(state: AlarmState) -> dict[str, Any]:
    return {kind: alarm.model_dump() for kind, alarm in state.active.items()}


def _stored_state(item: Item | None) -> StoredState:
    return StoredState(AlarmState.model_validate(item or {}), int((item or {}).get("version", 0)))


def _alarm(item: Item) -> Alarm:
    return Alarm.model_validate({**item, "id": item["entry"]})


def _is_current(item: Item) -> bool:
    # TTL deletes expired items up to two days late.
    return bool(item.get("expires_at", float("inf")) >= time.time())


def pages(sensors: Iterable[str]) -> Iterator[list[str]]:
    """Divide ids into lists of as many as one request reads."""
    page: list[str] = []
    for sensor in sensors:
        page.append(sensor)
        if len(page) == MAX_BATCH_ITEMS:
            yield page
            page = []
    if page:
        yield page
