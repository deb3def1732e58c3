"""Tests share one moto, and DynamoDB without HTTP: neither may show."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError

from sluice.container import Container
from support import moto_dynamodb
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


def transaction(*writes: dict[str, Any]) -> dict[str, Any]:
    return {"TransactItems": [{verb: {**TABLE, **one} for verb, one in write.items()} for write in writes]}


CALLS: list[tuple[str, dict[str, Any]]] = [
    ("get_item", {**TABLE, "Key": KEY}),
    ("put_item", {**TABLE, "Item": ITEM}),
    ("put_item", {**TABLE, "Item": ITEM, **REFUSED}),
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


def answers() -> list[Any]:
    """What each call returns or raises, without what only the way there adds."""
    found: list[Any] = []
    client = boto3.client("dynamodb")
    for name, arguments in CALLS:
        try:
            answer = getattr(client, name)(**arguments)
        except ClientError as error:
            answer = {**error.response, "raised": type(error).__name__}
        status = answer.pop("ResponseMetadata")["HTTPStatusCode"]
        found.append((name, status, {key: value for key, value in answer.items() if value != []}))
    return found


def test_calls_without_http_answer_as_over_http(services: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    direct = answers()
    assert {status for _, status, _ in direct} == {200, 400}
    assert {name.title().replace("_", "") for name, _ in CALLS} == moto_dynamodb.DIRECT
    monkeypatch.setattr(moto_dynamodb, "DIRECT", frozenset())
    empty()
    for ours, over_http in zip(direct, answers(), strict=True):
        assert ours == over_http


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
