"""What a merge can do besides its rules: keys, reshaping, joins, overrides, versions, previews."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sluice.bootstrap import Platform
from sluice.domain.names import parse_time, rfc3339
from support.client import Client
from support.documents import drop, http_source, refresh, rows
from support.upstream import Upstream, ok

Documents = dict[str, list[dict[str, Any]]]


@pytest.fixture
def documents(upstream: Upstream) -> Documents:
    """What each datasource answers, by its name."""
    answers: Documents = {}
    upstream.answer = lambda request: ok(answers[request.url.host.partition(".")[0]])
    return answers


def project(admin: Client, documents: Documents, merge: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A project of the documents' datasources in their order, refreshed; its run."""
    body = {"name": "p", "merge": merge, "refresh_on": "manual", **more}
    answer = admin.put("/projects/p", body)
    assert answer.status in (200, 201), answer.text
    for rank, name in enumerate(documents):
        admin.put(f"/datasources/{name}", http_source(name))
        admin.put(f"/projects/p/datasources/{name}", {"priority": rank})
    return refresh(admin, "p", ingest="all")


JOIN = {"strategy": "join", "key": ["id"]}


def test_keys_meet_by_normalizers_and_other_names(admin: Client, documents: Documents) -> None:
    documents |= {
        "a": [{"id": " Straße ", "v": 1}, {"id": "ＡＢ", "v": 2}],
        "b": [{"code": "STRASSE", "w": 3}, {"code": "ab", "w": 4}],
    }
    merge = JOIN | {"sources": {"b": {"rename": {"code": "id"}}}, "normalizers": {"id": ["trim", "nfkc", "case_fold"]}}
    project(admin, documents, merge)
    assert rows(admin, "projects/p") == [{"id": "ab", "v": 2, "w": 4}, {"id": "strasse", "v": 1, "w": 3}]
    found = admin.get("/projects/p/records?key=%20STRASSE")
    assert (found.json(), found.headers["X-Sluice-Version"]) == ({"id": "strasse", "v": 1, "w": 3}, "1")
    told = admin.get("/projects/p/explain?key=strasse").json()["fields"]
    assert [(one["datasource"], one["value"], one["pointer"]) for one in told["id"]["winners"]] == [
        ("a", " Straße ", "/0/id"),
        ("b", "STRASSE", "/0/code"),
    ]
    assert told["id"]["expression"] == "trim, nfkc, case_fold"


def test_a_key_of_several_columns(admin: Client, documents: Documents) -> None:
    documents |= {"a": [{"x": 1, "y": "b", "v": 1}], "b": [{"x": 1, "y": "b", "w": 2}, {"x": 1, "y": "c", "w": 3}]}
    project(admin, documents, {"strategy": "join", "key": ["x", "y"]})
    assert admin.get("/projects/p/records?key=1&key=b").json() == {"x": 1, "y": "b", "v": 1, "w": 2}
    assert admin.get("/projects/p/records?key=1").status == 422
    assert admin.get("/projects/p/records?key=x&key=b").status == 422
    assert admin.get("/projects/p/records?key=2&key=b").status == 404


@pytest.mark.parametrize(
    ("join", "expected"),
    [
        ({}, [1, 2, 3]),
        ({"join": "full"}, [1, 2, 3]),
        ({"join": "left"}, [1, 2]),
        ({"join": "left", "primary": "b"}, [2, 3]),
        ({"join": "inner"}, [2]),
    ],
    ids=str,
)
def test_joins(admin: Client, documents: Documents, join: dict[str, Any], expected: list[int]) -> None:
    documents |= {"a": [{"id": 1, "v": 1}, {"id": 2, "v": 2}], "b": [{"id": 2, "w": 2}, {"id": 3, "w": 3}]}
    project(admin, documents, JOIN | join)
    assert [row["id"] for row in rows(admin, "projects/p")] == expected


