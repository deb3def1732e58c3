"""A webhook, subscriptions of it, and the timers of its deliveries."""

from __future__ import annotations

import json
from typing import Any

import boto3
import httpx

from support.client import Client
from support.documents import http_source, ingest
from support.functions import LocalFunctions
from support.upstream import StubResponse, Upstream, ok, raw

HOOK = "https://hooks.example.com/in?token=t0k3n"
HOST = "hooks.example.com"


class Hook:
    """A webhook, and an upstream that answers everything else."""

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.status = 200
        upstream.answer = self._answer

    def _answer(self, request: httpx.Request) -> StubResponse:
        return raw(b"", self.status) if request.url.host == HOST else ok([{"id": 1}])

    @property
    def requests(self) -> list[httpx.Request]:
        return [request for request in self.upstream.requests if request.url.host == HOST]

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.requests]


def subscribe(client: Client, event: str = "version.published", **fields: Any) -> dict[str, Any]:
    answer = client.post("/subscriptions", {"event": event, "webhook": HOOK, **fields})
    assert answer.status == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


def publish(client: Client, name: str = "a") -> None:
    client.put(f"/datasources/{name}", http_source(name))
    ingest(client, name)


def deliveries(client: Client, subscription: dict[str, Any], status: str = "") -> list[dict[str, Any]]:
    query = f"?status={status}" if status else ""
    listed: list[dict[str, Any]] = client.get(f"/subscriptions/{subscription['id']}/deliveries{query}").json()["items"]
    return listed


def timers() -> list[dict[str, Any]]:
    """The timers that are set, each with the event that it calls the function with."""
    scheduler = boto3.client("scheduler")
    names = [item["Name"] for item in scheduler.list_schedules()["Schedules"]]
    found = [scheduler.get_schedule(Name=name, GroupName="sluice") for name in names]
    return [{**timer, "event": json.loads(timer["Target"]["Input"])} for timer in found]


def fire(functions: LocalFunctions) -> int:
    """Let every timer call its function now, and delete itself, as EventBridge Scheduler does."""
    scheduler = boto3.client("scheduler")
    due = timers()
    for timer in due:
        scheduler.delete_schedule(Name=timer["Name"], GroupName="sluice")
        functions.calls.append(("webhooks", timer["event"]))
    functions.run()
    return len(due)
