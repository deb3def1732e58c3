"""Reading and writing items of several tables by one request."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from sluice.catalog.table import Item, Table, Write, translated_errors
from sluice.catalog.values import decode, encode
from sluice.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")

# DynamoDB's limit for BatchGetItem and for TransactGetItems.
MAX_BATCH_ITEMS = 100


def batch_get(client: DynamoDBClient, keys: Sequence[tuple[Table, Item]]) -> list[Item | None]:
    """Items of several tables by one request, each read consistently.

    Args:
        keys: tables and keys, at most `MAX_BATCH_ITEMS`, none of them twice.

    Returns:
        The items in the order of `keys`; None for an item that does not exist.
    """
    request: dict[str, Any] = {}
    for table, key in keys:
        request.setdefault(table.name, {"Keys": [], "ConsistentRead": True})["Keys"].append(encode(key))
    items_by_key: dict[tuple[str, ...], Item] = {}
    names = {table.name: sorted(key) for table, key in keys}
    while request:
        with translated_errors():
            answer = client.batch_get_item(RequestItems=request)
        for name, items in answer["Responses"].items():
            for item in map(decode, items):
                if item:
                    items_by_key[name, *(item[attribute] for attribute in names[name])] = item
        request = answer.get("UnprocessedKeys") or {}
    # The response has the items in any order, and leaves out those that do not exist.
    return [items_by_key.get((table.name, *(key[attribute] for attribute in names[table.name]))) for table, key in keys]


def transact_get(client: DynamoDBClient, keys: Sequence[tuple[Table, Item]]) -> list[Item | None]:
    """Items as they were at one moment: no transaction is seen in part.

    Args:
        keys: tables and keys, at most `MAX_BATCH_ITEMS`.

    Returns:
        The items in the order of `keys`; None for an item that does not exist.

    Raises:
        Unavailable: DynamoDB throttled, or a transaction holds an item; try again.
    """
    entries: Any = [{"Get": {"TableName": table.name, "Key": encode(key)}} for table, key in keys]
    answer = _retry_conflicts(lambda: client.transact_get_items(TransactItems=entries))
    return [decode(response.get("Item")) for response in answer["Responses"]]


def transact(client: DynamoDBClient, writes: Sequence[Write]) -> None:
    """Execute all writes or none.

    Args:
        writes: at most 100, each of another item: DynamoDB's limits.

    Raises:
        ConditionFailed: a condition did not hold; `position` is the index of the first such write.
        Unavailable: DynamoDB throttled, or another transaction holds an item; try again.
    """
    entries: Any = [
        {
            write.action: {
                "TableName": write.table,
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                **write.request,
            }
        }
        for write in writes
    ]
    _retry_conflicts(lambda: client.transact_write_items(TransactItems=entries))


def _retry_conflicts(transaction: Callable[[], T]) -> T:
    """Execute a transaction; repeat it for 0.8 s while another transaction holds one of its items."""
    # DynamoDB cancels the later of two transactions at once instead of queueing it. A transaction takes some
    # milliseconds, so a short pause is enough.
    for pause in (0.02, 0.05, 0.1, 0.2, 0.4):
        try:
            with translated_errors():
                return transaction()
        except Unavailable:
            time.sleep(pause)
    with translated_errors():
        return transaction()