@pytest.mark.parametrize(("join", "expected"), [("left", 1), ("inner", 0), ("full", 1)])
def test_joins_with_a_source_without_records(admin: Client, documents: Documents, join: str, expected: int) -> None:
    documents |= {"a": [{"id": 1}], "b": []}
    project(admin, documents, JOIN | {"join": join})
    assert len(rows(admin, "projects/p")) == expected


def test_a_left_join_needs_its_primary(admin: Client, documents: Documents) -> None:
    documents |= {"a": [{"id": 1}]}
    run = project(admin, documents, JOIN | {"join": "left", "primary": "other"})
    assert "'other'" in run["error"]["detail"]


def test_rows_are_reshaped_before_and_after(admin: Client, documents: Documents) -> None:
    documents |= {
        "a": [
            {"id": 1, "price": "1,50", "old": True},
            {"id": 2, "price": "2,25", "old": False},
            {"id": 3, "price": None},
        ],
        "b": [{"id": 1, "n": 3}, {"id": 2, "n": 4}],
    }
    merge = JOIN | {
        "sources": {
            "a": {
                "rename": {"price": "text"},
                "compute": {"price": "replace(text, ',', '.')::decimal(10,2)"},
                "where": "price IS NOT NULL",
            }
        },
        "result": {
            "rename": {"n": "pieces"},
            "cast": {"pieces": "double"},
            "compute": {"total": "price * pieces", "cheap": "price < 2"},
            "where": "NOT coalesce(old, false) OR total > 4",
        },
    }
    project(admin, documents, merge)
    assert rows(admin, "projects/p") == [
        {"id": 1, "old": True, "text": "1,50", "price": "1.50", "pieces": 3.0, "total": 4.5, "cheap": True},
        {"id": 2, "old": False, "text": "2,25", "price": "2.25", "pieces": 4.0, "total": 9.0, "cheap": False},
    ]
    told = admin.get("/projects/p/explain?key=2").json()["fields"]
    assert set(told) == {"id", "old", "text", "price", "pieces", "total", "cheap"}
    assert told["price"]["winners"][0] | {"page": None} == {
        "value": "2.25",
        "datasource": "a",
        "version": 1,
        "page": None,
        "pointer": "/1",
        "exact": False,
        "expression": "replace(text, ',', '.')::decimal(10,2)",
    }
    assert (told["pieces"]["winners"][0]["pointer"], told["pieces"]["expression"]) == ("/1/n", "CAST(n AS double)")
    assert (told["total"]["rule"], told["total"]["expression"]) == ("compute", "price * pieces")
    assert [one["datasource"] for one in told["total"]["winners"]] == ["a", "b"]


@pytest.mark.parametrize(
    ("reshape", "said"),
    [
        ({"rename": {"nothing": "x"}}, "'nothing'"),
        ({"rename": {"v": "id"}}, "two columns 'id'"),
        ({"cast": {"nothing": "double"}}, "'nothing'"),
        ({"compute": {"x": "nothing + 1"}}, "'nothing'"),
        ({"compute": {"x": "v + date_trunc('day', v)"}}, "does not fit"),
        ({"compute": {"x": "_page"}}, "'_page'"),
        ({"where": "v"}, "cannot be converted"),
        ({"cast": {"v": "date"}}, "cannot be converted"),
    ],
    ids=str,
)
def test_a_reshape_that_does_not_fit_ends_the_run(
    admin: Client, documents: Documents, reshape: dict[str, Any], said: str
) -> None:
    documents |= {"a": [{"id": 1, "v": "x"}]}
    run = project(admin, documents, JOIN | {"sources": {"a": reshape}})
    assert run["status"] == "failed"
    assert said in run["error"]["detail"]


