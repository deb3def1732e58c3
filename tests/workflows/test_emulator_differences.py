"""Where the emulator differs from AWS: one test for each line of docs/reference/emulators.md.

A test that fails here tells that a new release has changed: then the page and what we do about
the difference want another look.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from support.bare import Bare
from support.stack import until
from support.template import ROOT, resources


def test_every_test_named_on_the_page_exists() -> None:
    page = (ROOT / "docs/reference/emulators.md").read_text()
    named = {word.strip("`,") for line in page.splitlines() for word in line.split() if word.startswith("`test_")}
    sources = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert len(named) >= 12
    assert [name for name in sorted(named) if f"def {name}(" not in sources] == []


def test_workflow_does_not_get_the_class_of_an_exception(bare: Bare) -> None:
    code = "class SourceBusy(Exception): pass\ndef handler(event, context): raise SourceBusy('x')"
    arn = bare.function("raises", code)
    machine = bare.machine("raises", {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": arn, "End": True}}})
    assert bare.run(machine, "one")["error"] == "Runtime.HandlerError"


def test_second_start_of_a_name_is_refused_even_with_the_same_input(bare: Bare) -> None:
    machine = bare.machine("twice", {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3, "End": True}}})
    sfn = bare.client("stepfunctions")
    sfn.start_execution(stateMachineArn=machine, name="same", input="{}")
    with pytest.raises(sfn.exceptions.ExecutionAlreadyExists):
        sfn.start_execution(stateMachineArn=machine, name="same", input="{}")


def test_timeout_of_a_state_machine_is_ignored(bare: Bare) -> None:
    states = {"W": {"Type": "Wait", "Seconds": 2, "End": True}}
    machine = bare.machine("late", {"StartAt": "W", "TimeoutSeconds": 1, "States": states})
    assert bare.run(machine, "one")["status"] == "SUCCEEDED"


def test_nested_execution_sends_no_event(bare: Bare) -> None:
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


def test_time_to_live_in_a_template_is_ignored(bare: Bare) -> None:
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


def test_names_and_expressions_of_schedules_are_not_validated(bare: Bare) -> None:
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


def test_one_time_schedule_deletes_itself_and_its_placeholders_are_not_filled_in(bare: Bare) -> None:
    code = (
        "import boto3, json\n"
        "def handler(event, context):\n"
        "    boto3.client('s3').put_object(Bucket='told', Key='event', Body=json.dumps(event))\n"
    )
    s3 = bare.client("s3")
    s3.create_bucket(Bucket="told")
    moment = (datetime.now(UTC) + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S")
    scheduler = bare.client("scheduler")
    scheduler.create_schedule(
        Name="once",
        ActionAfterCompletion="DELETE",
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
    while "once" in [schedule["Name"] for schedule in scheduler.list_schedules()["Schedules"]]:
        assert time.monotonic() < deadline, "it does not delete itself"
        time.sleep(0.1)


def throttled(bare: Bare, name: str, code: str = "def handler(event, context): return {}") -> str:
    """A function that is throttled whenever it is called."""
    arn = bare.function(name, code)
    bare.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    return arn


def gateway(bare: Bare, function: str, authorizer: str | None = None) -> httpx.Response:
    """What an API answers whose only method is a function's."""
    api = bare.client("apigateway")
    uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{}/invocations"
    made = api.create_rest_api(name="busy")["id"]
    root = api.get_resources(restApiId=made)["items"][0]["id"]
    method: dict[str, Any] = {"restApiId": made, "resourceId": root, "httpMethod": "GET"}
    access: dict[str, str] = {"authorizationType": "NONE"}
    if authorizer:
        known = api.create_authorizer(
            restApiId=made,
            name="a",
            type="REQUEST",
            authorizerUri=uri.format(authorizer),
            authorizerResultTtlInSeconds=0,
        )
        access = {"authorizationType": "CUSTOM", "authorizerId": known["id"]}
    api.put_method(**method, **access)
    api.put_integration(**method, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri.format(function))
    api.create_deployment(restApiId=made, stageName="live")
    return httpx.get(f"{bare.emulator.url}/restapis/{made}/live/_user_request_/", timeout=30, trust_env=False)


