"""Short documents and actions that many tests need."""

from __future__ import annotations

import time
from typing import Any

import boto3

from sluice.container import Container
from sluice.domain.run import Drop
from sluice.runs.drops import receive_drop
from support.client import Client

Documents = dict[str, Any]
JOIN = {"strategy": "join", "key": ["id"]}
OFFSET = {"type": "offset", "offset_param": "start", "limit_param": "limit", "limit": 10, "total": "total"}


def http_source(name: str = "coins", **changes: Any) -> dict[str, Any]:
    """An HTTP datasource; `http` in the changes is merged into its block."""
    http = {"url": f"https://{name}.example.com/v1", **changes.pop("http", {})}
    return {"name": name, "kind": "http", "http": http, **changes}


def paged_source(name: str = "coins", **changes: Any) -> dict[str, Any]:
    """An HTTP datasource in pages of ten, with a total."""
    pagination = OFFSET | changes.pop("pagination", {})
    return http_source(name, http={"pagination": pagination}, records="data", **changes)


def take_again(services: Container, client: Client, document: dict[str, Any]) -> None:
    """Make a datasource of a slug that was deleted, as if the time for its restoration were over."""
    settings = services.settings.__dict__
    days, settings["restore_days"] = settings["restore_days"], 0
    time.sleep(0.002)
    try:
        answer = client.post("/datasources", document)
        assert answer.status == 201, answer.text
    finally:
        settings["restore_days"] = days


def ingest(client: Client, slug: str, body: Any = None) -> dict[str, Any]:
    """An ingest run that has ended."""
    answer = client.post(f"/datasources/{slug}/runs", body or {})
    assert answer.status == 202, answer.text
    run: dict[str, Any] = client.get(f"/runs/{answer.json()['id']}").json()
    return run


def refresh(client: Client, slug: str, **body: Any) -> dict[str, Any]:
    """A refresh that has ended."""
    answer = client.post(f"/projects/{slug}/runs", body)
    assert answer.status == 202, answer.text
    run: dict[str, Any] = client.get(f"/runs/{answer.json()['id']}").json()
    return run


def pushed(client: Client, slug: str, body: Any, **headers: str) -> dict[str, Any]:
    """Push records; the answer, which must accept them."""
    answer = client.post(f"/datasources/{slug}/records", body, **headers)
    assert answer.status == 202, answer.text
    accepted: dict[str, Any] = answer.json()
    return accepted


def rows(client: Client, path: str) -> list[dict[str, Any]]:
    """The published rows of `projects/x` or `datasources/x`."""
    answer = client.get(f"/{path}/data?limit=200")
    assert answer.status == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def drop(services: Container, key: str, body: bytes) -> dict[str, Any] | None:
    """Put a file into the inbox and tell of it, as S3 does; the run it started, as it stands."""
    stored = boto3.client("s3").put_object(Bucket="inbox", Key=key, Body=body)
    told = Drop(
        bucket="inbox",
        key=key,
        size=len(body),
        etag=stored["ETag"].strip('"'),
        version_id=stored.get("VersionId"),
    )
    run = receive_drop(services, told)
    return services.runs.get(run.id).model_dump() if run else None


def inbox_keys() -> list[str]:
    """What lies in the inbox."""
    return sorted(one["Key"] for one in boto3.client("s3").list_objects_v2(Bucket="inbox").get("Contents", []))


def project(admin: Client, documents: Documents, merge: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A project of the documents' datasources in their order, refreshed; its run."""
    body = {"name": "p", "merge": merge, "refresh_on": "manual", **more}
    answer = admin.put("/projects/p", body)
    assert answer.status in (200, 201), answer.text
    for rank, name in enumerate(documents):
        admin.put(f"/datasources/{name}", http_source(name))
        admin.put(f"/projects/p/datasources/{name}", {"priority": rank})
    return refresh(admin, "p", ingest="all")