ATTACKS = [
    "(SELECT 1)",
    "1; DROP TABLE merged",
    "read_text('/etc/passwd')",
    "(SELECT content FROM read_text('/etc/passwd'))",
    "getenv('AWS_SECRET_ACCESS_KEY')",
    "current_setting('memory_limit')",
    "EXISTS (SELECT 1)",
    "v IN (SELECT 1)",
    "random()",
    "uuid()",
    "now()",
    "current_timestamp",
    "today()",
    "count(*)",
    "sum(v) OVER ()",
    "nextval('s')",
    "v FROM merged",
    "v, 1",
    "*",
    "COLUMNS('.*')",
    "merged.v",
    "$v",
    "list_transform([1], x -> x)",
    "unnest([1])",
    "query('SELECT 1')",
    "v --\n, (SELECT 1)",
    "1 UNION SELECT 2",
    "[x FOR x IN [1]]",
    "v COLLATE nocase",
    "a(",
    "",
    "(" * 2000 + "1" + ")" * 2000,
]


@pytest.mark.parametrize("place", ["compute", "where"])
def test_an_expression_reads_the_row_and_nothing_else(admin: Client, place: str) -> None:
    for expression in ATTACKS:
        reshape: dict[str, Any] = {"where": expression} if place == "where" else {"compute": {"x": expression}}
        answer = admin.post("/projects", {"name": "p", "merge": JOIN | {"result": reshape}})
        assert answer.status == 422, expression
        assert answer.json()["errors"][0]["pointer"].startswith(f"/merge/result/{place}")


@pytest.mark.parametrize(
    "merge",
    [
        JOIN | {"normalizers": {"v": ["trim"]}},
        JOIN | {"normalizers": {"id": ["lower"]}},
        JOIN | {"join": "cross"},
        JOIN | {"primary": "a"},
        JOIN | {"result": {"cast": {"id": "string"}}},
        JOIN | {"result": {"compute": {"id": "1"}}},
        JOIN | {"sources": {"a": {"rename": {"x": "y", "z": "Y"}}}},
        {"strategy": "union", "key": ["a", "a"]},
    ],
    ids=str,
)
def test_what_cannot_be_merged_is_refused(admin: Client, merge: dict[str, Any]) -> None:
    assert admin.post("/projects", {"name": "p", "merge": merge}).status == 422


def test_a_union_by_key_is_explained(admin: Client, documents: Documents) -> None:
    documents |= {"a": [{"id": 1, "v": None}], "b": [{"id": 1, "v": 2, "w": 3}, {"id": 2, "v": 4, "w": 5}]}
    project(admin, documents, {"strategy": "union", "key": ["id"]})
    assert rows(admin, "projects/p") == [
        {"_source": "a", "id": 1, "v": None, "w": None},
        {"_source": "b", "id": 2, "v": 4, "w": 5},
    ]
    told = admin.get("/projects/p/explain?key=1").json()["fields"]
    assert ([one["datasource"] for one in told["v"]["winners"]], told["v"]["rule"]) == (["a"], "record")
    assert [one["value"] for one in told["v"]["losers"]] == [2]
    assert (told["w"]["value"], told["w"]["winners"]) == (None, [])
    assert told["_source"]["value"] == "a"


def put_override(client: Client, field: str, key: str, value: Any) -> int:
    return client.put(f"/projects/p/overrides/{field}?key={key}", {"value": value, "reason": "known better"}).status


