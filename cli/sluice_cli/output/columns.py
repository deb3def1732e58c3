"""The columns of tables of the API's lists; a list that is not named here is shown with all simple fields."""

from __future__ import annotations

from collections.abc import Sequence

from sluice_cli.output.values import Row, columns_of

_BY_LIST = {
    "runs": (
        "id",
        "kind",
        "datasource",
        "project",
        "algorithm",
        "trigger",
        "status",
        "completeness",
        "version",
        "rows",
        "created_at",
    ),
    "datasources": ("slug", "name", "kind", "enabled", "updated_at"),
    "projects": ("slug", "name", "enabled", "refresh_on", "updated_at"),
    "inputs": ("slug", "input", "kind", "version", "current", "latest", "comment", "updated_at", "deleted"),
    "versions": ("number", "comment", "rows", "bytes", "completeness", "run", "created_at", "data_as_of"),
    "keys": ("id", "name", "role", "projects", "created_at", "last_used_at", "expires_at"),
    "secrets": ("name", "hosts", "projects", "used_by", "updated_at"),
    "models": ("name", "description", "materialize", "updated_at"),
    "reports": ("name", "title", "updated_at"),
    "endpoints": ("name", "description", "public", "cache_seconds", "updated_at"),
    "algorithms": ("name", "title", "layer", "on_refresh", "seed", "updated_at"),
    "sites": ("code", "type", "name", "updated_at"),
    "vessels": ("code", "name", "updated_at"),
    "equipment": ("code", "name", "site", "location", "status", "parent"),
    "sensors": ("id", "equipment", "metric", "unit", "updated_at"),
    "operations": ("time", "type", "cost", "equipment", "site", "id"),
    "alarms": ("raised_at", "sensor", "level", "value", "unit", "state", "id"),
    "subscriptions": ("id", "event", "webhook", "created_by", "created_at"),
    "deliveries": ("id", "event", "status", "attempts", "response_status", "error", "created_at"),
    "history": ("at", "action", "by", "changes"),
    "audit": ("time", "principal", "method", "path", "fields", "version", "outcome", "status", "source_ip"),
    "pages": ("number", "attempt", "ok", "status", "rows", "bytes", "url", "fetched_at"),
    "events": ("time", "event", "attempt", "detail"),
}


def columns_for(path: str, rows: Sequence[Row]) -> list[str]:
    """The columns of a list.

    Args:
        path: the path of the list.
        rows: its items.
    """
    present = columns_of(rows)
    name = path.split("?")[0].rstrip("/").rpartition("/")[2]
    chosen = [column for column in _BY_LIST.get(name, ()) if column in present]
    if chosen:
        return chosen
    simple = [name for name in present if not any(isinstance(row.get(name), dict | list) for row in rows)]
    return simple or present
