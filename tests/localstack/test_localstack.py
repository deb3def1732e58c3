"""What LocalStack's core does with our workflows, API and template: all but Lambda and DynamoDB."""

from __future__ import annotations

import copy
import json
import time
from typing import Any
from urllib.parse import unquote_plus

import httpx
import pytest

from support.localstack import ACCOUNT, REGION, LocalStackCore
from support.mocked_functions import CASES
from support.template import ROOT, template
from support.workflow_contract import FUNCTIONS, template_name

ROLE = f"arn:aws:iam::{ACCOUNT}:role/any"


def machine_arn(kind: str) -> str:
    return f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:sluice-{kind}"


def function_arn(name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:sluice-{name}"


def definition(kind: str) -> str:
    text = (ROOT / f"workflows/{kind}.asl.json").read_text()
    for name in (*FUNCTIONS, "algorithm"):
        text = text.replace(f"${{{template_name(name)}FunctionArn}}", function_arn(name))
    for workflow in ("ingest", "algorithm"):
        text = text.replace(f"${{{template_name(workflow)}WorkflowArn}}", machine_arn(workflow))
    return text


@pytest.fixture(scope="module")
def machines(localstack: LocalStackCore) -> Any:
    """Both state machines as they are in the repository, and the items of a refresh's map."""
    sfn = localstack.client("stepfunctions")
    for kind in CASES:
        sfn.create_state_machine(name=f"sluice-{kind}", definition=definition(kind), roleArn=ROLE)
    s3 = localstack.client("s3")
    s3.create_bucket(Bucket="lake")
    items = [{"run_id": f"r{number}", "attempt": 1, "execution": f"r{number}-1"} for number in (1, 2)]
    s3.put_object(Bucket="lake", Key="main/runs/r/items-1.json", Body=json.dumps(items))
    return sfn


def ended(sfn: Any, kind: str, case: str) -> tuple[dict[str, Any], list[str]]:
    """An execution that has ended, and the states that it came through."""
    payload = json.dumps({"run_id": "r", "attempt": 1})
    arn = sfn.start_execution(stateMachineArn=f"{machine_arn(kind)}#{case}", input=payload)["executionArn"]
    deadline = time.monotonic() + 60
    while (found := sfn.describe_execution(executionArn=arn))["status"] == "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    history = sfn.get_execution_history(executionArn=arn, maxResults=1000)["events"]
    return found, [one["stateEnteredEventDetails"]["name"] for one in history if "stateEnteredEventDetails" in one]


@pytest.mark.parametrize("case", CASES["ingest"])
def test_ingest_workflow_on_localstack(machines: Any, case: str) -> None:
    wanted = CASES["ingest"][case]
    found, states = ended(machines, "ingest", case)
    assert (found["status"], found.get("error")) == (wanted.status, wanted.error), found
    if wanted.extracts:
        assert states.count("Extract") == wanted.extracts, "a conflict extracts again"
    if wanted.error:
        assert found["cause"] == "The upstream answered 403."


@pytest.mark.parametrize("case", CASES["refresh"])
def test_refresh_workflow_on_localstack(machines: Any, case: str) -> None:
    wanted = CASES["refresh"][case]
    found, states = ended(machines, "refresh", case)
    assert (found["status"], found.get("error")) == (wanted.status, wanted.error), found
    if "IngestAll" in states:
        run = machines.list_map_runs(executionArn=found["executionArn"])["mapRuns"][0]
        counts = machines.describe_map_run(mapRunArn=run["mapRunArn"])["itemCounts"]
        assert (counts["total"], counts["succeeded"]) == (2, 2), "an ingest that fails is caught"
        assert states.index("ReconcileIngests") < states.index("Merge")
    assert ("IngestAll" in states) == (wanted.states["Plan"] == "planned")


def test_execution_status_changes_reach_the_rule_of_run_events(localstack: LocalStackCore, machines: Any) -> None:
    events, sqs = localstack.client("events"), localstack.client("sqs")
    queue = sqs.create_queue(QueueName="ended")["QueueUrl"]
    said = template()["Resources"]["RunEventsFunction"]["Properties"]["Events"]
    pattern = next(one["Properties"]["Pattern"] for one in said.values() if one["Type"] == "EventBridgeRule")
    pattern = json.loads(json.dumps(pattern))
    pattern["detail"]["stateMachineArn"] = [machine_arn("ingest")]
    events.put_rule(Name="ended", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="ended", Targets=[{"Id": "queue", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:ended"}])
    found, _ = ended(machines, "ingest", "done")
    told = next(body for body in received(sqs, queue) if body["detail"]["executionArn"] == found["executionArn"])
    assert told["detail"]["status"] == "SUCCEEDED"


def received(sqs: Any, queue: str) -> Any:
    """The messages that arrive within some seconds."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", []):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            yield json.loads(message["Body"])
    raise AssertionError("nothing came")


def test_execution_name_is_used_once(machines: Any) -> None:
    for _ in range(2):
        try:
            machines.start_execution(stateMachineArn=f"{machine_arn('ingest')}#done", name="r-1", input="{}")
        except machines.exceptions.ExecutionAlreadyExists:
            break
    names = [one["name"] for one in machines.list_executions(stateMachineArn=machine_arn("ingest"))["executions"]]
    assert names.count("r-1") == 1


def test_every_route_is_served(localstack: LocalStackCore) -> None:
    """The template's own paths, with each function's place taken by a mock that says which it is."""
    paths = copy.deepcopy(template()["Resources"]["Api"]["Properties"]["DefinitionBody"]["paths"])
    for path, verbs in paths.items():
        for verb, operation in verbs.items():
            operation.pop("security", None)
            operation["responses"] = {"200": {"description": "here"}}
            operation["x-amazon-apigateway-integration"] = {
                "type": "mock",
                "requestTemplates": {"application/json": '{"statusCode": 200}'},
                "responses": {
                    "default": {"statusCode": "200", "responseTemplates": {"application/json": f"{verb} {path}"}}
                },
            }
    body = {"openapi": "3.0.1", "info": {"title": "t", "version": "1"}, "paths": paths}
    gateway = localstack.client("apigateway")
    api = gateway.import_rest_api(body=json.dumps(body).encode())["id"]
    gateway.create_deployment(restApiId=api, stageName="live")
    base = f"{localstack.url}/restapis/{api}/live/_user_request_"
    with httpx.Client(trust_env=False, headers={"content-type": "application/json"}) as client:
        for path, verbs in paths.items():
            for verb in verbs:
                answer = client.request(verb, base + path.replace("{", "a-").replace("}", ""))
                text = "" if verb == "head" else f"{verb} {path}"
                assert (answer.status_code, answer.text.strip()) == (200, text)


def test_drop_is_announced_and_stored_once(localstack: LocalStackCore) -> None:
    s3, sqs = localstack.client("s3"), localstack.client("sqs")
    queue = sqs.create_queue(QueueName="drops")["QueueUrl"]
    s3.create_bucket(Bucket="drops")
    s3.put_bucket_versioning(Bucket="drops", VersioningConfiguration={"Status": "Enabled"})
    told = {"QueueArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:drops", "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(Bucket="drops", NotificationConfiguration={"QueueConfigurations": [told]})
    version = s3.put_object(Bucket="drops", Key="notes/a b.csv", Body=b"a\n1\n")["VersionId"]
    record = next(body["Records"][0] for body in received(sqs, queue) if "Records" in body)
    told_of = record["s3"]["object"]
    assert (unquote_plus(told_of["key"]), told_of["versionId"]) == ("notes/a b.csv", version)
    s3.put_object(Bucket="drops", Key="raw/x", Body=b"1", IfNoneMatch="*")
    with pytest.raises(s3.exceptions.ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket="drops", Key="raw/x", Body=b"2", IfNoneMatch="*")
    form = s3.generate_presigned_post("drops", "notes/up.csv", Conditions=[["content-length-range", 1, 4]])
    for body, status in ((b"a\n1\n", 204), (b"a\n12\n", 400)):
        answer = httpx.post(form["url"], data=form["fields"], files={"file": body}, trust_env=False)
        assert answer.status_code == status


def plain_template() -> dict[str, Any]:
    """The template without what needs Lambda, DynamoDB or Cognito; state machines by their definitions in S3."""
    document: dict[str, Any] = json.loads(json.dumps(template()))
    left_out = ("Function", "LayerVersion", "Api", "ApiGateway", "DynamoDB", "Cognito", "Lambda")
    kept = {}
    for name, resource in document["Resources"].items():
        kind = resource["Type"].removeprefix("AWS::")
        if kind.startswith(left_out[3:]) or kind.removeprefix("Serverless::") in left_out[:3]:
            continue
        if kind == "IAM::ManagedPolicy":  # what functions may do, with tables and other functions
            continue
        if kind == "Serverless::StateMachine":
            resource["Properties"]["DefinitionUri"] = {"Bucket": "code", "Key": resource["Properties"]["DefinitionUri"]}
        kept[name] = resource
    for resource in kept.values():
        resource.pop("DependsOn", None)  # as the permissions of functions
    del kept["InboxBucket"]["Properties"]["NotificationConfiguration"]  # it names a function, which must exist
    document["Resources"] = without_functions(kept)
    del document["Globals"], document["Outputs"]
    return document


def without_functions(node: Any) -> Any:
    """References to functions replaced by the names that they would have."""
    if isinstance(node, dict):
        asked = node.get("Fn::GetAtt")
        if asked and asked[0].endswith("Function"):
            return function_arn(asked[0].removesuffix("Function").lower())
        return {name: without_functions(value) for name, value in node.items()}
    return [without_functions(value) for value in node] if isinstance(node, list) else node


def test_template_without_functions_is_deployed(localstack: LocalStackCore) -> None:
    s3, cloudformation = localstack.client("s3"), localstack.client("cloudformation")
    s3.create_bucket(Bucket="code")
    for file in (ROOT / "workflows").glob("*.asl.json"):
        s3.put_object(Bucket="code", Key=f"workflows/{file.name}", Body=file.read_bytes())
    document = plain_template()
    cloudformation.create_stack(
        StackName="plain",
        TemplateBody=json.dumps(document),
        Parameters=[{"ParameterKey": "Emulated", "ParameterValue": "yes"}],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    deadline = time.monotonic() + 120
    while (stack := cloudformation.describe_stacks(StackName="plain")["Stacks"][0])["StackStatus"].endswith("PROGRESS"):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    events = cloudformation.describe_stack_events(StackName="plain")["StackEvents"]
    failed = [
        (one["LogicalResourceId"], one.get("ResourceStatusReason"))
        for one in events
        if "FAILED" in one["ResourceStatus"]
    ]
    assert stack["StackStatus"] == "CREATE_COMPLETE", failed
    made = cloudformation.describe_stack_resources(StackName="plain")["StackResources"]
    unconditional = {name for name, one in document["Resources"].items() if "Condition" not in one}
    assert {one["LogicalResourceId"] for one in made} >= unconditional
    inbox = f"plain-inbox-{ACCOUNT}-{REGION}"
    assert s3.get_bucket_versioning(Bucket=inbox)["Status"] == "Enabled"
    assert all(s3.get_public_access_block(Bucket=inbox)["PublicAccessBlockConfiguration"].values())


def test_secrets_and_schedules(localstack: LocalStackCore) -> None:
    from sluice.access.secrets import Secrets
    from sluice.domain.schedule import Schedule
    from sluice.errors import SecretMissing
    from sluice.platform.schedules import Schedules

    secrets = Secrets(localstack.client("ssm"), "sluice", "main")
    secrets.put("k", "hunter2")
    assert secrets.value("k") == "hunter2"
    secrets.delete("k")
    with pytest.raises(SecretMissing):
        secrets.value("k")
    assert secrets.signing_key() == secrets.signing_key()
    scheduler = localstack.client("scheduler")
    scheduler.create_schedule_group(Name="sluice")
    schedules = Schedules(scheduler, "sluice", function_arn("scheduled"), ROLE, "main")
    for expression in ("rate(1 hour)", "rate(2 hours)"):
        schedules.apply("datasource", "coins", Schedule(expression=expression), enabled=True)
    name = schedules.name("datasource", "coins")
    assert scheduler.get_schedule(GroupName="sluice", Name=name)["ScheduleExpression"] == "rate(2 hours)"
    schedules.remove("datasource", "coins")
    schedules.remove("datasource", "coins")
    with pytest.raises(scheduler.exceptions.ResourceNotFoundException):
        scheduler.get_schedule(GroupName="sluice", Name=name)
