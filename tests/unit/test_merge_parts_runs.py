"""Refreshes whose merge is done in parts answer what they would answer in one."""

from typing import Any

import pytest

from sluice.container import Container
from sluice.domain.dataset import Manifest
from sluice.lake.store import Lake
from sluice.merge.parallel_merge import ParallelMerge
from support.answers import shown
from support.client import Client
from support.documents import Documents, http_source, ingest, refresh
from support.workflows import Killed, LocalWorkflows

JOIN = {
    "strategy": "join",
    "key": ["id"],
    "fields": {"v": {"rule": "max"}, "tags": {"rule": "union"}},
    "result": {"rename": {"id": "code"}, "compute": {"twice": "v * 2"}},
}
BY_KEY = {"strategy": "union", "key": ["id"], "normalizers": {"id": ["trim", "case_fold"]}}
STACKED = {"strategy": "union"}


def documents_of(change: int = 0) -> Documents:
    a = [{"id": f"k{number:02d}", "v": number + change, "tags": [number % 3]} for number in range(0, 24, 2)]
    b = [{"id": f"k{number:02d}", "v": 30 - number, "tags": [1], "n": None} for number in range(0, 24, 3)]
    return {"a": [*a, {"id": None, "v": 1}, {"id": "k04", "v": 99 + change}], "b": [*b, {"id": "k03"}]}


def divide(services: Container, rows: int) -> None:
    """Have merges of more rows done in parts."""
    services.settings.__dict__["merge_partition_rows"] = rows


def refreshed(
    services: Container, admin: Client, documents: Documents, merge: dict[str, Any], times: int = 2
) -> list[Any]:
    """Some refreshes of `whole` and of `divided`, which differ in how they are merged alone; the last two runs."""
    for slug in documents_of():
        admin.put(f"/datasources/{slug}", http_source(slug))
    for slug in ("whole", "divided"):
        assert admin.put(f"/projects/{slug}", {"name": slug, "merge": merge, "refresh_on": "manual"}).status == 201
        for rank, name in enumerate(documents_of()):
            admin.put(f"/projects/{slug}/datasources/{name}", {"priority": rank})
        if merge.get("key"):
            for key in ("k06", "k77"):
                body = {"value": key, "reason": "x"}
                assert admin.put(f"/projects/{slug}/overrides/n?key={key}", body).status in (200, 201)
    runs = []
    for change in range(times):
        documents |= documents_of(change)
        for slug in documents_of():
            ingest(admin, slug)
        for slug, rows in (("whole", 10**9), ("divided", 7)):
            divide(services, rows)
            runs.append(refresh(admin, slug, ingest="none"))
            assert runs[-1]["status"] == "succeeded", runs[-1]
    return runs[-2:]


def pages(admin: Client, path: str) -> list[Any]:
    """All rows, some at a time."""
    items: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = admin.get(path + (f"&cursor={cursor}" if cursor else "")).json()
        items += page["items"]
        cursor = page["next"]
    return items


@pytest.mark.parametrize("merge", [JOIN, STACKED], ids=["join", "union"])
def test_reads_of_a_merge_in_parts_equal_those_of_a_merge_in_one_call(
    merge: dict[str, Any], services: Container, admin: Client, documents: Documents, workflows: LocalWorkflows
) -> None:
    whole, divided = refreshed(services, admin, documents, merge)
    for name in ("rows", "warnings", "completeness", "version"):
        assert divided[name] == whole[name], name
    body = admin.get("/projects/divided/versions/2").json()
    assert len(body["objects"]) > 3, "it is in parts"
    assert len(body["provenance"]) == (len(body["objects"]) if "key" in merge else 0)
    assert workflows.tasks.count("partition") > 6
    key = merge["result"]["rename"]["id"] if "result" in merge else "id"
    paths = [
        *(f"data?limit=7{more}" for more in ("", f"&order=-{key}", f"&where={key}.ge:k10", f"&where={key}.eq:k15")),
        *(f"data?format={form}" for form in ("csv", "jsonl")),
        *(f"explain?key={name}" for name in ("k04", "k06", "k21", "zz")),
        *(f"records?key={name}" for name in ("k04", "zz")),
        "diff?from=1&to=2",
        "diff?from=1&to=2&limit=3",
    ]
    for path in paths:
        assert shown(admin, f"/projects/divided/{path}") == shown(admin, f"/projects/whole/{path}"), path
    rows = pages(admin, "/projects/whole/data?limit=200")
    assert len(rows) == whole["rows"]
    for limit in (5, 200):
        assert pages(admin, f"/projects/divided/data?limit={limit}") == rows
    query = {"sql": f"SELECT count(*) AS n, min({key}) AS low, max({key}) AS high FROM merged"}
    answers = [admin.post(f"/projects/{slug}/query", query).json()["items"] for slug in ("whole", "divided")]
    assert answers[0] == answers[1] != []


def test_repeated_merge_makes_a_version_only_if_the_number_of_parts_changed(
    services: Container, admin: Client, documents: Documents, workflows: LocalWorkflows
) -> None:
    refreshed(services, admin, documents, JOIN, times=1)
    before, done = admin.get("/projects/divided/versions/1").json(), len(workflows.tasks)
    assert refresh(admin, "divided", ingest="none")["version"] == 1
    assert "partition" not in workflows.tasks[done:]
    divide(services, 20)
    assert refresh(admin, "divided", ingest="none")["version"] == 2
    after = admin.get("/projects/divided/versions/2").json()
    assert after["fingerprint"] != before["fingerprint"]
    assert len(after["objects"]) < len(before["objects"])