def test_overrides(admin: Client, viewer: Client, documents: Documents) -> None:
    documents |= {"a": [{"id": 1, "v": 1, "t": ["x"]}, {"id": 2, "v": 2}], "b": [{"id": 1, "v": 3}]}
    project(admin, documents, JOIN)
    assert put_override(admin, "v", "1", 10) == 201
    assert put_override(admin, "v", "1", 11) == 200
    assert put_override(admin, "t", "2", {"any": None}) == 201
    assert put_override(admin, "v", "9", None) == 201
    assert put_override(viewer, "v", "1", 1) == 403
    assert put_override(admin, "v", "1", "text") == 422
    assert put_override(admin, "id", "1", 1) == 422
    assert put_override(admin, "nothing", "1", 1) == 422
    assert admin.put("/projects/p/overrides/v", {"value": 1, "reason": "x"}).status == 422
    assert admin.put("/projects/p/overrides/v?key=1", {"value": 1}).status == 422
    assert len(admin.get("/projects/p/overrides").json()["items"]) == 3
    run = refresh(admin, "p", ingest="none")
    assert (run["version"], run["warnings"]) == (2, ["the override of 'v' for 9 meets no record"])
    assert rows(admin, "projects/p") == [{"id": 1, "v": 11, "t": ["x"]}, {"id": 2, "v": 2, "t": {"any": None}}]
    told = admin.get("/projects/p/explain?key=1").json()["fields"]["v"]
    assert (told["value"], told["rule"], told["winners"]) == (11, "override", [])
    assert [one["value"] for one in told["losers"]] == [1, 3]
    assert (told["override"]["value"], told["override"]["reason"]) == (11, "known better")
    assert admin.delete("/projects/p/overrides/v?key=1").status == 204
    assert admin.delete("/projects/p/overrides/v?key=1").status == 404
    refresh(admin, "p", ingest="none")
    assert rows(admin, "projects/p")[0]["v"] == 1


def test_an_override_refreshes_a_project_that_follows_changes(admin: Client, documents: Documents) -> None:
    documents |= {"a": [{"id": 1, "v": 1}]}
    project(admin, documents, JOIN, refresh_on="change")
    put_override(admin, "v", "1", 5)
    assert rows(admin, "projects/p") == [{"id": 1, "v": 5}]


def test_a_deleted_projects_overrides_are_gone(admin: Client, documents: Documents) -> None:
    documents |= {"a": [{"id": 1, "v": 1}]}
    project(admin, documents, JOIN)
    put_override(admin, "v", "1", 5)
    admin.delete("/projects/p")
    project(admin, documents, JOIN)
    assert rows(admin, "projects/p") == [{"id": 1, "v": 1}]


@pytest.mark.parametrize("merge", [{"strategy": "union"}, {"strategy": "recursive"}], ids=str)
def test_without_a_key_nothing_is_overridden(admin: Client, documents: Documents, merge: dict[str, Any]) -> None:
    documents |= {"a": [{"id": 1, "v": 1}]}
    project(admin, documents, merge)
    assert put_override(admin, "v", "1", 5) == 409
    assert admin.get("/projects/p/records?key=1").status == 409


def published(admin: Client, documents: Documents, *values: int) -> None:
    """A project with a version for each value of `v`."""
    for value in values:
        documents["a"] = [{"id": 1, "v": value}, {"id": 2 + value, "v": value}]
        project(admin, documents, JOIN)


def test_a_version_is_promoted(admin: Client, viewer: Client, documents: Documents) -> None:
    published(admin, documents, 1, 2)
    assert viewer.post("/projects/p/versions/1/promote").status == 403
    assert admin.post("/projects/p/versions/3/promote").status == 404
    assert admin.post("/projects/p/versions/x/promote").status == 404
    assert admin.post("/projects/p/versions/1/promote").json()["number"] == 1
    assert admin.post("/projects/p/versions/1/promote").status == 200
    assert rows(admin, "projects/p")[0]["v"] == 1
    published(admin, documents, 3)
    assert [one["number"] for one in admin.get("/projects/p/versions").json()["items"]] == [3, 2, 1]
    assert rows(admin, "projects/p")[0]["v"] == 3


def test_what_was_published_then(admin: Client, documents: Documents) -> None:
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


def test_readers_never_see_a_mixture(services: Platform, admin: Client, documents: Documents) -> None:
    """Readers walk through pages while versions are promoted to and fro."""
    for value in (1, 2):
        documents["a"] = [{"id": key, "v": value} for key in range(40)]
        project(admin, documents, JOIN)
    stop, faults = threading.Event(), []

    def promote() -> None:
        number = 1
        while not stop.is_set():
            services.datasets.promote("project/p", number, "test")
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
    assert history.version_as_of("project/p", parse_time(rfc3339(datetime.now(UTC)))).number in (1, 2)


