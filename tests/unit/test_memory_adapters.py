"""The adapters in memory that the tests of the fetch stage use do what the real ones do."""

from __future__ import annotations

import inspect
import io
from typing import Any, Protocol

import pytest

from sluice.catalog.runs import Pages, Runs
from sluice.container import Container
from sluice.domain.names import new_run_id
from sluice.domain.run import PageReceipt
from sluice.errors import NotFound
from sluice.lake.store import Lake
from support.fetch_stage import MemoryLake, MemoryPages, MemoryRuns


@pytest.mark.parametrize(("memory", "real"), [(MemoryLake, Lake), (MemoryPages, Pages), (MemoryRuns, Runs)])
def test_adapters_in_memory_have_methods_of_the_real_ones(memory: type, real: type) -> None:
    for name, method in inspect.getmembers(memory, inspect.isfunction):
        if name.startswith("_"):
            continue
        required = len(inspect.signature(method).parameters)
        assert len(inspect.signature(getattr(real, name)).parameters) >= required, name


class ReceiptStore(Protocol):
    def put(self, run_id: str, receipt: PageReceipt) -> None: ...

    def put_all(self, run_id: str, receipts: list[PageReceipt]) -> None: ...

    def of_run(self, run_id: str) -> list[PageReceipt]: ...


def receipt(number: int, attempt: int, *, ok: bool, status: int) -> PageReceipt:
    return PageReceipt(number=number, attempt=attempt, ok=ok, url="u", status=status, fetched_at="2026-01-01T00:00:00Z")


RECEIPTS = [
    receipt(1, 1, ok=False, status=500),
    receipt(1, 1, ok=True, status=200),
    receipt(1, 1, ok=True, status=201),
    receipt(1, 1, ok=False, status=502),
    receipt(3, 1, ok=True, status=200),
    receipt(2, 1, ok=True, status=200),
    receipt(1, 2, ok=True, status=202),
    receipt(2, 2, ok=False, status=503),
    receipt(3, 1, ok=True, status=204),
]


# One transaction has each page once.
@pytest.mark.parametrize("batches", [[1] * 9, [1, 1, 1, 3, 3]], ids=["one by one", "in batches"])
def test_receipts_are_kept_by_the_same_rules(services: Container, batches: list[int]) -> None:
    stores: list[ReceiptStore] = [MemoryPages(), services.pages]
    run_id = new_run_id()
    kept: list[Any] = []
    for store in stores:
        left = list(RECEIPTS)
        for size in batches:
            store.put_all(run_id, left[:size])
            del left[:size]
        kept.append([(page.number, page.attempt, page.status) for page in store.of_run(run_id)])
    assert kept[0] == kept[1] == [(1, 2, 202), (2, 1, 200), (3, 1, 200)]


def test_objects_are_stored_listed_and_read_alike(services: Container) -> None:
    for lake in (MemoryLake(), services.lake):
        lake.put("folder/b", b"2")
        lake.put("folder/a", b"1")
        lake.put("other/a", b"3")
        assert lake.list_keys("folder") == ["folder/a", "folder/b"]
        assert lake.get("folder/a") == b"1"
        with pytest.raises(NotFound):
            lake.get("folder/none")
        digest = lake.put_raw(io.BytesIO(b"page"))
        with lake.raw(digest) as content:
            assert content.read() == b"page"
