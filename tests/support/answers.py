"""Answers of two datasets that are to be the same."""

from __future__ import annotations

from typing import Any

from support.client import Client


def shown(client: Client, path: str) -> Any:
    """An answer, without what no two runs have in common."""
    answer = client.get(path)
    if "json" not in answer.headers["Content-Type"] or "ndjson" in answer.headers["Content-Type"]:
        return answer.status, answer.text
    return answer.status, without(
        answer.json(), {"next", "run", "created_at", "instance", "href", "next_cursor", "data_as_of"}
    )


def without(value: Any, names: set[str]) -> Any:
    if isinstance(value, dict):
        return {name: without(one, names) for name, one in value.items() if name not in names}
    return [without(one, names) for one in value] if isinstance(value, list) else value
