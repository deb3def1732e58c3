"""A stack's tables as `sluice migrate` sees them."""

from __future__ import annotations

from typing import Any

import boto3

from policies import expanded
from sluice.catalog import migration
from sluice.catalog.table import Table
from sluice.container import Container
from sluice_cli.local.migrate import _TABLES


def put(table: str, item: dict[str, Any]) -> None:
    """Store an item as another release would."""
    boto3.resource("dynamodb").Table(table).put_item(Item=item)


def stored(services: Container) -> list[migration.Stored]:
    """The tables that a migration looks at."""
    client = services.definitions._table.client
    return [migration.Stored(name, Table(client, name), key) for name, key in _TABLES.items()]


class CloudFormation:
    """A stack of the template's resources, listed a hundred at a time as AWS does.

    Args:
        without: resources that the release of this stack does not have.
    """

    def __init__(self, *without: str) -> None:
        names = sorted((name for name in expanded()["Resources"] if name not in without), reverse=True)
        summaries = [{"LogicalResourceId": name, "PhysicalResourceId": name} for name in names]
        self._pages = [summaries[start : start + 100] for start in range(0, len(summaries), 100)]

    def get_paginator(self, operation: str) -> CloudFormation:
        assert operation == "list_stack_resources"
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        return [{"StackResourceSummaries": page} for page in self._pages]
