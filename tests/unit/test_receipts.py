"""How receipts are stored: in batches, by the rules of single ones, and how few calls a page costs."""

from __future__ import annotations

from collections import Counter
from typing import Any

import botocore.client
import pytest

from sluice.catalog.transactions import transact
from sluice.container import Container
from sluice.domain.run import PageReceipt
from support.client import Client
from support.documents import ingest, paged_source
from support.upstream import Upstream
from support.workflows import LocalWorkflows

RUN = "0" * 26


def receipt(number: int, *, ok: bool = True, attempt: int = 1, mark: str = "", **more: Any) -> PageReceipt:
    return PageReceipt(number=number, ok=ok, attempt=attempt, url="https://a/", hash=mark, fetched_at="", **more)


def stored(services: Container) -> list[tuple[int, str | None]]:
    return [(page.number, page.hash) for page in services.pages.of_run(RUN)]


@pytest.mark.parametrize("count", [0, 1, 2, 25, 26, 70])
def test_all_receipts_are_stored(services: Container, count: int) -> None:
    receipts = [receipt(number, mark=str(number)) for number in range(1, count + 1)]
    services.pages.put_all(RUN, receipts)
    assert services.pages.of_run(RUN) == receipts


def test_batch_follows_the_rules_of_single_receipts(services: Container) -> None:
    before = [receipt(1, mark="first"), receipt(2, ok=False, mark="failed"), receipt(3, mark="first")]
    services.pages.put_all(RUN, before)
    later = [receipt(1, mark="twice"), receipt(2, mark="good"), receipt(3, attempt=2, mark="redriven"), receipt(4)]
    services.pages.put_all(RUN, later)
    assert stored(services) == [(1, "first"), (2, "good"), (3, "redriven"), (4, "")]
    services.pages.put_all(RUN, [receipt(4, ok=False, mark="failed"), receipt(5, ok=False, mark="failed")])
    assert stored(services)[3:] == [(4, ""), (5, "failed")]


def test_receipts_larger_than_a_transaction(services: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    """DynamoDB takes 4 MB in a transaction; a cursor may have hundreds of kilobytes."""
    sizes: list[int] = []

    def counted(client: Any, writes: Any) -> None:
        sizes.append(sum(len(str(write.request)) for write in writes))
        transact(client, writes)

    monkeypatch.setattr("sluice.catalog.runs.transact", counted)
    long = [receipt(number, resume={"state": {"cursor": "x" * 300_000}}) for number in range(1, 21)]
    services.pages.put_all(RUN, long)
    assert services.pages.of_run(RUN) == long
    assert len(sizes) == 2
    assert max(sizes) < 4_000_000


def test_a_page_costs_one_call_to_aws(
    services: Container,
    workflows: LocalWorkflows,
    admin: Client,
    upstream: Upstream,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pages = 60
    upstream.serve_pages([{"id": number} for number in range(pages)])
    admin.post("/datasources", paged_source(pagination={"limit": 1}, primary_key=["id"]))
    made: Counter[str] = Counter()
    original = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined] # private

    def counted(client: Any, operation: str, arguments: Any) -> Any:
        made[operation] += workflows.tasks[-1:] == ["fetch"]
        return original(client, operation, arguments)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", counted)
    run = ingest(admin, "coins")
    assert (run["completeness"], run["requests"]) == ("complete", pages)
    assert made.pop("PutObject") == pages + 1, "each page, and the index"
    assert made.total() < 25, made