def test_repeated_worker_writes_the_same_bytes(
    services: Container, admin: Client, documents: Documents, workflows: LocalWorkflows
) -> None:
    """Every worker dies once after its work, before anybody heard of it."""
    refreshed(services, admin, documents, JOIN, times=1)
    hashes = [object_["sha256"] for object_ in admin.get("/projects/divided/versions/1").json()["objects"]]
    died: set[str] = set()
    work = ParallelMerge.work

    def dying(self: ParallelMerge, stage: str, number: int) -> None:
        work(self, stage, number)
        if f"{stage} {number}" not in died:
            died.add(f"{stage} {number}")
            raise Killed

    admin.put("/projects/divided/overrides/n?key=k99", {"value": "none", "reason": "a new fingerprint"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ParallelMerge, "work", dying)
        assert refresh(admin, "divided", ingest="none")["version"] == 2
    assert len(died) > 6
    assert [object_["sha256"] for object_ in admin.get("/projects/divided/versions/2").json()["objects"]] == hashes


def test_a_value_that_does_not_fit_fails_the_run_with_its_own_error(
    services: Container, admin: Client, documents: Documents
) -> None:
    outcomes = {}
    documents |= {"a": [{"id": number, "v": "x" if number == 17 else "1"} for number in range(30)]}
    for slug, rows in (("whole", 10**9), ("divided", 4)):
        divide(services, rows)
        merge = {**BY_KEY, "normalizers": {}, "sources": {"a": {"cast": {"v": "bigint"}}}}
        admin.put("/datasources/a", http_source("a"))
        admin.put(f"/projects/{slug}", {"name": slug, "merge": merge, "refresh_on": "manual"})
        admin.put(f"/projects/{slug}/datasources/a", {})
        run = refresh(admin, slug, ingest="all")
        outcomes[slug] = (run["status"], run["error"])
    assert outcomes["divided"] == outcomes["whole"]
    assert outcomes["whole"][0] == "failed"
    assert "cannot be converted" in outcomes["whole"][1]["detail"]


def test_missing_result_of_a_worker_fails_the_run(
    services: Container, admin: Client, documents: Documents, workflows: LocalWorkflows
) -> None:
    refreshed(services, admin, documents, JOIN, times=1)
    divide(services, 12)

    def dying(function: str, payload: dict[str, Any]) -> None:
        if function == "partition" and (payload["stage"], payload["number"]) == ("merge", 1):
            raise Killed

    workflows.before_task = dying
    run = refresh(admin, "divided", ingest="none")
    assert run["status"] == "failed"
    assert "number 1" in run["error"]["detail"]
    assert "MERGE_PARTITION_ROWS" in run["error"]["detail"]


def test_a_page_and_a_record_are_read_from_the_parts_that_hold_them(
    services: Container, admin: Client, documents: Documents
) -> None:
    refreshed(services, admin, documents, JOIN, times=1)
    read: list[str] = []
    local = Lake.local

    def noted(self: Lake, key: str, sha256: str) -> Any:
        if key.startswith("merged/divided/"):
            read.append(key.rpartition("/")[2])
        return local(self, key, sha256)

    def parts(path: str) -> list[str]:
        read.clear()
        assert admin.get(f"/projects/divided/{path}").status == 200
        return sorted(set(read))

    every = len(admin.get("/projects/divided/versions/1").json()["objects"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Lake, "local", noted)
        assert parts("data?limit=2") == ["part-00000.parquet"]
        assert len(parts("data?where=code.eq:k09")) == 1
        assert len(parts("records?key=k09")) == 1
        assert len(parts("explain?key=k09")) == 1
        assert len(parts("data?where=v.ge:1")) == len(parts("data?order=v")) == every


def test_merge_is_repeated_if_a_version_was_published_meanwhile(
    services: Container, admin: Client, documents: Documents, workflows: LocalWorkflows
) -> None:
    """The inputs are those of the plan; a publication in between has the merge done again."""
    refreshed(services, admin, documents, JOIN)
    divide(services, 12)
    other: list[str] = []

    def publish(function: str, payload: dict[str, Any]) -> None:
        if function == "partition" and payload["stage"] == "split" and not other:
            other.append(function)
            documents["a"].append({"id": "new", "v": 1})
            ingest(admin, "a")
            assert admin.post("/projects/divided/versions/1/promote", {}).status == 200

    workflows.before_task = publish
    run = refresh(admin, "divided", ingest="none")
    assert (run["status"], run["version"]) == ("succeeded", 3)
    inputs = admin.get("/projects/divided/versions/3").json()["inputs"]
    assert [input_["version"] for input_ in inputs] == [3, 2]
    assert admin.get("/projects/divided/records?key=new").status == 200


def test_a_manifest_of_an_earlier_release_names_one_object_of_provenance_or_none() -> None:
    texts = dict.fromkeys(("run", "created_at", "data_as_of", "fingerprint", "engine"), "")
    numbers = dict.fromkeys(("attempt", "rows", "bytes"), 0)
    known = {
        **texts,
        **numbers,
        "dataset": "project/p",
        "stage": "merged",
        "completeness": "complete",
        "columns": [],
        "objects": [],
    }
    provenance = {"key": "k", "sha256": "s", "bytes": 1, "rows": 2}
    manifest = Manifest.model_validate({**known, "provenance": provenance})
    assert [part.rows for part in manifest.provenance] == [2]
    assert Manifest.model_validate({**known, "provenance": None}).provenance == []
