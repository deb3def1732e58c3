"""What the expanded template must hold: no wildcards, nothing that costs while idle, logs, dead letters."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from policies import expanded
from sluice.errors import transient_names
from sluice.runs.drops import _SOUGHT_SECONDS
from sluice.settings import Settings
from support.template import ROOT, resources, template

WORKFLOWS = {name: json.loads((ROOT / f"workflows/{name}.asl.json").read_text()) for name in ("ingest", "refresh")}


def of_type(kind: str) -> dict[str, Any]:
    return {name: one for name, one in expanded()["Resources"].items() if one["Type"] == kind}


FREE_WHILE_IDLE = {
    "AWS::ApiGateway::Authorizer",
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::GatewayResponse",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::Cognito::UserPool",  # by the month's active users, and only if it is asked for
    "AWS::Cognito::UserPoolClient",
    "AWS::Cognito::UserPoolGroup",
    "AWS::DynamoDB::Table",
    "AWS::Events::Rule",
    "AWS::Glue::Database",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Role",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",  # of a stream of DynamoDB, whose reading by Lambda is free
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::SQS::Queue",
    "AWS::Scheduler::Schedule",
    "AWS::Scheduler::ScheduleGroup",
    "AWS::StepFunctions::StateMachine",
}


# Conditions that hold only where a parameter is set.
ASKED_FOR = {"HasAlarms", "HasAccessLogs"}


def test_nothing_costs_while_nobody_uses_it() -> None:
    wanted = [one for one in expanded()["Resources"].values() if one.get("Condition") not in ASKED_FOR]
    assert {one["Type"] for one in wanted} <= FREE_WHILE_IDLE
    assert {template()["Parameters"][name]["Default"] for name in ("AlarmTopic", "AccessLogs")} == {"", "no"}
    for table in of_type("AWS::DynamoDB::Table").values():
        assert table["Properties"]["BillingMode"] == "PAY_PER_REQUEST"
    for function in of_type("AWS::Lambda::Function").values():
        assert "VpcConfig" not in function["Properties"]
        assert "ProvisionedConcurrencyConfig" not in function["Properties"]
    for mapping in of_type("AWS::Lambda::EventSourceMapping").values():
        assert mapping["Properties"]["EventSourceArn"] == {"Fn::GetAtt": ["DatasetsTable", "StreamArn"]}
    rates = [one["Properties"]["ScheduleExpression"] for one in of_type("AWS::Scheduler::Schedule").values()]
    assert rates == 2 * [{"Fn::If": ["IsEmulated", "rate(1 minute)", "rate(1 hour)"]}]
    assert "KmsMasterKeyId" not in json.dumps(expanded())
    assert "CacheClusterEnabled" not in json.dumps(expanded())


def statements() -> list[tuple[str, dict[str, Any]]]:
    found = []
    for name, policy in of_type("AWS::IAM::ManagedPolicy").items():
        found += [(name, one) for one in policy["Properties"]["PolicyDocument"]["Statement"]]
    for name, role in of_type("AWS::IAM::Role").items():
        for policy in role["Properties"].get("Policies", []):
            document = policy["PolicyDocument"]["Statement"]
            found += [(name, one) for one in (document if isinstance(document, list) else [document])]
    return found


def test_roles_have_no_wildcards() -> None:
    assert len(statements()) > 10
    for name, statement in statements():
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not [action for action in actions if "*" in action], name
        targets = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        for target in targets:
            text = json.dumps(target)
            # A star may stand for objects of our own buckets, executions, schedules and parameters only.
            assert "*" not in re.sub(r"(/\*|:\*|/secrets/\*)(?=\"|$)", "", text), (name, text)
            assert text != '"*"', name


def test_the_api_is_throttled_and_queries_can_have_their_own_concurrency() -> None:
    (stage,) = of_type("AWS::ApiGateway::Stage").values()
    (settings,) = stage["Properties"]["MethodSettings"]
    assert settings["ThrottlingRateLimit"] == {"Ref": "RequestsPerSecond"}
    assert settings["ThrottlingBurstLimit"] == {"Ref": "RequestBurst"}
    query = of_type("AWS::Lambda::Function")["QueryFunction"]["Properties"]
    assert query["ReservedConcurrentExecutions"]["Fn::If"][0] == "HasQueryConcurrency"
    assert template()["Parameters"]["QueryConcurrency"]["Default"] == ""


def test_every_function_has_its_own_log_group_with_an_end() -> None:
    groups = of_type("AWS::Logs::LogGroup")
    used = [
        function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
        for function in of_type("AWS::Lambda::Function").values()
    ]
    assert sorted(used) == sorted(set(groups) - {"AccessLogGroup"})
    assert all("RetentionInDays" in group["Properties"] for group in groups.values())


def test_what_is_called_asynchronously_has_somewhere_to_fail_to() -> None:
    asynchronous = {
        name
        for name, properties in resources("AWS::Serverless::Function").items()
        if any(event["Type"] != "Api" for event in properties.get("Events", {}).values())
    }
    kept = {
        config["Properties"]["FunctionName"]["Ref"] for config in of_type("AWS::Lambda::EventInvokeConfig").values()
    }
    assert asynchronous | {"ScheduledFunction"} == kept


def test_data_is_retained_and_private() -> None:
    for kind in ("AWS::DynamoDB::Table", "AWS::S3::Bucket"):
        for name, one in of_type(kind).items():
            assert one["DeletionPolicy"] == one["UpdateReplacePolicy"] == "Retain", name
    for bucket in of_type("AWS::S3::Bucket").values():
        assert all(bucket["Properties"]["PublicAccessBlockConfiguration"].values())


def test_buckets_take_requests_with_tls_only() -> None:
    policies = of_type("AWS::S3::BucketPolicy").values()
    assert {one["Properties"]["Bucket"]["Ref"] for one in policies} == set(of_type("AWS::S3::Bucket"))
    for policy in policies:
        (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
        assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        bucket = policy["Properties"]["Bucket"]["Ref"]
        assert statement["Resource"] == [{"Fn::GetAtt": [bucket, "Arn"]}, {"Fn::Sub": f"${{{bucket}.Arn}}/*"}]


def test_versions_in_the_inbox_outlive_the_sweep_and_have_an_end() -> None:
    rules = of_type("AWS::S3::Bucket")["InboxBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    ends = [one["NoncurrentVersionExpiration"] for one in rules if "NoncurrentVersionExpiration" in one]
    assert ends == [{"NoncurrentDays": {"Ref": "InboxVersionDays"}}]
    assert "Prefix" not in rules[0]
    assert template()["Parameters"]["InboxVersionDays"]["MinValue"] > _SOUGHT_SECONDS / 86400


def test_people_sign_in_without_sending_their_password() -> None:
    (client,) = of_type("AWS::Cognito::UserPoolClient").values()
    assert not [flow for flow in client["Properties"]["ExplicitAuthFlows"] if "PASSWORD" in flow]


def test_the_template_sets_settings_that_exist_and_all_without_a_default() -> None:
    variables = template()["Globals"]["Function"]["Environment"]["Variables"]
    ours = {name.lower() for name in variables if not name.startswith(("POWERTOOLS_", "AWS_"))}
    assert ours <= set(Settings.model_fields)
    needed = {name for name in Settings.model_fields if name.endswith(("_table", "_bucket", "_workflow", "_function"))}
    assert needed | {"schedule_group", "schedule_role", "stack", "workspace"} <= ours


def tasks(states: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for name, state in states.items():
        if state["Type"] == "Task":
            found.append((name, state))
        if state["Type"] == "Map":
            found += tasks(state["ItemProcessor"]["States"])
    return found


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflows_retry_what_the_error_tree_calls_transient(name: str) -> None:
    for task, state in tasks(WORKFLOWS[name]["States"]):
        assert "TimeoutSeconds" in state, task
        assert state["Retry"], task
        for retry in state["Retry"]:
            assert retry["JitterStrategy"] == "FULL"
            assert retry["MaxDelaySeconds"] <= 60
        if state["Resource"].startswith("${"):
            busy, first, last = state["Retry"]
            # A function that is throttled is waited for; the emulator has the second name for it.
            assert (busy["ErrorEquals"], busy["MaxAttempts"]) == (
                ["Lambda.TooManyRequestsException", "Lambda.Unknown"],
                20,
            )
            assert {error for error in first["ErrorEquals"] if "." not in error} == transient_names(), task
            assert last["ErrorEquals"] == ["States.TaskFailed", "States.Timeout"]


# What the linter does not know of the language yet.
KNOWN_TO_BE_RIGHT = [
    known.format(name)
    for name in ("IngestAll", "Pages", "Parts")
    for known in (
        'Field "Label" not allowed in State Machine.States.{}',
        "State Machine.States.{}.ToleratedFailurePercentage is 100.0 but should be an Integer",
        'Field "InputType" not allowed in State Machine.States.{}.ItemReader.ReaderConfig',
    )
]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflows_are_well_formed(name: str, tmp_path: Path) -> None:
    text = (ROOT / f"workflows/{name}.asl.json").read_text()
    file = tmp_path / "workflow.json"
    file.write_text(re.sub(r"\$\{\w+\}", "arn:aws:lambda:us-east-1:123456789012:function:x", text))
    linter = Path(sys.executable).with_name("statelint")
    said = subprocess.run([linter, file], capture_output=True, text=True, check=False).stdout
    problems = [line.strip() for line in said.splitlines()[1:] if line.strip()]
    assert [line for line in problems if line not in KNOWN_TO_BE_RIGHT] == []
    file.write_text(file.read_text().replace('"Next": "Done"', '"Next": "Nowhere"'))
    said = subprocess.run([linter, file], capture_output=True, text=True, check=False).stdout
    assert "Nowhere" in said, "the linter finds what it is here for"


def test_ci_and_local_use_the_same_commands() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yaml").read_text())
    steps = [step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"]]
    assert any(".ci/run" in step for step in steps)
