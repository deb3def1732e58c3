"""Events: what has happened in the platform, as it is delivered to followers."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from typing import Any, ClassVar, Literal

from pydantic import Field

from sluice.domain.base import Record
from sluice.domain.names import parse_time

EventType = Literal["version.published", "run.failed", "alarm.raised"]


class Event(Record):
    """Something that has happened; each type is a subclass, which `domain/event_types.py` lists.

    Events of one topic are delivered in the order of their keys.

    Args:
        key: `{prefix}/{topic}/{rest}`, its key in the catalog.
        delivered: whether all followers that take this type have it.
        delivered_to: the names of the followers that have it, until all have.
    """

    TYPE: ClassVar[EventType]
    PREFIX: ClassVar[str]
    # Whether the catalog keeps the item after its delivery.
    KEPT: ClassVar[bool] = False

    key: str
    delivered: bool = False
    delivered_to: list[str] = Field(default_factory=list)

    @property
    def topic(self) -> str:
        """The part of the key that all events of the same subject share."""
        return topic_of(self.key)

    @property
    def id(self) -> str:
        """The public id: ids sort by time, and a repeated delivery has the same one."""
        milliseconds = int(parse_time(self.time).timestamp() * 1000)
        return f"evt_{milliseconds:012x}{hashlib.sha256(self.key.encode()).hexdigest()[:16]}"

    @property
    @abstractmethod
    def time(self) -> str:
        """When it happened, RFC 3339 in UTC."""

    @property
    def announced(self) -> bool:
        """Whether subscribers get it."""
        return True

    @property
    @abstractmethod
    def scope(self) -> dict[str, str | None]:
        """What it is about, by the names of a subscription's filters, such as `project`."""

    @property
    @abstractmethod
    def data(self) -> dict[str, Any]:
        """The facts that subscribers get, as JSON values."""


def topic_of(key: str) -> str:
    """The topic in an event's key."""
    return key.rpartition("/")[0]
