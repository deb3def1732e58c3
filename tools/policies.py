"""Prints what each role of the template may do: one line for each resource, with the verbs.

`python tools/policies.py --write` writes it to `docs/policies.txt`, too, which a test compares with the template.
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
PAGE = ROOT / "docs/policies.txt"
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
HEADING = """\
What each role of the template may do: a resource, then the verbs. Written by `make policies`.
A table of definitions names the kinds of definitions in brackets where not all are allowed. A bucket's name
alone stands for the bucket itself, `name/prefix/*` for its objects.
"""
# What stands before the part of an address that tells resources apart.
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
    """One action on one resource, as a policy allows it.

    Args:
        action: as IAM names it, such as `dynamodb:GetItem`.
        resource: the resource's short name; a star stands for anything.
    """

    action: str
    resource: str


@cache
def expanded() -> dict[str, Any]:
    """The template as CloudFormation gets it: SAM's resources replaced by those that they stand for."""
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
    os.environ["AWS_DEFAULT_REGION"] = "eu-west-1"  # SAM asks boto3 for the partition
    try:
        return dict(transform(document, parameters, _NoManagedPolicies()))
    finally:
        if before is None:
            del os.environ["AWS_DEFAULT_REGION"]
        else:
            os.environ["AWS_DEFAULT_REGION"] = before


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    """The properties of all resources of a type in the expanded template, by logical id."""
    found = expanded()["Resources"].items()
    return {name: resource.get("Properties", {}) for name, resource in found if resource["Type"] == kind}


def statements(role: str) -> Iterator[dict[str, Any]]:
    """The statements of a role, those of the template's managed policies included."""
    properties = of_type("AWS::IAM::Role")[role]
    managed = [arn["Ref"] for arn in properties.get("ManagedPolicyArns", []) if isinstance(arn, dict) and "Ref" in arn]
    documents = [of_type("AWS::IAM::ManagedPolicy")[name]["PolicyDocument"] for name in managed]
    documents += [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
    for document in documents:
        yield from _listed(document["Statement"])


def grants(role: str) -> set[Grant]:
    """What a role may do.

    Raises:
        ValueError: a statement denies something, or has a condition that is not known here.
    """
    found = set()
    for statement in statements(role):
        if statement["Effect"] != "Allow":
            raise ValueError(f"{role}: grant less instead of denying")
        kinds = _kinds(statement.get("Condition", {}))
        for target in _listed(statement["Resource"]):
            resource = resource_name(target)
            for kind in kinds:
                named = f"{resource}[{kind}]" if kind else resource
                found |= {Grant(action, named) for action in _listed(statement["Action"])}
    return found


def _kinds(condition: dict[str, Any]) -> list[str]:
    """The partitions that a condition leaves of a table; one empty name for all."""
    leading = condition.get("ForAllValues:StringEquals", {}).get("dynamodb:LeadingKeys")
    if leading is not None and len(condition) == 1:
        return [_short(key["Fn::Sub"]) for key in leading]
    if condition not in ({}, {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}):
        raise ValueError(f"a condition that is not known: {condition}")
    return [""]


def resource_name(target: Any) -> str:
    """A resource's name without what all of the stack's resources have in common."""
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
    """The roles' names: each function's under that of the function, the others' under their own."""
    ids = {f"{_logical(name)}Role": name for name in FUNCTIONS}
    return {ids.get(role, role): role for role in of_type("AWS::IAM::Role")}


def _logical(function: str) -> str:
    return "".join(part.capitalize() for part in function.split("_")) + "Function"


def matrix() -> str:
    """The whole matrix as text."""
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
    """The lines of a role: kinds of one table with the same verbs share one."""
    together: dict[tuple[str, str], list[str]] = {}
    for resource, actions in verbs.items():
        table, _, kind = resource.partition("[")
        together.setdefault((table, _told(actions)), []).append(kind.rstrip("]"))
    for (table, verb_list), kinds in together.items():
        yield (table if kinds == [""] else f"{table}[{', '.join(sorted(kinds))}]"), verb_list


def _told(actions: set[str]) -> str:
    services = sorted({action.partition(":")[0] for action in actions})
    told = [
        f"{service}: " + " ".join(sorted(action.partition(":")[2] for action in actions if action.startswith(service)))
        for service in services
    ]
    return "; ".join(told)


def main() -> int:
    """Print the matrix, and write it if asked to."""
    text = matrix()
    print(text, end="")
    if "--write" in sys.argv:
        PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
