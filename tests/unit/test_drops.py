"""Files dropped into the inbox."""

import json
from typing import Any

import boto3
import pytest

from sluice.container import Container
from sluice.domain.run import Drop
from sluice.runs.drops import receive_drop
from support.client import Client
from support.documents import drop, inbox_keys, rows


@pytest.fixture
def notes(admin: Client) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file"})


@pytest.mark.usefixtures("notes")
@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("a.csv", b"\xef\xbb\xbfk,v\r\n007,1\r\n\r\n8,\r\n", [{"k": "007", "v": 1}, {"k": "8", "v": None}]),
        ("a.csv", b'k,v\n"a ""b"", c","x\ny"\n', [{"k": 'a "b", c', "v": "x\ny"}]),
        ("a.csv", b"day,at,ok,x\n2026-01-02,2026-01-02T03:04:05Z,true,1e3\n", None),
        ("a.json", b'{"k": 1}', [{"k": 1}]),
        ("no-ending", b'[{"k": "\xc3\xa9"}]', [{"k": "é"}]),
        ("no-ending", b"k\n1\n", [{"k": 1}]),
        ("header only.csv", b"k,v\n", []),
    ],
)
def test_csv_and_json_are_read(
    services: Container, admin: Client, name: str, body: bytes, expected: list[dict[str, Any]] | None
) -> None:
    run = drop(services, f"notes/{name}", body)
    assert run is not None
    assert (run["status"], run["completeness"], run["trigger"]) == ("succeeded", "complete", "drop"), run["error"]
    typed = [{"day": "2026-01-02", "at": "2026-01-02T03:04:05Z", "ok": True, "x": 1000.0}]
    assert rows(admin, "datasources/notes") == (typed if expected is None else expected)
    assert inbox_keys() == [f"notes/{name}"], "nothing is deleted"
    assert admin.get(f"/runs/{run['id']}/pages/1/content").text.encode() == body


