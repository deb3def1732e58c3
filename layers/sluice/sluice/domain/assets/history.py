"""The history of an asset: who changed what, and when."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from sluice.domain.base import Record

Action = Literal["created", "changed", "deleted"]


class FieldChange(Record):
    """The change of one field of a document."""

    field: str = Field(description="The name of the field.")
    old: Any = Field(description="The value before. Null: it had none.")
    new: Any = Field(description="The value since then. Null: it has none.")


class HistoryEntry(Record):
    """One change of a site, of equipment or of a sensor."""

    action: Action = Field(description="What happened: it was `created`, `changed` or `deleted`.")
    at: str = Field(description="When it happened, RFC 3339 in UTC.")
    by: str = Field(description="The principal that did it: `key/{id}`, or the subject of a token.")
    changes: list[FieldChange] = Field(description="The fields that changed; empty for a deletion.")


def history_entry(before: dict[str, Any] | None, after: dict[str, Any] | None, at: str, by: str) -> HistoryEntry:
    """The entry for a change of a document.

    Args:
        before: the document before the change; None if it did not exist.
        after: the document after the change; None if it was deleted.
        at: when, RFC 3339 in UTC.
        by: the principal.
    """
    if after is None:
        return HistoryEntry(action="deleted", at=at, by=by, changes=[])
    old = before or {}
    changes = [
        FieldChange(field=field, old=old.get(field), new=value)
        for field, value in after.items()
        if value != old.get(field)
    ]
    return HistoryEntry(action="changed" if before is not None else "created", at=at, by=by, changes=changes)