def test_a_diff(admin: Client, documents: Documents) -> None:
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
    assert [one["change"] for one in page["items"]] == ["changed", "added"]
    rest = admin.get(f"/projects/p/diff?from=2&to=1&limit=2&cursor={page['next']}").json()
    assert [(one["key"], one["change"]) for one in rest["items"]] == [([4], "removed")]
    assert admin.get("/projects/p/diff?from=1&to=1").json()["items"] == []
    assert admin.get("/projects/p/diff?from=1&to=9").status == 404
    assert admin.get("/projects/p/diff?to=1").status == 409


def test_a_diff_needs_one_key(admin: Client, documents: Documents) -> None:
    documents["a"] = [{"id": 1, "v": 1}]
    project(admin, documents, JOIN)
    project(admin, documents, {"strategy": "union"})
    assert admin.get("/projects/p/diff").status == 409


def test_documents_have_a_diff_and_are_explained(admin: Client, documents: Documents) -> None:
    documents |= {"a": {"x": {"y": 1, "l": [1]}}, "b": {"x": {"z~/": 2, "l": [1, 3]}}}  # type: ignore[dict-item]
    project(admin, documents, {"strategy": "recursive"})
    documents["b"] = {"x": {"l": [1, 4], "n": None}, "k": True}  # type: ignore[assignment]
    project(admin, documents, {"strategy": "recursive"})
    assert admin.get("/projects/p/diff").json()["items"] == [
        {"pointer": "/k", "change": "added", "value": [None, True]},
        {"pointer": "/x/l/1", "change": "changed", "value": [3, 4]},
        {"pointer": "/x/n", "change": "added", "value": [None, None]},
        {"pointer": "/x/z~0~1", "change": "removed", "value": [2, None]},
    ]
    told = admin.get("/projects/p/explain?pointer=/x/l/0").json()
    assert told["value"] == 1
    assert [(one["datasource"], one["pointer"], one["exact"]) for one in told["winners"]] == [
        ("a", "/x/l/0", True),
        ("b", "/x/l/0", True),
    ]
    assert [one["pointer"] for one in admin.get("/projects/p/explain?pointer=/x/l/1").json()["winners"]] == ["/x/l/1"]
    assert admin.get("/projects/p/explain?pointer=/nothing").status == 404
    assert admin.get("/projects/p/explain?pointer=x").status == 422
    assert admin.get("/projects/p/data?version=1").json()["items"][0]["x"]["z~/"] == 2


def test_a_concatenation_is_explained(admin: Client, documents: Documents) -> None:
    documents |= {"a": {"x": 1}, "b": [5, {"y": 6}]}  # type: ignore[dict-item]
    project(admin, documents, {"strategy": "concatenation"})
    for pointer, value, cited in (("/0/x", 1, "/x"), ("/1/1/y", 6, "/1/y"), ("/1/0", 5, "/0")):
        told = admin.get(f"/projects/p/explain?pointer={pointer}").json()
        assert (told["value"], told["winners"][0]["pointer"], told["winners"][0]["value"]) == (value, cited, value)


