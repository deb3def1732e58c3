"""Prints the permissions of each role in the template: one line for each resource, with the allowed actions.

`python tools/policies.py --write` also writes `docs/reference/policies.txt`, which a test compares with the template.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/reference/policies.txt"
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
HEADING = """\
The permissions of each role in the template: a resource, then the allowed actions. Written by `make policies`.
A table of definitions has the allowed kinds of definitions in brackets, where not all are allowed; after a colon
are the only attributes that a request may name. A bucket's name alone means the bucket itself, `name/prefix/*`
its objects.
"""
# The parts of an ARN that all of the stack's resources have in common.
_COMMON = re.compile(
    r"arn:\$\{AWS::Partition\}:(\w+):(?:\$\{AWS::Region\})?:(?:\$\{AWS::AccountId\})?:"
    r"|\$\{AWS::StackName\}[-/]|\$\{Workspace\}[/#]|-\$\{AWS::AccountId\}-\$\{AWS::Region\}"
)
_SHORT = {
    "LakeBucket": "lake",
    "InboxBucket": "inbox",
    "/${GlueDatabase}": "",
    "/${ScheduleGroup}": "",
}


class _NoManagedPolicies(ManagedPolicyLoader):  # type: ignore[misc] # a package without types
    def __init__(self) -> None:
        super().__init__(iam_client=None)

    def load(self) -> dict[str, str]:
        return {}


@dataclass(frozen=True)
class Grant:
    """One allowed action on one resource.

    Args:
        action: in IAM's form, such as `dynamodb:GetItem`.
        resource: the resource's short name, in which `*` matches anything.
    """

    action: str
    resource: str


@cache
def expanded() -> dict[str, Any]:
    """The template as CloudFormation gets it, with SAM's resources expanded.

    Returns:
        The whole template; it is computed once and must not be changed.
    """
    source = yaml_parse((ROOT / "template.yaml").read_text())
    document = json.loads(json.dumps(source))
    for resource in document["Resources"].values():
        properties = resource.get("Properties", {})
        for name in ("ContentUri", "CodeUri"):
            if name in properties:
                properties[name] = "s3://bucket/key"
        if "DefinitionUri" in properties:
            properties["Definition"] = json.loads((ROOT / properties.pop("DefinitionUri")).read_text())
    document["Globals"]["Function"]["CodeUri"] = "s3://bucket/key"
    parameters = {name: value.get("Default", "") for name, value in source["Parameters"].items()}
    parameters["AWS::Region"] = "eu-west-1"
    before = os.environ.get("AWS_DEFAULT_REGION")
    os.environ["AWS_DEFAULT_REGION"] = "eu-west-1"  # SAM's translator gets the partition from boto3's region
    try:
        return dict(transform(document, parameters, _NoManagedPolicies()))
    finally:
        if before is None:
            del os.environ["AWS_DEFAULT_REGION"]
        else:
            os.environ["AWS_DEFAULT_REGION"] = before


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    """The properties of all resources of a type in the expanded template, by logical id.

    Args:
        kind: such as `AWS::IAM::Role`.
    """
    resources = expanded()["Resources"].items()
    return {name: resource.get("Properties", {}) for name, resource in resources if resource["Type"] == kind}


def statements(role: str) -> Iterator[dict[str, Any]]:
    """The policy statements of a role, including those of the template's managed policies."""
    properties = of_type("AWS::IAM::Role")[role]
    managed = [arn["Ref"] for arn in properties.get("ManagedPolicyArns", []) if isinstance(arn, dict) and "Ref" in arn]
    documents = [of_type("AWS::IAM::ManagedPolicy")[name]["PolicyDocument"] for name in managed]
    documents += [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
    for document in documents:
        for statement in _listed(document["Statement"]):
            # Of an optional part of the stack: what is allowed where it exists.
            yield statement["Fn::If"][1] if "Fn::If" in statement else statement


def grants(role: str) -> set[Grant]:
    """The permissions of a role.

    Args:
        role: its logical id.

    Raises:
        ValueError: a statement denies something, or has a condition that this module cannot evaluate.
    """
    allowed = set()
    for statement in statements(role):
        if statement["Effect"] != "Allow":
            raise ValueError(f"{role} has a Deny statement; allow less instead")
        kinds = _kinds(statement.get("Condition", {}))
        for target in _listed(statement["Resource"]):
            resource = resource_name(target)
            for kind in kinds:
                name = f"{resource}[{kind}]" if kind else resource
                allowed |= {Grant(action, name) for action in _listed(statement["Action"])}
    return allowed


def _kinds(condition: dict[str, Any]) -> list[str]:
    """The partitions of a table that a condition allows; a single empty name means all."""
    for comparison in ("ForAllValues:StringEquals", "ForAllValues:StringLike"):
        leading = condition.get(comparison, {}).get("dynamodb:LeadingKeys")
        attributes = condition.get(comparison, {}).get("dynamodb:Attributes")
        if leading is not None and len(condition) == 1:
            suffix = f": {' '.join(sorted(attributes))}" if attributes else ""
            return [_short(key["Fn::Sub"]) + suffix for key in leading]
    if condition not in ({}, {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}):
        raise ValueError(f"unsupported condition: {condition}")
    return [""]


def resource_name(target: Any) -> str:
    """A resource's short name.

    Args:
        target: an ARN, or a CloudFormation function that makes one.
    """
    if isinstance(target, str):
        return _short(target)
    ((function, value),) = target.items()
    match function:
        case "Fn::GetAtt":
            return _short(str(value[0]))
        case "Ref":
            return str(value)
        case _:
            return _short(str(value))


def _short(text: str) -> str:
    text = re.sub(r"\$\{(\w+)\.Arn\}", r"\1", _COMMON.sub("", text))
    for name, short in _SHORT.items():
        text = text.replace(name, short)
    return text


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def roles() -> dict[str, str]:
    """The logical ids of all roles: a function's role under the function's name, others under their own."""
    ids = {f"{_logical(name)}Role": name for name in FUNCTIONS}
    return {ids.get(role, role): role for role in of_type("AWS::IAM::Role")}


def _logical(function: str) -> str:
    return "".join(part.capitalize() for part in function.split("_")) + "Function"


def matrix() -> str:
    """The permissions of all roles, as the text of `docs/reference/policies.txt`."""
    lines = [HEADING]
    for name, role in sorted(roles().items()):
        lines.append(f"\n{name}\n")
        verbs: dict[str, set[str]] = {}
        for grant in grants(role):
            verbs.setdefault(grant.resource, set()).add(grant.action)
        for resource, actions in sorted(_by_kinds(verbs)):
            lines.append(f"  {resource:<36}  {actions}\n")
        if not verbs:
            lines.append("  nothing but its logs\n")
    return "".join(lines)


def _by_kinds(verbs: dict[str, set[str]]) -> Iterator[tuple[str, str]]:
    """The lines of a role; kinds in one table with the same actions share a line."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for resource, actions in verbs.items():
        table, _, kind = resource.partition("[")
        grouped.setdefault((table, _format_actions(actions)), []).append(kind.rstrip("]"))
    for (table, action_text), kinds in grouped.items():
        yield (table if kinds == [""] else f"{table}[{', '.join(sorted(kinds))}]"), action_text


def _format_actions(actions: set[str]) -> str:
    services = sorted({action.partition(":")[0] for action in actions})
    texts = [
        f"{service}: " + " ".join(sorted(action.partition(":")[2] for action in actions if action.startswith(service)))
        for service in services
    ]
    return "; ".join(texts)


def main() -> int:
    """Print the permissions, and write them with `--write`.

    Returns:
        The exit code.
    """
    text = matrix()
    print(text, end="")
    if "--write" in sys.argv:
        PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