@pytest.mark.usefixtures("notes")
@pytest.mark.parametrize(
    ("name", "body", "code", "says"),
    [
        ("ragged.csv", b"a,b\n1,2\n1,2,3\n", "unreadable-data", "Line 3 has 3 fields, but the header has 2"),
        ("short.csv", b"a,b\n1\n", "unreadable-data", "Line 2 has 1 fields"),
        ("open.csv", b'a,b\n1,"x\n', "unreadable-data", "not CSV"),
        ("twice.csv", b"a,a\n1,2\n", "unreadable-data", "twice"),
        ("empty.csv", b"", "empty-data", "empty"),
        ("blank.csv", b"\n\n", "empty-data", "empty"),
        ("cut.json", b'[{"a": 1}, {"b"', "unreadable-data", "truncated"),
        ("page.json", b"<html></html>", "unreadable-data", "HTML"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
def test_unreadable_file_is_moved_with_its_reason(
    services: Container, admin: Client, name: str, body: bytes, code: str, says: str
) -> None:
    drop(services, "notes/good.csv", b"a\n1\n")
    run = drop(services, f"notes/{name}", body)
    assert run is not None
    assert run["error"]["type"] == f"urn:sluice:problem:{code}"
    assert says in run["error"]["detail"]
    assert inbox_keys() == [f"_failed/notes/{name}", f"_failed/notes/{name}.reason.json", "notes/good.csv"]
    s3 = boto3.client("s3")
    assert s3.get_object(Bucket="inbox", Key=f"_failed/notes/{name}")["Body"].read() == body
    reason = json.load(s3.get_object(Bucket="inbox", Key=f"_failed/notes/{name}.reason.json")["Body"])
    assert (says in reason["reason"], reason["run"]) == (True, run["id"])
    assert rows(admin, "datasources/notes") == [{"a": 1}]


@pytest.mark.usefixtures("notes")
@pytest.mark.parametrize(
    ("key", "moved"),
    [
        ("unknown/a.csv", "_unknown/unknown/a.csv"),
        ("a.csv", "_unknown/a.csv"),
        ("notes/../other/a.csv", "_unknown/notes/%2E%2E/other/a.csv"),
        ("../../etc/passwd", "_unknown/%2E%2E/%2E%2E/etc/passwd"),
        ("No Slug/é ü+%.csv", "_unknown/No Slug/é ü+%.csv"),
    ],
)
def test_file_without_a_datasource_is_moved(services: Container, key: str, moved: str) -> None:
    assert drop(services, key, b"a\n1\n") is None
    assert inbox_keys() == sorted([moved, f"{moved}.reason.json"])


@pytest.mark.usefixtures("notes")
def test_file_of_two_gigabytes_is_refused_before_it_is_read(services: Container, admin: Client) -> None:
    stored = boto3.client("s3").put_object(Bucket="inbox", Key="notes/big.csv", Body=b"a\n1\n")
    dropped = Drop(bucket="inbox", key="notes/big.csv", size=2 << 30, etag=stored["ETag"].strip('"'))
    run = receive_drop(services, dropped)
    assert run is not None
    ended = services.runs.get(run.id)
    assert ended.error is not None
    assert ended.error["type"] == "urn:sluice:problem:data-too-large"
    assert "MAX_DROP_BYTES" in ended.error["detail"]
    assert services.pages.of_run(run.id) == []
    assert "_failed/notes/big.csv" in inbox_keys()


@pytest.mark.usefixtures("notes")
def test_same_file_twice_is_one_version(services: Container, admin: Client) -> None:
    first = drop(services, "notes/a.csv", b"a\n1\n")
    again = drop(services, "notes/b.csv", b"a\n1\n")
    other = drop(services, "notes/c.csv", b"a\n2\n")
    assert [run["version"] for run in (first, again, other) if run] == [1, 1, 2]
    assert [version["number"] for version in admin.get("/datasources/notes/versions").json()["items"]] == [2, 1]


@pytest.mark.usefixtures("notes")
def test_drop_announced_twice_starts_one_run(services: Container, admin: Client) -> None:
    stored = boto3.client("s3").put_object(Bucket="inbox", Key="notes/a.csv", Body=b"a\n1\n")
    dropped = Drop(
        bucket="inbox", key="notes/a.csv", size=4, etag=stored["ETag"].strip('"'), version_id=stored["VersionId"]
    )
    assert receive_drop(services, dropped) is not None
    assert receive_drop(services, dropped) is None
    assert len(admin.get("/runs").json()["items"]) == 1


@pytest.mark.usefixtures("notes")
def test_file_dropped_over_another_one_loses_neither(services: Container, admin: Client) -> None:
    s3 = boto3.client("s3")
    drops = []
    for body in (b"a\n1\n", b"a\n2\n"):
        stored = s3.put_object(Bucket="inbox", Key="notes/a.csv", Body=body)
        drops.append(
            Drop(
                bucket="inbox",
                key="notes/a.csv",
                size=4,
                etag=stored["ETag"].strip('"'),
                version_id=stored["VersionId"],
            )
        )
    for dropped in drops:
        receive_drop(services, dropped)
    versions = [admin.get(f"/datasources/notes/data?version={number}").json()["items"] for number in (1, 2)]
    assert versions == [[{"a": 1}], [{"a": 2}]]


@pytest.mark.usefixtures("notes")
def test_run_of_a_file_datasource_cannot_be_requested(admin: Client) -> None:
    answer = admin.post("/datasources/notes/runs")
    assert (answer.status, "drop a file" in answer.json()["detail"]) == (409, True)


@pytest.mark.usefixtures("notes")
def test_later_of_two_files_under_one_key_is_published_in_any_order_of_events(
    services: Container, admin: Client
) -> None:
    s3 = boto3.client("s3")
    drops = []
    for number, sequencer in ((1, "0055AED6DC"), (2, "0055AED6DCD9")):
        stored = s3.put_object(Bucket="inbox", Key="notes/a.csv", Body=f"a\n{number}\n".encode())
        etag = stored["ETag"].strip('"')
        drops.append(
            Drop(
                bucket="inbox",
                key="notes/a.csv",
                size=4,
                etag=etag,
                version_id=stored["VersionId"],
                sequencer=sequencer,
            )
        )
    for dropped in reversed(drops):
        receive_drop(services, dropped)
    assert rows(admin, "datasources/notes") == [{"a": 2}]
    late = admin.get("/runs?datasource=notes").json()["items"][0]
    assert (late["status"], late["version"]) == ("succeeded", 2)
    assert "a newer file was dropped under the same key" in late["warnings"][-1]