def test_gateway_answers_429_without_retry_after_for_a_throttled_function(bare: Bare) -> None:
    answer = gateway(bare, throttled(bare, "busy"))
    assert answer.status_code == 429
    assert "retry-after" not in answer.headers
    assert answer.json()["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"


def test_throttled_authorizer_counts_as_failed(bare: Bare) -> None:
    function = bare.function("free", "def handler(event, context): return {'statusCode': 200}")
    answer = gateway(bare, function, throttled(bare, "busy-authorizer"))
    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (500, "AuthorizerConfigurationException")


def test_workflow_gets_lambda_unknown_for_a_throttled_function(bare: Bare) -> None:
    arn = throttled(bare, "busy-task")
    machine = bare.machine("busy", {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": arn, "End": True}}})
    assert bare.run(machine, "one")["error"] == "Lambda.Unknown"


def test_event_rule_does_not_retry_a_throttled_function(bare: Bare) -> None:
    """An asynchronous call is tried again; what a rule sends is lost at once."""
    code = (
        "import boto3, time\n"
        "def handler(event, context):\n"
        "    boto3.client('sqs').create_queue(QueueName=event['queue'])\n"
        "    time.sleep(event.get('seconds', 0))\n"
    )
    arn = bare.function("busy-target", code)
    events, functions, queues = bare.client("events"), bare.client("lambda"), bare.client("sqs")
    functions.put_function_concurrency(FunctionName="busy-target", ReservedConcurrentExecutions=1)
    events.put_rule(Name="busy", EventPattern=json.dumps({"source": ["test"]}))
    events.put_targets(Rule="busy", Targets=[{"Id": "f", "Arn": arn, "InputPath": "$.detail"}])

    def call(queue: str, seconds: float = 0) -> None:
        payload = json.dumps({"queue": queue, "seconds": seconds})
        functions.invoke(FunctionName="busy-target", InvocationType="Event", Payload=payload)

    def called(queue: str) -> bool:
        return any(url.endswith(queue) for url in queues.list_queues().get("QueueUrls", []))

    call("first", seconds=1.5)
    until(lambda: called("first"), 20)
    events.put_events(Entries=[{"Source": "test", "DetailType": "t", "Detail": json.dumps({"queue": "by-rule"})}])
    call("by-call")
    until(lambda: called("by-call"), 20)
    assert not called("by-rule")


def test_record_of_a_failed_call_has_no_request_id(bare: Bare) -> None:
    functions, sqs = bare.client("lambda"), bare.client("sqs")
    queue = sqs.create_queue(QueueName="failed")["QueueUrl"]
    arn = bare.function("failing", "def handler(event, context): raise ValueError('no')")
    functions.put_function_event_invoke_config(
        FunctionName="failing",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:failed"}},
    )
    functions.invoke(FunctionName="failing", InvocationType="Event", Payload=b'{"a": 1}')
    bodies: list[str] = []

    def received() -> bool:
        bodies.extend(message["Body"] for message in sqs.receive_message(QueueUrl=queue).get("Messages", []))
        return bool(bodies)

    until(received, 20)
    record = json.loads(bodies[0])
    assert (record["requestPayload"], record["requestContext"]["functionArn"]) == ({"a": 1}, arn)
    assert "requestId" not in record["requestContext"]


def test_reserved_concurrency_in_a_template_is_ignored(bare: Bare) -> None:
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": "reserved",
            "Runtime": "python3.11",
            "Role": "arn:aws:iam::000000000000:role/r",
            "Handler": "index.handler",
            "Code": {"ZipFile": "def handler(event, context): return {}"},
            "ReservedConcurrentExecutions": 3,
        },
    }
    template = json.dumps({"Resources": {"F": function}})
    bare.client("cloudformation").create_stack(StackName="reserved", TemplateBody=template)
    bare.client("cloudformation").get_waiter("stack_create_complete").wait(
        StackName="reserved", WaiterConfig={"Delay": 1, "MaxAttempts": 20}
    )
    functions = bare.client("lambda")
    assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(FunctionName="reserved")
    functions.put_function_concurrency(FunctionName="reserved", ReservedConcurrentExecutions=3)
    assert functions.get_function_concurrency(FunctionName="reserved")["ReservedConcurrentExecutions"] == 3


def dropped_rule() -> dict[str, Any]:
    """The pattern of the rule that calls the function `inbox` on AWS, with the bucket of this test."""
    function = resources("AWS::Serverless::Function")["InboxFunction"]
    pattern = json.loads(json.dumps(function["Events"]["Dropped"]["Properties"]["Pattern"]))
    pattern["detail"]["bucket"]["name"] = ["drops"]
    return dict(pattern)


def test_s3_event_has_no_version_and_moved_files_match_no_rule(bare: Bare) -> None:
    s3, events, sqs = bare.client("s3"), bare.client("events"), bare.client("sqs")
    queue = sqs.create_queue(QueueName="drops")["QueueUrl"]
    events.put_rule(Name="drops", EventPattern=json.dumps(dropped_rule()))
    events.put_targets(Rule="drops", Targets=[{"Id": "q", "Arn": "arn:aws:sqs:us-east-1:000000000000:drops"}])
    s3.create_bucket(Bucket="drops")
    s3.put_bucket_versioning(Bucket="drops", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(Bucket="drops", NotificationConfiguration={"EventBridgeConfiguration": {}})
    for key in ("_failed/notes/a.csv", "_unknown/a.csv", "a.csv", "notes/a b.csv"):
        s3.put_object(Bucket="drops", Key=key, Body=b"a")
    told: dict[str, dict[str, Any]] = {}

    def arrived() -> bool:
        found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        stored = [json.loads(message["Body"])["detail"]["object"] for message in found.get("Messages", [])]
        told.update({one["key"]: one for one in stored})
        return "notes/a b.csv" in told

    until(arrived)
    assert set(told) == {"a.csv", "notes/a b.csv"}
    assert not [one for one in told.values() if "version-id" in one]
