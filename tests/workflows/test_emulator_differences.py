"""Where the emulator differs from AWS: one test for each line of docs/emulators.md.

A test that fails here tells that a new release has changed: then the page and what we do about
the difference want another look.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from support.bare import Bare
from support.template import ROOT


def test_every_difference_on_the_page_names_a_test_that_exists() -> None:
    page = (ROOT / "docs/emulators.md").read_text()
    named = {word.strip("`,") for line in page.splitlines() for word in line.split() if word.startswith("`test_")}
    sources = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert len(named) >= 12
    assert [name for name in sorted(named) if f"def {name}(" not in sources] == []


def test_a_workflow_does_not_learn_the_class_of_an_exception(bare: Bare) -> None:
    code = "class SourceBusy(Exception): pass\ndef handler(event, context): raise SourceBusy('x')"
    arn = bare.function("raises", code)
    machine = bare.machine("raises", {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": arn, "End": True}}})
    assert bare.run(machine, "one")["error"] == "Runtime.HandlerError"


def test_a_second_start_of_the_same_name_is_refused_even_when_it_is_the_same(bare: Bare) -> None:
    machine = bare.machine("twice", {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3, "End": True}}})
    sfn = bare.client("stepfunctions")
    sfn.start_execution(stateMachineArn=machine, name="same", input="{}")
    with pytest.raises(sfn.exceptions.ExecutionAlreadyExists):
        sfn.start_execution(stateMachineArn=machine, name="same", input="{}")


def test_a_workflows_own_timeout_is_not_kept(bare: Bare) -> None:
    states = {"W": {"Type": "Wait", "Seconds": 2, "End": True}}
    machine = bare.machine("late", {"StartAt": "W", "TimeoutSeconds": 1, "States": states})
    assert bare.run(machine, "one")["status"] == "SUCCEEDED"


def test_a_nested_execution_tells_nobody_of_its_end(bare: Bare) -> None:
    queue = bare.client("sqs").create_queue(QueueName="ends")["QueueUrl"]
    events = bare.client("events")
    pattern = {"source": ["aws.states"], "detail": {"status": ["SUCCEEDED"]}}
    events.put_rule(Name="ends", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="ends", Targets=[{"Id": "q", "Arn": "arn:aws:sqs:us-east-1:000000000000:ends"}])
    child = bare.machine("child", {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})
    start = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "End": True}
    start["Parameters"] = {"StateMachineArn": child, "Name": "nested", "Input": {}}
    parent = bare.machine("parent", {"StartAt": "S", "States": {"S": start}})
    assert bare.run(parent, "outer")["status"] == "SUCCEEDED"
    told: set[str] = set()
    for _ in range(4):
        found = bare.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        told |= {json.loads(message["Body"])["detail"]["name"] for message in found.get("Messages", [])}
    assert "outer" in told
    assert "nested" not in told


def test_time_to_live_is_not_read_from_a_template(bare: Bare) -> None:
    table = {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "TableName": "ttl",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
            "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
        },
    }
    bare.client("cloudformation").create_stack(StackName="ttl", TemplateBody=json.dumps({"Resources": {"T": table}}))
    deadline = time.monotonic() + 10
    while "ttl" not in bare.client("dynamodb").list_tables()["TableNames"] and time.monotonic() < deadline:
        time.sleep(0.2)
    found = bare.client("dynamodb").describe_time_to_live(TableName="ttl")["TimeToLiveDescription"]
    assert found["TimeToLiveStatus"] == "DISABLED"


def test_a_schedules_name_may_be_too_long_and_its_expression_nonsense(bare: Bare) -> None:
    scheduler = bare.client("scheduler")
    wanted: dict[str, Any] = {
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {
            "Arn": "arn:aws:lambda:us-east-1:000000000000:function:x",
            "RoleArn": "arn:aws:iam::000000000000:role/r",
        },
    }
    try:
        scheduler.create_schedule(Name="n" * 64, ScheduleExpression="rate(xx)", **wanted)
    except ClientError as refused:
        raise AssertionError("nonsense is refused now") from refused


def test_a_schedules_placeholders_stay_as_they_are(bare: Bare) -> None:
    code = (
        "import boto3, json\n"
        "def handler(event, context):\n"
        "    boto3.client('s3').put_object(Bucket='told', Key='event', Body=json.dumps(event))\n"
    )
    s3 = bare.client("s3")
    s3.create_bucket(Bucket="told")
    moment = (datetime.now(UTC) + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S")
    bare.client("scheduler").create_schedule(
        Name="once",
        ScheduleExpression=f"at({moment})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": bare.function("tells", code),
            "RoleArn": "arn:aws:iam::000000000000:role/r",
            "Input": json.dumps({"execution": "<aws.scheduler.execution-id>"}),
        },
    )
    deadline = time.monotonic() + 40
    while "Contents" not in s3.list_objects_v2(Bucket="told"):
        assert time.monotonic() < deadline, "it does not fire"
        time.sleep(0.5)
    told = json.loads(s3.get_object(Bucket="told", Key="event")["Body"].read())
    assert told == {"execution": "<aws.scheduler.execution-id>"}
