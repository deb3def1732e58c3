"""Tests share one moto, with shortcuts past HTTP and past its slow parts: none may show."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError
from moto.dynamodb.models import dynamodb_backends

from sluice.container import Container
from support import moto_dynamodb, moto_s3, moto_speed
from support.moto_aws import empty

KEY: dict[str, Any] = {"workspace": {"S": "main"}, "run_id": {"S": "1"}}
ITEM = {**KEY, "n": {"N": "1.50"}, "list": {"L": [{"NULL": True}, {"BOOL": True}]}, "map": {"M": {"ä": {"S": ""}}}}
REFUSED = {"ConditionExpression": "attribute_not_exists(run_id)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
UPDATE = {
    "UpdateExpression": "SET #n = :n, #s = if_not_exists(#s, :n), #list = list_append(#list, :x) REMOVE #map ADD #a :n",
    "ExpressionAttributeNames": {f"#{name}": name for name in ("n", "s", "list", "map", "a")},
    "ExpressionAttributeValues": {":n": {"N": "2"}, ":x": {"L": [{"S": "x"}]}},
}
QUERY = {
    "KeyConditionExpression": "workspace = :w",
    "ExpressionAttributeValues": {":w": {"S": "main"}},
    "ScanIndexForward": False,
    "Limit": 1,
}
TABLE: dict[str, Any] = {"TableName": "RunsTable"}
OTHER = {**KEY, "run_id": {"S": "2"}}


def strip(call: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """The part of an update that a transaction takes."""
    return {name: value for name, value in call[1].items() if name not in ("TableName", "ReturnValues")}


def transaction(*writes: dict[str, Any]) -> dict[str, Any]:
    return {"TransactItems": [{verb: {**TABLE, **one} for verb, one in write.items()} for write in writes]}


CALLS: list[tuple[str, dict[str, Any]]] = [
    ("get_item", {**TABLE, "Key": KEY}),
    ("put_item", {**TABLE, "Item": ITEM}),
    ("put_item", {**TABLE, "Item": ITEM, **REFUSED}),
    ("batch_write_item", {"RequestItems": {"RunsTable": [{"PutRequest": {"Item": {**OTHER, "b": {"B": b"\xff\0"}}}}]}}),
    ("get_item", {**TABLE, "Key": OTHER}),
    ("delete_item", {**TABLE, "Key": OTHER}),
    ("get_item", {**TABLE, "Key": KEY, "ConsistentRead": True}),
    ("update_item", {**TABLE, "Key": KEY, **UPDATE, "ReturnValues": "ALL_NEW"}),
    ("update_item", {**TABLE, "Key": OTHER, "UpdateExpression": "SET nothing"}),
    ("update_item", {**TABLE, "Key": {"unknown": {"S": "x"}}, **UPDATE}),
    ("transact_write_items", transaction({"Put": {"Item": OTHER}}, {"Put": {"Item": ITEM, **REFUSED}})),
    ("scan", TABLE),
    ("transact_write_items", transaction({"Put": {"Item": OTHER}}, {"Delete": {"Key": KEY}})),
    ("transact_get_items", transaction({"Get": {"Key": KEY}}, {"Get": {"Key": OTHER}})),
    ("put_item", {**TABLE, "Item": ITEM, "ReturnConsumedCapacity": "TOTAL"}),
    ("query", {**TABLE, **QUERY}),
    ("query", {**TABLE, **QUERY, "ExclusiveStartKey": OTHER}),
    ("batch_get_item", {"RequestItems": {"RunsTable": {"Keys": [KEY, OTHER]}}}),
    ("delete_item", {**TABLE, "Key": OTHER, "ConditionExpression": "attribute_not_exists(run_id)"}),
    ("delete_item", {**TABLE, "Key": OTHER, "ReturnValues": "ALL_OLD"}),
    ("scan", {"TableName": "Unknown"}),
]


def update(expression: str, key: dict[str, Any] = KEY, **more: Any) -> tuple[str, dict[str, Any]]:
    """An update with the names and values that its expression has."""
    text = expression + more.get("ConditionExpression", "")
    names = {f"#{name}": name for name in re.findall(r"#(\w+)", text)}
    used = {name: value for name, value in VALUES.items() if name in text}
    attributes = ("ExpressionAttributeNames", names), ("ExpressionAttributeValues", used)
    given = {name: value for name, value in attributes if value}
    return "update_item", {
        **TABLE,
        "Key": key,
        "UpdateExpression": expression,
        "ReturnValues": "ALL_NEW",
        **given,
        **more,
    }


VALUES: dict[str, Any] = {
    ":n": {"N": "2"},
    ":text": {"S": ""},
    ":set": {"SS": ["a", "b"]},
    ":list": {"L": [{"M": {"x": {"N": "1"}}}]},
    ":long": {"S": "x" * 410_000},
}
EVERY_TYPE: dict[str, Any] = {
    "numbers": {"NS": ["1", "2.5"]},
    "deep": {"L": [{"M": {"s": {"SS": ["ä"]}, "l": {"L": [{"L": []}, {"N": "-1.50"}]}}}]},
    "nothing": {"NULL": True},
    "false": {"BOOL": False},
}
# Just below the limit of moto, counted in bytes, and at it.
LARGE: dict[str, Any] = {"text": {"S": "ä" * 202_000}, "numbers": {"M": {"n": {"L": [{"N": "1"}] * 900}}}}
CALLS += [
    ("put_item", {**TABLE, "Item": {**OTHER, **EVERY_TYPE}, "ReturnValues": "ALL_OLD"}),
    ("put_item", {**TABLE, "Item": {**OTHER, **EVERY_TYPE}, "ReturnValues": "ALL_OLD"}),
    update("SET #copy = #deep, #deep[0].#l = :n", OTHER),
    (
        "transact_write_items",
        transaction({"Put": {"Item": {**OTHER, "n": {"N": "1"}}}}, {"Put": {"Item": ITEM, **REFUSED}}),
    ),
    *(("put_item", {**TABLE, "Item": {**OTHER, **LARGE, "more": {"S": "x" * length}}}) for length in range(0, 120, 5)),
    update("SET #more = :text", OTHER),
    ("scan", TABLE),
    ("delete_item", {**TABLE, "Key": OTHER}),
    ("put_item", {**TABLE, "Item": ITEM}),
    update("SET #n = #n + :n, #map.#b = :text, #list[0] = :n"),
    update("SET #n = #n - :n, #list = list_append(#list, :list) REMOVE #map.#b ADD #tags :set"),
    update("DELETE #tags :set"),
    update("REMOVE #list[1], #list[0]"),
    update("SET #c = if_not_exists(#c, :n), #d = :text", OTHER),
    update("SET #n = :n", ConditionExpression="attribute_exists(#n) AND (#n > :n OR NOT begins_with(#d, :text))"),
    *(
        update(refused)
        for refused in (
            "SET #n = :n, #n = :text",
            "SET #map.#b = :n, #map = :text",
            "SET #n = :n SET #d = :text",
            "SET run_id = :text",
            "SET name = :text",
            "SET #n = :unknown",
            "SET #n = #missing",
            "SET #missing.#b = :n",
            "SET #n = #d + :n",
            "SET #long = :long",
            "ADD #d :n",
            "SET #n == :n",
        )
    ),
    (
        "transact_write_items",
        transaction({"Update": strip(update("SET #n = #n + :n"))}, {"Put": {"Item": OTHER, **REFUSED}}),
    ),
    (
        "transact_write_items",
        transaction({"Delete": {"Key": KEY}}, {"Update": strip(update("SET #n = #missing", OTHER))}),
    ),
    ("transact_write_items", transaction({"Delete": {"Key": KEY}}, {"Delete": {"Key": KEY}})),
    ("transact_write_items", transaction({"Update": strip(update("SET #n = #n + :n"))}, {"Delete": {"Key": OTHER}})),
    ("scan", TABLE),
]
OBJECTS: list[tuple[str, dict[str, Any]]] = [
    ("put_object", {"Key": "a/b c+ä", "Body": b"x"}),
    ("put_object", {"Key": "typed", "Body": b"{}", "ContentType": "application/json"}),
    ("put_object", {"Key": "new", "Body": b"", "IfNoneMatch": "*"}),
    ("put_object", {"Key": "new", "Body": b"other", "IfNoneMatch": "*"}),
    ("put_object", {"Key": "described", "Body": b"x", "Metadata": {"a": "b"}}),
    *(
        (verb, {"Key": key})
        for verb in ("get_object", "head_object")
        for key in ("a/b c+ä", "typed", "new", "described", "none")
    ),
    ("get_object", {"Key": "typed", "Range": "bytes=1-1"}),
    ("delete_object", {"Key": "typed"}),
    ("get_object", {"Key": "typed"}),
    ("list_objects_v2", {}),
]
# What differs from call to call, and the checksums that only HTTP carries.
VOLATILE = {"ResponseMetadata", "LastModified", "VersionId", "ChecksumCRC32", "ChecksumType", "ChecksumAlgorithm"}


def answers() -> list[Any]:
    """What each call returns or raises, without what only the way there adds, and what the stream has."""
    found: list[Any] = []
    dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
    calls: list[tuple[Any, str, dict[str, Any]]] = [(dynamodb, name, arguments) for name, arguments in CALLS]
    calls += [(s3, name, {"Bucket": bucket, **one}) for bucket in ("lake", "inbox", "none") for name, one in OBJECTS]
    for client, name, arguments in calls:
        try:
            answer = getattr(client, name)(**arguments)
        except ClientError as error:
            answer = {**error.response, "raised": type(error).__name__}
        status = answer["ResponseMetadata"]["HTTPStatusCode"]
        if "Body" in answer:
            answer["Body"] = answer["Body"].read()
        if "Contents" in answer:
            answer["Contents"] = [(stored["Key"], stored["Size"], stored["ETag"]) for stored in answer["Contents"]]
        shown = {key: value for key, value in answer.items() if value != [] and key not in VOLATILE}
        found.append((name, arguments, status, shown, "VersionId" in answer))
    return found


def changes() -> list[Any]:
    """What the stream of a table has, after transactions that it took and refused."""
    key = {"workspace": {"S": "main"}, "dataset": {"S": "a"}}
    put = {"Put": {"TableName": "DatasetsTable", "Item": key}}
    change = {**strip(update("SET #n = :n")), "TableName": "DatasetsTable", "Key": key}
    refused = {"ConditionCheck": {**TABLE, "Key": KEY, "ConditionExpression": "attribute_exists(nothing)"}}
    client: Any = boto3.client("dynamodb")
    for writes in ([put], [{"Update": change}, refused], [put, refused], [{"Update": change}]):
        with suppress(ClientError):
            client.transact_write_items(TransactItems=writes)
    shard = dynamodb_backends[moto_dynamodb.ACCOUNT]["us-east-1"].tables["DatasetsTable"].stream_shard
    assert shard is not None
    records = [item.to_json() for item in shard.items]
    return [(one["eventName"], one["dynamodb"]["SequenceNumber"], one["dynamodb"].get("NewImage")) for one in records]


def test_shortcuts_answer_as_moto_does(services: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    direct = [*answers(), *changes()]
    assert {name.title().replace("_", "") for name, _ in CALLS} == moto_dynamodb.DIRECT
    assert moto_s3.DIRECT.keys() < {name.title().replace("_", "") for name, _ in OBJECTS}
    monkeypatch.setattr(moto_dynamodb, "DIRECT", frozenset())
    monkeypatch.setattr(moto_s3, "DIRECT", {})
    empty()
    for ours, over_http in zip(direct, [*answers(), *changes()], strict=True):
        assert ours == over_http
    with moto_speed.plain():
        empty()
        for ours, plain in zip(direct, [*answers(), *changes()], strict=True):
            assert ours == plain


@pytest.mark.parametrize("time", ["first", "second"])
def test_every_test_finds_an_empty_account(services: Container, time: str) -> None:
    for table in boto3.client("dynamodb").list_tables()["TableNames"]:
        assert boto3.client("dynamodb").scan(TableName=table)["Items"] == [], time
    for bucket in ("lake", "inbox"):
        assert "Contents" not in boto3.client("s3").list_objects_v2(Bucket=bucket)
    assert boto3.client("scheduler").list_schedules()["Schedules"] == []
    assert boto3.client("ssm").describe_parameters()["Parameters"] == []
    services.s3.put_object(Bucket="lake", Key="left", Body=b"x")
    services.secrets.put("left", "x")
    boto3.client("dynamodb").put_item(**TABLE, Item=ITEM)


def test_what_a_call_returned_is_no_part_of_what_is_stored(services: Container) -> None:
    client = boto3.client("dynamodb")
    client.put_item(**TABLE, Item=ITEM)
    client.get_item(**TABLE, Key=KEY)["Item"]["map"]["M"]["ä"]["S"] = "changed"
    assert client.get_item(**TABLE, Key=KEY)["Item"] == ITEM


def test_without_the_fixture_aws_is_out_of_reach(environment: dict[str, str]) -> None:
    with pytest.raises(HTTPClientError, match=r"socket"):
        boto3.client("dynamodb", config=Config(retries={"total_max_attempts": 1})).list_tables()
