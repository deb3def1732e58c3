"""Inputs, and their versions."""

from __future__ import annotations

from typing import Any

from support.client import Client, Reply
from support.workbooks import topology

NORTH = topology("A", "B", "C")


def put(client: Client, slug: str, document: Any, kind: str = "document", **fields: Any) -> Reply:
    headers = {name: fields.pop(name) for name in ("if_match", "if_none_match") if name in fields}
    return client.put(f"/inputs/{slug}", {"kind": kind, "document": document, **fields}, **headers)


def numbers(client: Client, slug: str) -> list[int]:
    return [version["number"] for version in client.get(f"/inputs/{slug}/versions").json()["items"]]
