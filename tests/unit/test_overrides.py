"""Values that people put in the place of merged ones."""

from typing import Any

import pytest

from support.client import Client
from support.documents import JOIN, Documents, project, refresh, rows


def put_override(client: Client, field: str, key: str, value: Any) -> int:
    return client.put(f"/projects/p/overrides/{field}?key={key}", {"value": value, "reason": "known better"}).status


def test_overrides_replace_values_of_the_next_merge(admin: Client, viewer: Client, documents: Documents) -> None:
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
    assert (run["version"], run["warnings"]) == (2, ["the override of 'v' for 9 matches no record"])
    assert rows(admin, "projects/p") == [{"id": 1, "v": 11, "t": ["x"]}, {"id": 2, "v": 2, "t": {"any": None}}]
    explanation = admin.get("/projects/p/explain?key=1").json()["fields"]["v"]
    assert (explanation["value"], explanation["rule"], explanation["winners"]) == (11, "override", [])
    assert [loser["value"] for loser in explanation["losers"]] == [1, 3]
    assert (explanation["override"]["value"], explanation["override"]["reason"]) == (11, "known better")
    assert admin.delete("/projects/p/overrides/v?key=1").status == 204
    assert admin.delete("/projects/p/overrides/v?key=1").status == 404
    refresh(admin, "p", ingest="none")
    assert rows(admin, "projects/p")[0]["v"] == 1


def test_override_refreshes_a_project_that_follows_changes(admin: Client, documents: Documents) -> None:
    documents |= {"a": [{"id": 1, "v": 1}]}
    project(admin, documents, JOIN, refresh_on="change")
    put_override(admin, "v", "1", 5)
    assert rows(admin, "projects/p") == [{"id": 1, "v": 5}]


def test_overrides_are_deleted_with_their_project(admin: Client, documents: Documents) -> None:
    documents |= {"a": [{"id": 1, "v": 1}]}
    project(admin, documents, JOIN)
    put_override(admin, "v", "1", 5)
    admin.delete("/projects/p")
    project(admin, documents, JOIN)
    assert rows(admin, "projects/p") == [{"id": 1, "v": 1}]


@pytest.mark.parametrize("merge", [{"strategy": "union"}, {"strategy": "recursive"}], ids=str)
def test_overrides_need_a_key(admin: Client, documents: Documents, merge: dict[str, Any]) -> None:
    documents |= {"a": [{"id": 1, "v": 1}]}
    project(admin, documents, merge)
    assert put_override(admin, "v", "1", 5) == 409
    assert admin.get("/projects/p/records?key=1").status == 409


def test_overrides_use_the_names_of_the_published_data(admin: Client, documents: Documents) -> None:
    documents |= {"a": [{"id": 1, "n": 1, "p": 2}]}
    project(admin, documents, JOIN | {"result": {"rename": {"n": "p", "p": "n"}, "compute": {"c": "n + 1"}}})
    assert put_override(admin, "n", "1", 9) == 201
    assert put_override(admin, "c", "1", 9) == 422
    refresh(admin, "p", ingest="none")
    assert rows(admin, "projects/p") == [{"id": 1, "p": 1, "n": 9, "c": 10}]
    explanation = admin.get("/projects/p/explain?key=1").json()["fields"]["n"]
    assert (explanation["rule"], explanation["override"]["value"]) == ("override", 9)


def test_overrides_have_locations_and_etags(admin: Client, documents: Documents) -> None:
    documents |= {"a": [{"id": "a b", "v": 1}, {"id": "b", "v": 1}]}
    project(admin, documents, JOIN)
    response = admin.put("/projects/p/overrides/v?key=a%20b", {"value": 2, "reason": "x"})
    assert response.headers["Location"].endswith("/projects/p/overrides/v?key=a%20b")
    body = {"value": 3, "reason": "x"}
    assert admin.put("/projects/p/overrides/v?key=a%20b", body, If_Match='"nope"').status == 412
    assert admin.put("/projects/p/overrides/v?key=a%20b", body, If_Match=response.headers["ETag"]).status == 200
    assert admin.delete("/projects/p/overrides/v?key=a%20b", If_Match=response.headers["ETag"]).status == 412
    put_override(admin, "v", "b", 5)
    page = admin.get("/projects/p/overrides?limit=1").json()
    rest = admin.get(f"/projects/p/overrides?limit=1&cursor={page['next']}").json()
    assert [item["key"] for item in page["items"] + rest["items"]] == [["a b"], ["b"]]
    assert rest["next"] is None


DIGITS = "12345678901234567890.123456789012345678"
LONG = "123456789012345678901234567890"


@pytest.mark.parametrize(
    ("kind", "value", "shown", "read"),
    [
        ("decimal(38,18)", DIGITS, DIGITS, DIGITS),
        ("decimal(38,18)", f'"{DIGITS}"', DIGITS, DIGITS),
        ("decimal(38,0)", LONG, LONG, LONG),
        ("bigint", "9223372036854775807", 9223372036854775807, 9223372036854775807),
        ("string", DIGITS, DIGITS, DIGITS),
        ("json", f'{{"a":[{LONG},1.5]}}', {"a": [LONG, 1.5]}, {"a": [int(LONG), 1.5]}),
        ("double", "0.1", 0.1, 0.1),
    ],
)
def test_override_keeps_every_digit(
    admin: Client, documents: Documents, kind: str, value: str, shown: Any, read: Any
) -> None:
    documents |= {"a": [{"id": 1, "v": None}]}
    project(admin, documents, JOIN)
    admin.patch("/datasources/a", {"types": {"v": kind}})
    refresh(admin, "p", ingest="all")
    body = f'{{"value": {value}, "reason": "x"}}'
    answer = admin.put("/projects/p/overrides/v?key=1", body)
    assert (answer.status, answer.json()["value"]) == (201, shown), answer.text
    assert admin.put("/projects/p/overrides/v?key=1", body).status == 200
    assert refresh(admin, "p", ingest="none")["warnings"] == []
    assert rows(admin, "projects/p") == [{"id": 1, "v": read}]
    explanation = admin.get("/projects/p/explain?key=1").json()["fields"]["v"]
    assert (explanation["value"], explanation["override"]["value"]) == (read, shown)
    assert admin.get("/projects/p/records?key=1").json()["v"] == read
    exact = admin.get("/projects/p/overrides").json()["items"][0]["exact"]
    assert exact == (None if (shown == read and not isinstance(shown, str)) or value[0] == '"' else value)


def test_number_with_too_many_digits_is_refused(admin: Client, documents: Documents) -> None:
    documents |= {"a": [{"id": 1, "v": 1}]}
    project(admin, documents, JOIN)
    answer = admin.put("/projects/p/overrides/v?key=1", f'{{"value": {"9" * 5000}, "reason": "x"}}')
    assert (answer.status, "number" in answer.json()["detail"]) == (400, True)
