"""Runs whose pages are read in parts give what they would give in one."""

from typing import Any

import httpx
import pytest

from sluice.container import Container
from sluice.extract.parallel_reading import ParallelReading
from support.answers import shown
from support.client import Client
from support.documents import ingest, paged_source
from support.upstream import StubResponse, Upstream, ok
from support.workflows import Killed, LocalWorkflows

Records = list[dict[str, Any]]
WHOLE, DIVIDED = "whole", "divided"
LIMIT = 5


def divide(services: Container, most: int) -> None:
    """Have pages of more bytes read in parts."""
    services.settings.__dict__["extract_part_bytes"] = most


def serve(upstream: Upstream, records: Records) -> None:
    def answer(request: httpx.Request) -> StubResponse:
        at = int(request.url.params["start"])
        return ok({"data": records[at : at + LIMIT], "total": len(records)})

    upstream.answer = answer


def ingested(
    services: Container, admin: Client, upstream: Upstream, batches: list[Records], **document: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Some runs of two datasources, which differ in how their pages are read alone; their last runs."""
    runs: dict[str, dict[str, Any]] = {}
    for slug, most in ((WHOLE, 10**9), (DIVIDED, 600)):
        divide(services, most)
        source = paged_source(slug, pagination={"limit": LIMIT}, **document)
        assert admin.put(f"/datasources/{slug}", source).status == 201
        for records in batches:
            serve(upstream, records)
            runs[slug] = ingest(admin, slug)
    return runs[WHOLE], runs[DIVIDED]


def require_same(admin: Client, whole: dict[str, Any], divided: dict[str, Any]) -> None:
    for name in ("status", "rows", "warnings", "completeness", "completeness_reasons", "version"):
        assert divided[name] == whole[name], name
    paths = [
        *(f"data?limit=7{more}" for more in ("", "&order=-id", "&where=id.ge:9")),
        *(f"data?limit=200&format={form}" for form in ("csv", "jsonl")),
    ]
    versions = [admin.get(f"/datasources/{slug}/versions/{whole['version']}").json() for slug in (WHOLE, DIVIDED)]
    assert versions[0]["schema"] == versions[1]["schema"]
    for path in paths:
        assert shown(admin, f"/datasources/{DIVIDED}/{path}") == shown(admin, f"/datasources/{WHOLE}/{path}"), path


FIRST = [{"id": number, "v": number, "note": f"n{number}"} for number in range(40)]
MIXED = [{"id": number, "v": "x" if number == 33 else number, "late": 1.5} for number in range(20, 60)]


@pytest.mark.parametrize("disposition", ["replace", "append", "upsert"])
@pytest.mark.parametrize("batches", [[FIRST], [FIRST, MIXED], [MIXED, FIRST]], ids=["one", "wider", "narrower"])
def test_all_responses_equal_those_of_one_reader(
    services: Container,
    admin: Client,
    upstream: Upstream,
    workflows: LocalWorkflows,
    disposition: str,
    batches: list[Records],
) -> None:
    document = {"write_disposition": disposition, "primary_key": ["id"]}
    whole, divided = ingested(services, admin, upstream, batches, **document)
    assert whole["status"] == "succeeded", whole
    require_same(admin, whole, divided)
    assert workflows.tasks.count("extract") > 4 * len(batches), "it was read in parts"
    if disposition == "replace":
        objects = admin.get(f"/datasources/{DIVIDED}/versions/{divided['version']}").json()["objects"]
        assert len(objects) > 2
        assert len({item["key"].rpartition("/")[0] for item in objects}) == 1, "Athena reads one folder"


def test_keys_repeated_in_different_parts_are_warned_about(
    services: Container, admin: Client, upstream: Upstream
) -> None:
    repeated = [{"id": number % 37, "v": number} for number in range(40)]
    whole, divided = ingested(services, admin, upstream, [repeated], primary_key=["id"])
    assert "id: 3 records repeat the primary key of another record" in whole["warnings"]
    require_same(admin, whole, divided)


def test_worker_that_is_called_again_writes_the_same(
    services: Container, admin: Client, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every worker dies once after its work, before anybody heard of it."""
    died: set[str] = set()
    work = ParallelReading.work

    def dying(self: ParallelReading, stage: str, number: int) -> None:
        work(self, stage, number)
        if f"{stage} {number}" not in died:
            died.add(f"{stage} {number}")
            raise Killed

    monkeypatch.setattr(ParallelReading, "work", dying)
    whole, divided = ingested(services, admin, upstream, [FIRST + MIXED])
    require_same(admin, whole, divided)
    assert {worker.partition(" ")[0] for worker in died} == {"read", "fit"}


def test_worker_that_never_ends_fails_the_run_with_advice(
    services: Container, admin: Client, upstream: Upstream, workflows: LocalWorkflows
) -> None:
    def dying(function: str, payload: dict[str, Any]) -> None:
        if payload.get("number") == 2:
            raise Killed

    workflows.before_task = dying
    _, divided = ingested(services, admin, upstream, [FIRST])
    assert divided["status"] == "failed"
    assert "EXTRACT_PART_BYTES" in divided["error"]["detail"]


def test_invalid_pages_fail_the_run_as_with_one_reader(services: Container, admin: Client, upstream: Upstream) -> None:
    clash: list[dict[str, Any]] = [*FIRST, {"id": 1, "a_b": 1}, *FIRST, {"id": 2, "a": {"b": 1}}]
    whole, divided = ingested(services, admin, upstream, [clash])
    assert whole["status"] == divided["status"] == "failed"
    strip = [run["error"]["detail"].replace(run["datasource"], "") for run in (whole, divided)]
    assert strip[0] == strip[1]


def test_version_published_meanwhile_is_not_displaced(
    services: Container, admin: Client, upstream: Upstream, workflows: LocalWorkflows
) -> None:
    """What other pages were added while workers read is there as well."""
    other: list[str] = []

    def publish(function: str, payload: dict[str, Any]) -> None:
        if "number" in payload and not other:
            other.append(function)
            divide(services, 10**9)
            serve(upstream, [{"id": 1000, "v": 1}])
            assert ingest(admin, DIVIDED)["status"] == "succeeded"
            divide(services, 600)

    divide(services, 600)
    admin.put(f"/datasources/{DIVIDED}", paged_source(DIVIDED, pagination={"limit": LIMIT}, write_disposition="append"))
    workflows.before_task = publish
    serve(upstream, FIRST)
    run = ingest(admin, DIVIDED)
    assert run["status"] == "succeeded", run
    records = admin.get(f"/datasources/{DIVIDED}/data?limit=200").json()["items"]
    assert sorted(row["id"] for row in records) == [*range(40), 1000]
