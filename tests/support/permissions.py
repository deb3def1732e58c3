"""What each function's handler calls of AWS while a test runs it in this process, held against its policies.

Neither the emulator nor moto enforces policies. Here every call of a handler is looked up in the
committed matrix, `docs/reference/policies.txt`, so that each test of the platform is a test of the policies,
too: one that calls what its function may not fails.
"""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from fnmatch import translate
from functools import cache
from typing import Any

from support.template import ROOT

Access = tuple[str, str]
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
# The function whose handler runs; none for a test, a workflow or the gateway.
_function: ContextVar[str | None] = ContextVar("function", default=None)
seen: set[str] = set()
refused: set[str] = set()
_submit = ThreadPoolExecutor.submit
# The one resource of a service.
_ONLY = {"cognito-idp": "UserPool"}
# What handlers do that tests often call without them.
_ENTRIES = {
    "sluice.runs.drops.receive_drop": "inbox",
    "sluice.runs.scheduled.fire": "scheduled",
    "sluice.runs.reconcile.sweep": "run_events",
    "sluice.publication.delivery.deliver_overdue": "publications",
    "sluice.readings.compaction.sweep_files": "compaction",
}
_PARTS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}


@cache
def _matrix() -> dict[tuple[str, str], list[re.Pattern[str]]]:
    """The patterns of the resources that a function may use an action on."""
    patterns: dict[tuple[str, str], list[re.Pattern[str]]] = {}
    role = ""
    for line in (ROOT / "docs/reference/policies.txt").read_text().splitlines():
        if re.fullmatch(r"\w+", line):
            role = line
        if not line.startswith("  ") or ": " not in line:
            continue
        resource, actions = re.split(r" {2,}", line.strip())
        table, _, kinds = resource.partition("[")
        names = [f"{table}[{kind}]" for kind in kinds.rstrip("]").split(", ")] if kinds else [table]
        for part in actions.split("; "):
            service, _, verbs = part.partition(": ")
            for verb in verbs.split():
                found = patterns.setdefault((role, f"{service}:{verb}"), [])
                found += [re.compile(translate(name.replace("[", "[[]"))) for name in names]
    return patterns


def allows(function: str, action: str, resource: str) -> bool:
    """Whether a function may use an action on a resource, or on the whole of a table."""
    names = (resource, resource.partition("[")[0])
    return any(pattern.match(name) for pattern in _matrix().get((function, action), ()) for name in names)


@contextmanager
def acting(function: str | None) -> Iterator[None]:
    """Within this context calls are those of a function, or nobody's."""
    token = _function.set(function)
    try:
        yield
    finally:
        _function.reset(token)


def note(action: str, resource: str, attributes: str = "") -> None:
    """Take note that the function that runs now uses an action, and of whether it may.

    Args:
        attributes: the only attributes that the request names, for functions that may not name others.
    """
    function = _function.get()
    if function is None:
        return
    seen.add(function)
    limited = f"{resource.rstrip(']')}: {attributes}]"
    if not allows(function, action, resource) and not (attributes and allows(function, action, limited)):
        refused.add(f"{function} may not do {action} on {resource}")


def record(params: dict[str, Any], model: Any, **_: Any) -> None:
    """Note a call of botocore's, as a handler of its event `provide-client-params`."""
    service = model.service_model.service_name
    for action, resource in _needed(service, model.name, params):
        note(action, resource, _named_attributes(params))


def _named_attributes(params: dict[str, Any]) -> str:
    """The attributes that an update of an item names, as the matrix has them."""
    names = {*params.get("Key", {}), *params.get("ExpressionAttributeNames", {}).values()}
    return " ".join(sorted(names)) if "UpdateExpression" in params else ""


def _needed(service: str, operation: str, params: dict[str, Any]) -> Iterator[Access]:
    """The actions that a call needs, each with its resource."""
    match service:
        case "dynamodb":
            yield from _needed_in_dynamodb(operation, params)
        case "s3":
            yield from _needed_in_s3(operation, params)
        case "ssm":
            yield f"ssm:{operation}", "parameter/" + params["Name"].removeprefix("/sluice/main/")
        case "sqs":
            yield f"sqs:{operation}", params["QueueUrl"].rpartition("/")[2]
        case "scheduler":
            yield f"scheduler:{operation}", "schedule/" + params["Name"]
            if "Target" in params:
                yield "iam:PassRole", "ScheduleRole"
        case "glue":
            name = params.get("Name") or params["TableInput"]["Name"]
            for resource in ("catalog", "database", f"table/{name}"):
                yield f"glue:{operation}", resource
        case "stepfunctions":
            arn = params.get("stateMachineArn") or params["executionArn"]
            yield f"states:{operation}", arn.split(":", 5)[5].replace(":sluice-", ":", 1)
        case _:
            yield f"{service}:{operation}", _ONLY.get(service, "?")