def test_a_merge_is_tried(services: Platform, admin: Client, viewer: Client, documents: Documents) -> None:
    published(admin, documents, 1, 2)
    answer = admin.post("/projects/p/merge/preview", {"inputs": {"a": 1}})
    assert answer.status == 200
    assert answer.json()["items"] == [{"id": 1, "v": 1}, {"id": 3, "v": 1}]
    tried = {"strategy": "join", "key": ["id"], "result": {"compute": {"w": "v + 1"}, "where": "id = 1"}}
    told = admin.post("/projects/p/merge/preview", {"merge": tried}).json()
    assert (told["items"], told["rows"], told["completeness"]) == ([{"id": 1, "v": 2, "w": 3}], 1, "complete")
    assert told["schema"][2] == {"name": "w", "type": "bigint", "nullable": True}
    assert admin.post("/projects/p/merge/preview", {"merge": {"strategy": "recursive"}}).json()["rows"] == 1
    assert admin.post("/projects/p/merge/preview", {"inputs": {"a": 9}}).status == 404
    assert admin.post("/projects/p/merge/preview", {"inputs": {"b": 1}}).status == 422
    assert (
        "no column 'k'" in admin.post("/projects/p/merge/preview", {"merge": {"strategy": "join", "key": ["k"]}}).text
    )
    assert viewer.post("/projects/p/merge/preview", {}).status == 403
    assert services.datasets.pointer("project/p").latest == 2, "nothing was published"


def test_a_dry_run_publishes_nothing(
    services: Platform, admin: Client, upstream: Upstream, documents: Documents
) -> None:
    published(admin, documents, 1)
    documents["a"] = [{"id": 9}]
    asked = len(upstream.requests)
    run = refresh(admin, "p", ingest="all", dry_run=True)
    assert (run["status"], run["version"], run["rows"], run["dry_run"]) == ("succeeded", None, 2, True)
    assert len(upstream.requests) == asked
    assert services.datasets.pointer("project/p").latest == 1


def test_the_manifest_says_what_went_in_and_came_out(admin: Client, documents: Documents) -> None:
    published(admin, documents, 1, 2)
    found = [admin.get(f"/projects/p/versions/{number}").json() for number in (1, 2)]
    assert all(one["output_hash"].startswith("sha256:") for one in found)
    assert found[0]["output_hash"] != found[1]["output_hash"]
    assert found[0]["inputs"][0]["hash"] != found[1]["inputs"][0]["hash"]
    published(admin, documents, 1)
    again = admin.get("/projects/p/versions/3").json()
    assert (again["output_hash"], again["fingerprint"]) == (found[0]["output_hash"], found[0]["fingerprint"])


def test_a_csv_drop_in_a_document_merge_is_explained(services: Platform, admin: Client) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file"})
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "concatenation"}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/notes", {})
    drop(services, "notes/a.csv", b"a,b\n1,x\n2,y\n")
    refresh(admin, "p")
    told = admin.get("/projects/p/explain?pointer=/0/1/b").json()
    assert (told["value"], told["winners"][0]["pointer"], told["winners"][0]["exact"]) == ("y", "/1/b", True)


NAMES = ["_AT", "rowid", "row_0", "winner_0", "place", "made", "raw", "change", "old v", "k0", "merged"]


def test_columns_of_any_name_are_merged_and_explained(admin: Client, documents: Documents) -> None:
    sevens, eights, nones = (dict.fromkeys(NAMES, value) for value in (7, 8, None))
    first = [{"id": " é", "v": [1], **sevens}, {"id": "b", "v": [2], **nones}, {"id": "c", "v": None}]
    documents |= {"a": first, "b": [{"id": "é", "v": [3], **eights}, {"id": "b", "v": [4]}]}
    merge = JOIN | {
        "fields": {"v": {"rule": "union"}},
        "normalizers": {"id": ["trim"]},
        "result": {"compute": {"w": "1"}, "where": "id IS NOT NULL"},
    }
    run = project(admin, documents, merge)
    assert run["status"] == "succeeded", run["error"]
    found = {row["id"]: row for row in rows(admin, "projects/p")}
    assert {key: (row["v"], {row[name] for name in NAMES}) for key, row in found.items()} == {
        "é": ([1, 3], {7}),
        "b": ([2, 4], {None}),
        "c": (None, {None}),
    }
    told = admin.get("/projects/p/explain?key=b").json()["fields"]
    assert all(
        (told[name]["value"], [one["datasource"] for one in told[name]["winners"]]) == (None, ["a"]) for name in NAMES
    )
    assert admin.put("/projects/p/overrides/v?key=b", {"value": [5], "reason": "x"}).status == 201
    assert refresh(admin, "p", ingest="none")["status"] == "succeeded"
    found = {row["id"]: row for row in rows(admin, "projects/p")}
    assert found["b"]["v"] == [5]
    assert {found["é"][name] for name in NAMES} == {7}
    assert admin.get("/projects/p/diff").json()["items"] == [
        {"key": ["b"], "change": "changed", "fields": {"v": [[2, 4], [5]]}}
    ]


