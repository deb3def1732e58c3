"""The expanded template: no wildcards, no cost while idle, logs with retention, failure destinations."""

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
from sluice.runs.drops import _SEARCH_SECONDS
from sluice.settings import Settings
from support.template import ROOT, resources, template

WORKFLOWS = {name: json.loads((ROOT / f"workflows/{name}.asl.json").read_text()) for name in ("ingest", "refresh")}


def of_type(kind: str) -> dict[str, Any]:
    return {name: resource for name, resource in expanded()["Resources"].items() if resource["Type"] == kind}


FREE_WHILE_IDLE = {
    "AWS::ApiGateway::Authorizer",
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::GatewayResponse",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::Cognito::UserPool",  # by monthly active users, of whom the first thousands are free
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


# Conditions that are true only if a parameter is set.
OPTIONAL = {"HasAlarms", "HasAccessLogs", "HasStream", "HasKafka", "HasConsoleUrl"}


def test_idle_stack_costs_nothing() -> None:
    always = [resource for resource in expanded()["Resources"].values() if resource.get("Condition") not in OPTIONAL]
    assert {resource["Type"] for resource in always} <= FREE_WHILE_IDLE
    optional = ("AlarmTopic", "AccessLogs", "EnableStream", "KafkaCluster", "ConsoleUrl")
    assert {template()["Parameters"][name]["Default"] for name in optional} == {"", "no"}
    for table in of_type("AWS::DynamoDB::Table").values():
        assert table["Properties"]["BillingMode"] == "PAY_PER_REQUEST"
    for function in of_type("AWS::Lambda::Function").values():
        assert "VpcConfig" not in function["Properties"]
        assert "ProvisionedConcurrencyConfig" not in function["Properties"]
    for mapping in of_type("AWS::Lambda::EventSourceMapping").values():
        if mapping.get("Condition") in OPTIONAL:
            continue
        assert mapping["Properties"]["EventSourceArn"] == {"Fn::GetAtt": ["DatasetsTable", "StreamArn"]}
    rates = [item["Properties"]["ScheduleExpression"] for item in of_type("AWS::Scheduler::Schedule").values()]
    sweep = {"Fn::If": ["IsEmulated", "rate(1 minute)", "rate(1 hour)"]}
    assert sorted(rates, key=str) == sorted([*2 * ["rate(1 day)"], *3 * [sweep]], key=str)
    assert "KmsMasterKeyId" not in json.dumps(expanded())
    assert "CacheClusterEnabled" not in json.dumps(expanded())


def statements() -> list[tuple[str, dict[str, Any]]]:
    statements_by_name = []
    for name, policy in of_type("AWS::IAM::ManagedPolicy").items():
        statements_by_name += [(name, statement) for statement in policy["Properties"]["PolicyDocument"]["Statement"]]
    for name, role in of_type("AWS::IAM::Role").items():
        for policy in role["Properties"].get("Policies", []):
            document = policy["PolicyDocument"]["Statement"]
            statements_by_name += [
                (name, statement["Fn::If"][1] if "Fn::If" in statement else statement)
                for statement in (document if isinstance(document, list) else [document])
            ]
    return statements_by_name


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


def test_revoked_credentials_are_refused_at_once() -> None:
    schemes = of_type("AWS::ApiGateway::RestApi")["Api"]["Properties"]["Body"]["components"]["securitySchemes"]
    authorizer = schemes["Credentials"]["x-amazon-apigateway-authorizer"]
    assert authorizer["authorizerResultTtlInSeconds"] == 0, "the gateway would reuse the authorizer's answer"


def test_api_is_throttled_and_query_concurrency_is_optional() -> None:
    (stage,) = of_type("AWS::ApiGateway::Stage").values()
    (settings,) = stage["Properties"]["MethodSettings"]
    assert settings["ThrottlingRateLimit"] == {"Ref": "RequestsPerSecond"}
    assert settings["ThrottlingBurstLimit"] == {"Ref": "RequestBurst"}
    query = of_type("AWS::Lambda::Function")["QueryFunction"]["Properties"]
    assert query["ReservedConcurrentExecutions"]["Fn::If"][0] == "HasQueryConcurrency"
    assert template()["Parameters"]["QueryConcurrency"]["Default"] == ""


def test_every_function_has_a_log_group_with_retention() -> None:
    groups = of_type("AWS::Logs::LogGroup")
    used = [
        function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
        for function in of_type("AWS::Lambda::Function").values()
    ]
    assert sorted(used) == sorted(set(groups) - {"AccessLogGroup"})
    assert all("RetentionInDays" in group["Properties"] for group in groups.values())


def test_asynchronous_functions_have_a_failure_destination() -> None:
    asynchronous = {
        name
        for name, properties in resources("AWS::Serverless::Function").items()
        if any(event["Type"] != "Api" for event in properties.get("Events", {}).values())
    }
    configured = {
        config["Properties"]["FunctionName"]["Ref"] for config in of_type("AWS::Lambda::EventInvokeConfig").values()
    }
    assert asynchronous | {"ScheduledFunction", "WebhooksFunction", "MissingDataFunction"} == configured


def test_data_is_retained_and_private() -> None:
    for kind in ("AWS::DynamoDB::Table", "AWS::S3::Bucket"):
        for name, resource in of_type(kind).items():
            assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain", name
    for bucket in of_type("AWS::S3::Bucket").values():
        assert all(bucket["Properties"]["PublicAccessBlockConfiguration"].values())


def test_buckets_require_tls() -> None:
    policies = of_type("AWS::S3::BucketPolicy").values()
    assert {policy["Properties"]["Bucket"]["Ref"] for policy in policies} == set(of_type("AWS::S3::Bucket"))
    for policy in policies:
        (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
        assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        bucket = policy["Properties"]["Bucket"]["Ref"]
        assert statement["Resource"] == [{"Fn::GetAtt": [bucket, "Arn"]}, {"Fn::Sub": f"${{{bucket}.Arn}}/*"}]


def test_inbox_versions_outlive_the_sweep_and_expire() -> None:
    rules = of_type("AWS::S3::Bucket")["InboxBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    ends = [rule["NoncurrentVersionExpiration"] for rule in rules if "NoncurrentVersionExpiration" in rule]
    assert ends == [{"NoncurrentDays": {"Ref": "InboxVersionDays"}}]
    assert "Prefix" not in rules[0]
    assert template()["Parameters"]["InboxVersionDays"]["MinValue"] > _SEARCH_SECONDS / 86400


def test_objects_of_large_blocks_outlive_the_blocks() -> None:
    rules = of_type("AWS::S3::Bucket")["LakeBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    (days,) = (rule["ExpirationInDays"] for rule in rules if rule["Id"] == "blocks")
    assert Settings(reading_days=90).reading_days < days
    with pytest.raises(ValueError, match="reading_days"):
        Settings(reading_days=days)


def test_user_pool_calls_its_function() -> None:
    (pool,) = of_type("AWS::Cognito::UserPool").values()
    function = of_type("AWS::Lambda::Function")["SignUpFunction"]["Properties"]["FunctionName"]["Fn::Sub"]
    triggers = pool["Properties"]["LambdaConfig"]
    assert triggers.keys() == {"PreSignUp", "PostConfirmation"}
    assert {trigger["Fn::Sub"].partition(":function:")[2] for trigger in triggers.values()} == {function}
    permission = of_type("AWS::Lambda::Permission")["SignUpPermission"]["Properties"]
    assert (permission["Principal"], permission["SourceArn"]) == (
        "cognito-idp.amazonaws.com",
        {"Fn::GetAtt": ["UserPool", "Arn"]},
    )
    conditional = {
        name for name, resource in expanded()["Resources"].items() if resource.get("Condition") == "HasUserPool"
    }
    assert {"UserPool", "SignUpFunction", "SignUpFunctionSweep", "SignUpLogs", "SignUpPermission"} <= conditional


def test_nobody_signs_up_unless_domains_are_given() -> None:
    (pool,) = of_type("AWS::Cognito::UserPool").values()
    assert pool["Properties"]["AdminCreateUserConfig"] == {
        "AllowAdminCreateUserOnly": {"Fn::If": ["HasSignUp", False, True]}
    }
    assert template()["Parameters"]["SignUpDomains"]["Default"] == ""
    assert "admin" not in template()["Parameters"]["SignUpRole"]["AllowedValues"]


def test_user_pool_has_no_password_flow() -> None:
    (client,) = of_type("AWS::Cognito::UserPoolClient").values()
    assert not [flow for flow in client["Properties"]["ExplicitAuthFlows"] if "PASSWORD" in flow]


def test_template_sets_all_settings_without_default() -> None:
    variables = template()["Globals"]["Function"]["Environment"]["Variables"]
    ours = {name.lower() for name in variables if not name.startswith(("POWERTOOLS_", "AWS_"))}
    assert ours <= set(Settings.model_fields)
    needed = {name for name in Settings.model_fields if name.endswith(("_table", "_bucket", "_workflow", "_function"))}
    assert needed | {"schedule_group", "schedule_role", "stack", "workspace"} <= ours


def tasks(states: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    named_states = []
    for name, state in states.items():
        if state["Type"] == "Task":
            named_states.append((name, state))
        if state["Type"] == "Map":
            named_states += tasks(state["ItemProcessor"]["States"])
    return named_states


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflows_retry_all_transient_errors(name: str) -> None:
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
def test_workflows_are_valid(name: str, tmp_path: Path) -> None:
    text = (ROOT / f"workflows/{name}.asl.json").read_text()
    file = tmp_path / "workflow.json"
    file.write_text(re.sub(r"\$\{\w+\}", "arn:aws:lambda:us-east-1:123456789012:function:x", text))
    linter = Path(sys.executable).with_name("statelint")
    output = subprocess.run([linter, file], capture_output=True, text=True, check=False).stdout
    problems = [line.strip() for line in output.splitlines()[1:] if line.strip()]
    assert [line for line in problems if line not in KNOWN_TO_BE_RIGHT] == []
    file.write_text(file.read_text().replace('"Next": "Done"', '"Next": "Nowhere"'))
    output = subprocess.run([linter, file], capture_output=True, text=True, check=False).stdout
    assert "Nowhere" in output, "the linter finds this error"


def test_ci_and_local_use_the_same_commands() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yaml").read_text())
    steps = [step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"]]
    assert any(".ci/run" in step for step in steps)