def _needed_in_dynamodb(operation: str, params: dict[str, Any]) -> Iterator[Access]:
    match operation:
        case "TransactWriteItems":
            for entry in params["TransactItems"]:
                ((part, request),) = entry.items()
                yield f"dynamodb:{_PARTS[part]}", _table(request, request.get("Key") or request["Item"])
        case "TransactGetItems":
            for entry in params["TransactItems"]:
                yield "dynamodb:GetItem", _table(entry["Get"], entry["Get"]["Key"])
        case "BatchGetItem" | "BatchWriteItem":
            for table, request in params["RequestItems"].items():
                keys = request["Keys"] if "Keys" in request else [entry["PutRequest"]["Item"] for entry in request]
                for key in keys:
                    yield f"dynamodb:{operation}", _table({"TableName": table}, key)
        case _:
            key = params.get("Key") or params.get("Item") or {"workspace_kind": _queried(params)}
            yield f"dynamodb:{operation}", _table(params, key)


def _table(request: dict[str, Any], key: dict[str, Any]) -> str:
    """A table, or an index of it; of a table whose partitions are kinds of definitions the partition, too."""
    if "IndexName" in request:
        return f"{request['TableName']}/index/{request['IndexName']}"
    kind = (key.get("workspace_kind") or {}).get("S", "").removeprefix("main#")
    return f"{request['TableName']}[{kind}]" if kind else request["TableName"]


def _queried(params: dict[str, Any]) -> dict[str, Any] | None:
    """The partition that a query reads."""
    if "#workspace_kind" not in params.get("ExpressionAttributeNames", {}):
        return None
    key: dict[str, Any] = params["ExpressionAttributeValues"][":pk"]
    return key


def _needed_in_s3(operation: str, params: dict[str, Any]) -> Iterator[Access]:
    bucket = params["Bucket"]
    named = f"{bucket}/{params.get('Key', '')}".replace("lake/main/", "lake/", 1)
    match operation:
        case "HeadObject" | "GetObject":
            versioned = "Version" if "VersionId" in params else ""
            yield f"s3:GetObject{versioned}", named
        case "CopyObject":
            source = params["CopySource"]
            versioned = "Version" if "VersionId" in source else ""
            yield f"s3:GetObject{versioned}", f"{source['Bucket']}/{source['Key']}".replace("lake/main/", "lake/", 1)
            yield "s3:PutObject", named
        case "CreateBucket":  # what botocore says when it signs a form for an upload
            yield "s3:PutObject", f"{bucket}/upload"
        case "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload":
            yield "s3:PutObject", named
        case "DeleteObjects":
            for removed in params["Delete"]["Objects"]:
                version = "Version" if "VersionId" in removed else ""
                yield f"s3:DeleteObject{version}", f"{bucket}/{removed['Key']}".replace("lake/main/", "lake/", 1)
        case "ListObjectsV2":
            yield "s3:ListBucket", bucket
        case "ListObjectVersions":
            yield "s3:ListBucketVersions", bucket
        case _:
            yield f"s3:{operation}", named


def _as_function(function: str, handler: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(handler)
    def handle(*arguments: Any, **named: Any) -> Any:
        with acting(function):
            return handler(*arguments, **named)

    return handle


def _in_this_context(self: ThreadPoolExecutor, task: Any, /, *args: Any, **more: Any) -> Any:
    return _submit(self, copy_context().run, task, *args, **more)


def install() -> None:
    """Have handlers that are imported from now on note whose calls they make, in threads of theirs, too."""
    for entry, function in _ENTRIES.items():
        module, _, name = entry.rpartition(".")
        home = importlib.import_module(module)
        setattr(home, name, _as_function(function, getattr(home, name)))
    for function in FUNCTIONS:
        app: Any = importlib.import_module(f"{function}.app")
        app.handler = _as_function(function, app.handler)
    ThreadPoolExecutor.submit = _in_this_context  # type: ignore[method-assign, assignment]