@pytest.mark.parametrize("name", ["change", "old v", "rowid", "made"])
def test_keys_of_any_name(admin: Client, documents: Documents, name: str) -> None:
    for value in (1, 2):
        documents["a"] = [{name: "x", "v": value}]
        project(admin, documents, {"strategy": "join", "key": [name]})
    assert admin.get("/projects/p/diff").json()["items"] == [
        {"key": ["x"], "change": "changed", "fields": {"v": [1, 2]}}
    ]
    assert admin.get("/projects/p/records?key=x").json() == {name: "x", "v": 2}


def test_lists_lose_no_digits(admin: Client, documents: Documents) -> None:
    record = {"id": 1, "d": "12345678901234567.89", "t": "2026-02-01T01:00:00.500Z", "day": "2026-02-01"}
    documents |= {"a": [record]}
    types = {"d": "decimal(38,2)", "t": "timestamp", "day": "date"}
    admin.put("/datasources/a", http_source("a", types=types))
    admin.put("/projects/p", {"name": "p", "merge": JOIN | {"default_rule": "all"}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/a", {})
    refresh(admin, "p")
    assert rows(admin, "projects/p") == [
        {"id": 1, "d": ["12345678901234567.89"], "t": ["2026-02-01T01:00:00.5Z"], "day": ["2026-02-01"]}
    ]


def test_true_is_not_one(admin: Client, documents: Documents) -> None:
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


def test_a_diff_knows_a_renamed_column_by_its_letters(admin: Client, documents: Documents) -> None:
    documents |= {"a": [{"id": 1, "n": 10}]}
    project(admin, documents, JOIN | {"result": {"rename": {"n": "N"}}})
    project(admin, documents, JOIN)
    assert admin.get("/projects/p/diff").json()["items"] == []


def test_overrides_go_by_the_names_of_the_published_data(admin: Client, documents: Documents) -> None:
    documents |= {"a": [{"id": 1, "n": 1, "p": 2}]}
    project(admin, documents, JOIN | {"result": {"rename": {"n": "p", "p": "n"}, "compute": {"c": "n + 1"}}})
    assert put_override(admin, "n", "1", 9) == 201
    assert put_override(admin, "c", "1", 9) == 422
    refresh(admin, "p", ingest="none")
    assert rows(admin, "projects/p") == [{"id": 1, "p": 1, "n": 9, "c": 10}]
    told = admin.get("/projects/p/explain?key=1").json()["fields"]["n"]
    assert (told["rule"], told["override"]["value"]) == ("override", 9)


def test_overrides_are_resources(admin: Client, documents: Documents) -> None:
    documents |= {"a": [{"id": "a b", "v": 1}, {"id": "b", "v": 1}]}
    project(admin, documents, JOIN)
    made = admin.put("/projects/p/overrides/v?key=a%20b", {"value": 2, "reason": "x"})
    assert made.headers["Location"].endswith("/projects/p/overrides/v?key=a%20b")
    body = {"value": 3, "reason": "x"}
    assert admin.put("/projects/p/overrides/v?key=a%20b", body, If_Match='"nope"').status == 412
    assert admin.put("/projects/p/overrides/v?key=a%20b", body, If_Match=made.headers["ETag"]).status == 200
    assert admin.delete("/projects/p/overrides/v?key=a%20b", If_Match=made.headers["ETag"]).status == 412
    put_override(admin, "v", "b", 5)
    page = admin.get("/projects/p/overrides?limit=1").json()
    rest = admin.get(f"/projects/p/overrides?limit=1&cursor={page['next']}").json()
    assert [one["key"] for one in page["items"] + rest["items"]] == [["a b"], ["b"]]
    assert rest["next"] is None


@pytest.mark.parametrize(
    "merge", [JOIN | {"sources": {"nope": {"where": "v = 1"}}}, JOIN | {"join": "left", "primary": "nope"}]
)
def test_a_datasource_that_is_not_the_projects_is_named(
    admin: Client, documents: Documents, merge: dict[str, Any]
) -> None:
    documents |= {"a": [{"id": 1, "v": 1}]}
    assert "'nope', which is no datasource of the project" in project(admin, documents, merge)["error"]["detail"]
    assert admin.post("/projects/p/merge/preview", {"merge": merge}).status == 422


def test_a_key_of_json_is_found(admin: Client, documents: Documents) -> None:
    documents |= {"a": [{"id": 1, "v": 1}, {"id": "x", "v": 2}, {"id": "1", "v": 4}]}
    project(admin, documents, JOIN)
    for key, value in (("1", 1), ("x", 2), ('"1"', 4)):
        answer = admin.get(f"/projects/p/records?key={key}")
        assert answer.json().get("v") == value, answer.text


@pytest.mark.parametrize(
    "expression", ["repeat('x', 2000000000)", "lpad(v, 2000000000, 'y')", "printf('%2000000000d', 1)"]
)
def test_expressions_cannot_fill_the_memory(admin: Client, expression: str) -> None:
    merge = JOIN | {"result": {"compute": {"x": expression}}}
    assert admin.post("/projects", {"name": "p", "merge": merge}).status == 422


@pytest.mark.parametrize("function", ["epoch(t)", "make_date(1, 2, 3)", "json_type(j)", "isnan(x)", "lpad(v, 5, '0')"])
def test_expressions_may_use_plain_functions(admin: Client, function: str) -> None:
    merge = JOIN | {"result": {"compute": {"x": function}}}
    assert admin.post("/projects", {"name": "p", "merge": merge}).status == 201


def test_times_at_the_edge_of_the_calendar(admin: Client, documents: Documents) -> None:
    documents |= {"a": [{"id": 1}]}
    project(admin, documents, JOIN)
    assert admin.get("/projects/p/data?as_of=0001-01-01T00:00:00%2B14:00").status == 422


@pytest.mark.parametrize(
    ("merge", "pointer"), [(JOIN | {"join": "outer"}, "/merge/join"), (JOIN | {"primary": "a"}, "/merge")]
)
def test_pointers_do_not_name_the_strategy(admin: Client, merge: dict[str, Any], pointer: str) -> None:
    answer = admin.post("/projects", {"name": "p", "merge": merge}).json()
    assert [one["pointer"] for one in answer["errors"]] == [pointer]


def test_a_large_preview_is_an_address(admin: Client, documents: Documents) -> None:
    documents |= {"a": [{"id": 1, "v": "x" * 5_000_000}]}
    project(admin, documents, JOIN)
    assert admin.post("/projects/p/merge/preview", {}).status == 303


def test_documents_of_added_up_rows_are_explained(services: Platform, admin: Client) -> None:
    admin.post("/datasources", {"name": "log", "kind": "file", "write_disposition": "append"})
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "concatenation"}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/log", {})
    drop(services, "log/a.json", b'[{"a": 1}]')
    drop(services, "log/b.json", b'[{"a": 2}, {"a": {"b": [3]}}]')
    refresh(admin, "p")
    for pointer, value, cited in (("/0/1/a", 2, "/0/a"), ("/0/1", None, "/0")):
        told = admin.get(f"/projects/p/explain?pointer={pointer}").json()["winners"][0]
        assert told["pointer"] == cited
        assert value is None or told["value"] == value
