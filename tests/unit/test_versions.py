"""Merged versions: promoted, read as of a time, compared, tried, and explained where they are documents."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sluice.container import Container
from sluice.domain.dataset_id import DatasetId
from sluice.domain.names import parse_time, rfc3339
from support.client import Client
from support.documents import JOIN, Documents, drop, project, refresh, rows
from support.upstream import Upstream


def published(admin: Client, documents: Documents, *values: int) -> None:
    """A project with a version for each value of `v`."""
    for value in values:
        documents["a"] = [{"id": 1, "v": value}, {"id": 2 + value, "v": value}]
        project(admin, documents, JOIN)


def test_promoted_version_is_published(admin: Client, viewer: Client, documents: Documents) -> None:
    published(admin, documents, 1, 2)
    assert viewer.post("/projects/p/versions/1/promote").status == 403
    assert admin.post("/projects/p/versions/3/promote").status == 404
    assert admin.post("/projects/p/versions/x/promote").status == 404
    assert admin.post("/projects/p/versions/1/promote").json()["number"] == 1
    assert admin.post("/projects/p/versions/1/promote").status == 200
    assert rows(admin, "projects/p")[0]["v"] == 1
    published(admin, documents, 3)
    assert [version["number"] for version in admin.get("/projects/p/versions").json()["items"]] == [3, 2, 1]
    assert rows(admin, "projects/p")[0]["v"] == 3


def test_as_of_reads_the_version_published_at_that_time(admin: Client, documents: Documents) -> None:
    def read(moment: datetime) -> tuple[int, Any]:
        answer = admin.get(f"/projects/p/data?as_of={rfc3339(moment)}").json()
        return answer.get("version", answer.get("status")), answer.get("items", [{}])[0].get("v")

    before = datetime.now(UTC)
    published(admin, documents, 1)
    first = datetime.now(UTC) + timedelta(milliseconds=1)
    threading.Event().wait(0.01)
    published(admin, documents, 2)
    second = datetime.now(UTC) + timedelta(milliseconds=1)
    threading.Event().wait(0.01)
    admin.post("/projects/p/versions/1/promote")
    assert read(before - timedelta(seconds=1)) == (404, None)
    assert [read(first), read(second), read(datetime.now(UTC) + timedelta(hours=1))] == [(1, 1), (2, 2), (1, 1)]
    assert admin.get(f"/projects/p/explain?key=1&as_of={rfc3339(second)}").json()["version"] == 2
    assert admin.get(f"/datasources/a/data?as_of={rfc3339(second)}").json()["version"] == 2
    assert admin.get("/projects/p/data?as_of=yesterday").status == 422
    assert admin.get("/projects/p/data?as_of=2026-01-01T00:00:00Z&version=1").status == 422


def test_pages_of_a_reader_are_of_one_version(services: Container, admin: Client, documents: Documents) -> None:
    """Readers walk through pages while versions are promoted to and fro."""
    for value in (1, 2):
        documents["a"] = [{"id": key, "v": value} for key in range(40)]
        project(admin, documents, JOIN)
    stop, faults = threading.Event(), []

    def promote() -> None:
        number = 1
        while not stop.wait(0.005):  # each promotion adds a publication, which every call of the client reads
            services.datasets.promote(DatasetId.of_project("p"), number, "test")
            number = 3 - number

    def read(client: Callable[[str], Any]) -> None:
        for _ in range(4):
            answer = client("/projects/p/data?limit=10").json()
            items, version = answer["items"], answer["version"]
            while answer["next"]:
                answer = client(f"/projects/p/data?limit=10&cursor={answer['next']}").json()
                items += answer["items"]
            if {row["v"] for row in items} != {version} or len(items) != 40:
                faults.append(items)

    promoter = threading.Thread(target=promote)
    promoter.start()
    read(admin.get)
    stop.set()
    promoter.join()
    assert not faults
    history = services.datasets
    assert history.version_as_of(DatasetId.of_project("p"), parse_time(rfc3339(datetime.now(UTC)))).number in (1, 2)


def test_diff_of_two_versions(admin: Client, documents: Documents) -> None:
    documents["a"] = [{"id": 1, "v": 1}, {"id": 2, "v": None, "x": [1]}, {"id": 3, "v": 3}]
    project(admin, documents, JOIN)
    documents["a"] = [{"id": 1, "v": 1}, {"id": 2, "v": 0, "x": [1]}, {"id": 4, "v": 4, "new": "y"}]
    project(admin, documents, JOIN)
    answer = admin.get("/projects/p/diff").json()
    assert answer["items"] == [
        {"key": [2], "change": "changed", "fields": {"v": [None, 0]}},
        {"key": [3], "change": "removed", "fields": {"v": [3, None]}},
        {"key": [4], "change": "added", "fields": {"v": [None, 4], "new": [None, "y"]}},
    ]
    assert (answer["from"], answer["to"], answer["next"]) == (1, 2, None)
    assert answer["counts"] == {"added": 1, "removed": 1, "changed": 1}
    page = admin.get("/projects/p/diff?from=2&to=1&limit=2").json()
    assert [change["change"] for change in page["items"]] == ["changed", "added"]
    rest = admin.get(f"/projects/p/diff?from=2&to=1&limit=2&cursor={page['next']}").json()
    assert [(change["key"], change["change"]) for change in rest["items"]] == [([4], "removed")]
    assert admin.get("/projects/p/diff?from=1&to=1").json()["items"] == []
    assert admin.get("/projects/p/diff?from=1&to=9").status == 404
    assert admin.get("/projects/p/diff?to=1").status == 409


def test_diff_of_versions_with_different_keys_is_refused(admin: Client, documents: Documents) -> None:
    documents["a"] = [{"id": 1, "v": 1}]
    project(admin, documents, JOIN)
    project(admin, documents, {"strategy": "union"})
    assert admin.get("/projects/p/diff").status == 409


def test_diff_and_explanation_of_documents(admin: Client, documents: Documents) -> None:
    documents |= {"a": {"x": {"y": 1, "l": [1]}}, "b": {"x": {"z~/": 2, "l": [1, 3]}}}
    project(admin, documents, {"strategy": "recursive"})
    documents["b"] = {"x": {"l": [1, 4], "n": None}, "k": True}
    project(admin, documents, {"strategy": "recursive"})
    assert admin.get("/projects/p/diff").json()["items"] == [
        {"pointer": "/k", "change": "added", "value": [None, True]},
        {"pointer": "/x/l/1", "change": "changed", "value": [3, 4]},
        {"pointer": "/x/n", "change": "added", "value": [None, None]},
        {"pointer": "/x/z~0~1", "change": "removed", "value": [2, None]},
    ]
    explanation = admin.get("/projects/p/explain?pointer=/x/l/0").json()
    assert explanation["value"] == 1
    assert [(winner["datasource"], winner["pointer"], winner["exact"]) for winner in explanation["winners"]] == [
        ("a", "/x/l/0", True),
        ("b", "/x/l/0", True),
    ]
    assert [winner["pointer"] for winner in admin.get("/projects/p/explain?pointer=/x/l/1").json()["winners"]] == [
        "/x/l/1"
    ]
    assert admin.get("/projects/p/explain?pointer=/nothing").status == 404
    assert admin.get("/projects/p/explain?pointer=x").status == 422
    assert admin.get("/projects/p/data?version=1").json()["items"][0]["x"]["z~/"] == 2


def test_explanation_of_a_concatenation(admin: Client, documents: Documents) -> None:
    documents |= {"a": {"x": 1}, "b": [5, {"y": 6}]}
    project(admin, documents, {"strategy": "concatenation"})
    for pointer, value, cited in (("/0/x", 1, "/x"), ("/1/1/y", 6, "/1/y"), ("/1/0", 5, "/0")):
        explanation = admin.get(f"/projects/p/explain?pointer={pointer}").json()
        assert (explanation["value"], explanation["winners"][0]["pointer"], explanation["winners"][0]["value"]) == (
            value,
            cited,
            value,
        )


def test_merge_preview_publishes_nothing(
    services: Container, admin: Client, viewer: Client, documents: Documents
) -> None:
    published(admin, documents, 1, 2)
    answer = admin.post("/projects/p/merge/preview", {"inputs": {"a": 1}})
    assert answer.status == 200
    assert answer.json()["items"] == [{"id": 1, "v": 1}, {"id": 3, "v": 1}]
    tried = {"strategy": "join", "key": ["id"], "result": {"compute": {"w": "v + 1"}, "where": "id = 1"}}
    preview = admin.post("/projects/p/merge/preview", {"merge": tried}).json()
    assert (preview["items"], preview["rows"], preview["completeness"]) == ([{"id": 1, "v": 2, "w": 3}], 1, "complete")
    assert preview["schema"][2] == {"name": "w", "type": "bigint", "nullable": True}
    assert admin.post("/projects/p/merge/preview", {"merge": {"strategy": "recursive"}}).json()["rows"] == 1
    assert admin.post("/projects/p/merge/preview", {"inputs": {"a": 9}}).status == 404
    assert admin.post("/projects/p/merge/preview", {"inputs": {"b": 1}}).status == 422
    assert (
        "no column 'k'" in admin.post("/projects/p/merge/preview", {"merge": {"strategy": "join", "key": ["k"]}}).text
    )
    assert viewer.post("/projects/p/merge/preview", {}).status == 403
    assert services.datasets.pointer(DatasetId.of_project("p")).latest == 2, "nothing was published"


def test_dry_run_publishes_nothing(
    services: Container, admin: Client, upstream: Upstream, documents: Documents
) -> None:
    published(admin, documents, 1)
    documents["a"] = [{"id": 9}]
    request_count = len(upstream.requests)
    run = refresh(admin, "p", ingest="all", dry_run=True)
    assert (run["status"], run["version"], run["rows"], run["dry_run"]) == ("succeeded", None, 2, True)
    assert len(upstream.requests) == request_count
    assert services.datasets.pointer(DatasetId.of_project("p")).latest == 1


def test_version_has_hashes_of_inputs_and_output(admin: Client, documents: Documents) -> None:
    published(admin, documents, 1, 2)
    versions = [admin.get(f"/projects/p/versions/{number}").json() for number in (1, 2)]
    assert all(version["output_hash"].startswith("sha256:") for version in versions)
    assert versions[0]["output_hash"] != versions[1]["output_hash"]
    assert versions[0]["inputs"][0]["hash"] != versions[1]["inputs"][0]["hash"]
    published(admin, documents, 1)
    again = admin.get("/projects/p/versions/3").json()
    assert (again["output_hash"], again["fingerprint"]) == (versions[0]["output_hash"], versions[0]["fingerprint"])


def test_the_published_version_is_read_without_its_number(admin: Client, documents: Documents) -> None:
    admin.put("/projects/empty", {"name": "empty"})
    answer = admin.get("/projects/empty/versions/published")
    assert (answer.status, answer.json()["type"]) == (404, "urn:sluice:problem:not-published")
    published(admin, documents, 1, 2)
    assert admin.get("/projects/p/versions/published").json()["number"] == 2
    admin.post("/projects/p/versions/1/promote")
    assert admin.get("/projects/p/versions/published").json() == admin.get("/projects/p/versions/1").json()
    assert admin.get("/datasources/a/versions/published").json()["number"] == 2
    assert admin.post("/projects/p/versions/published/promote").status == 404


def test_explanation_of_a_csv_row_in_a_document_merge(services: Container, admin: Client) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file"})
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "concatenation"}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/notes", {})
    drop(services, "notes/a.csv", b"a,b\n1,x\n2,y\n")
    refresh(admin, "p")
    explanation = admin.get("/projects/p/explain?pointer=/0/1/b").json()
    assert (explanation["value"], explanation["winners"][0]["pointer"], explanation["winners"][0]["exact"]) == (
        "y",
        "/1/b",
        True,
    )


def test_diff_and_overrides_distinguish_true_from_1(admin: Client, documents: Documents) -> None:
    documents |= {"a": [{"id": 1, "v": [1]}, {"id": 2, "v": {"a": 1, "b": 2}}]}
    project(admin, documents, JOIN)
    documents["a"] = [{"id": 1, "v": [True]}, {"id": 2, "v": {"b": 2, "a": 1}}]
    project(admin, documents, JOIN)
    assert admin.get("/projects/p/diff").json()["items"] == [
        {"key": [1], "change": "changed", "fields": {"v": [[1], [True]]}}
    ]
    for value in (1, True, 1.0):
        admin.put("/projects/p/overrides/v?key=1", {"value": value, "reason": "x"})
        assert repr(admin.get("/projects/p/overrides/v?key=1").json()["value"]) == repr(value)
        constant = {"strategy": "join", "key": ["id"], "fields": {"v": {"rule": "constant", "value": value}}}
        admin.put("/projects/p", {"name": "p", "merge": constant})
        assert repr(admin.get("/projects/p").json()["merge"]["fields"]["v"]["value"]) == repr(value)


def test_diff_compares_column_names_without_case(admin: Client, documents: Documents) -> None:
    documents |= {"a": [{"id": 1, "n": 10}]}
    project(admin, documents, JOIN | {"result": {"rename": {"n": "N"}}})
    project(admin, documents, JOIN)
    assert admin.get("/projects/p/diff").json()["items"] == []


def test_as_of_outside_of_the_calendar_is_refused(admin: Client, documents: Documents) -> None:
    documents |= {"a": [{"id": 1}]}
    project(admin, documents, JOIN)
    assert admin.get("/projects/p/data?as_of=0001-01-01T00:00:00%2B14:00").status == 422


def test_large_preview_is_a_redirect(admin: Client, documents: Documents) -> None:
    documents |= {"a": [{"id": 1, "v": "x" * 5_000_000}]}
    project(admin, documents, JOIN)
    assert admin.post("/projects/p/merge/preview", {}).status == 303


def test_explanation_of_appended_rows_in_a_document_merge(services: Container, admin: Client) -> None:
    admin.post("/datasources", {"name": "log", "kind": "file", "write_disposition": "append"})
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "concatenation"}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/log", {})
    drop(services, "log/a.json", b'[{"a": 1}]')
    drop(services, "log/b.json", b'[{"a": 2}, {"a": {"b": [3]}}]')
    refresh(admin, "p")
    for pointer, value, cited in (("/0/1/a", 2, "/0/a"), ("/0/1", None, "/0")):
        winner = admin.get(f"/projects/p/explain?pointer={pointer}").json()["winners"][0]
        assert winner["pointer"] == cited
        assert value is None or winner["value"] == value
