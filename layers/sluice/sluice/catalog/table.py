"""One DynamoDB table, read and written in plain Python values.

Every write has a condition. If it does not hold, `ConditionFailed` is raised with the stored item, so
that the caller can tell "does not exist" from "was changed meanwhile" without a read.

Naming in this package: a method whose name ends in `_write` (`put_write`, `finish_write`) changes
nothing. It returns a `Write`, to be executed together with others by `transactions.transact`. A method
of the same name without the suffix executes that write at once. `require_…_write` is a write that
changes nothing and only has a condition: the transaction fails if it does not hold.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from sluice.aws import translated
from sluice.catalog.values import decode, encode
from sluice.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]


class ConditionFailed(Exception):
    """A write's condition did not hold.

    Args:
        item: the stored item; None if there is none.
        position: the index of the write within its transaction.
    """

    def __init__(self, item: Item | None, position: int = 0) -> None:
        super().__init__("the condition did not hold")
        self.item = item
        self.position = position


@dataclass(frozen=True)
class Page:
    """One page of a query.

    Args:
        last_key: the key to continue after; None on the last page.
    """

    items: list[Item]
    last_key: Item | None


@dataclass
class Write:
    """One write, to be executed alone or within a transaction.

    Args:
        table: the table's name.
        action: `Put`, `Update`, `Delete` or `ConditionCheck`.
        request: the parameters of the call, without the table's name.
    """

    table: str
    action: str
    request: dict[str, Any] = field(default_factory=dict)


@cache
def _names(*expressions: str | None) -> dict[str, str]:
    names = {name for text in expressions if text for name in re.findall(r"#(\w+)", text)}
    return {f"#{name}": name for name in names}


def _conditional(request: dict[str, Any], expressions: Sequence[str | None], values: Item) -> dict[str, Any]:
    if names := _names(*expressions):
        request["ExpressionAttributeNames"] = names
    if values:
        request["ExpressionAttributeValues"] = encode({f":{key}": value for key, value in values.items()})
    return request


class Table:
    """A table and the calls that the catalog makes on it.

    In conditions, `#name` stands for the attribute of that name and `:value` for an entry of `values`.
    """

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        self.client = client
        self.name = name

    def get(self, key: Item) -> Item | None:
        """The item with this key, read consistently; None if there is none."""
        with translated_errors():
            answer = self.client.get_item(TableName=self.name, Key=encode(key), ConsistentRead=True)
        return decode(answer.get("Item"))

    def put(self, item: Item, condition: str, values: Item | None = None) -> Write:
        """A write of a whole item; attributes that are None are left out."""
        kept = {name: value for name, value in item.items() if value is not None}
        request = {"Item": encode(kept), "ConditionExpression": condition}
        return Write(self.name, "Put", _conditional(request, [condition], values or {}))

    def update(
        self,
        key: Item,
        changes: Item,
        condition: str,
        values: Item | None = None,
        *,
        add: Item | None = None,
        once: Item | None = None,
        append: dict[str, list[Any]] | None = None,
        discard: Item | None = None,
    ) -> Write:
        """A write of some attributes.

        Args:
            changes: the new values by attribute; None removes the attribute.
            add: amounts to add to numbers, and members to add to sets.
            once: values of attributes that are set only if they do not exist.
            append: elements to append to lists; a list that does not exist is created.
            discard: members to remove from sets.
        """
        sets = [f"#{name} = :set_{name}" for name, value in changes.items() if value is not None]
        sets += [f"#{name} = if_not_exists(#{name}, :once_{name})" for name in once or {}]
        sets += [f"#{name} = list_append(if_not_exists(#{name}, :none_yet), :more_{name})" for name in append or {}]
        removes = [f"#{name}" for name, value in changes.items() if value is None]
        adds = [f"#{name} :add_{name}" for name in (add or {})]
        deletes = [f"#{name} :delete_{name}" for name in (discard or {})]
        clauses = [("SET", sets), ("REMOVE", removes), ("ADD", adds), ("DELETE", deletes)]
        expression = " ".join(f"{verb} {', '.join(parts)}" for verb, parts in clauses if parts)
        bound = {f"set_{name}": value for name, value in changes.items() if value is not None}
        bound |= {f"add_{name}": value for name, value in (add or {}).items()}
        bound |= {f"once_{name}": value for name, value in (once or {}).items()}
        bound |= {f"more_{name}": value for name, value in (append or {}).items()}
        bound |= {f"delete_{name}": value for name, value in (discard or {}).items()}
        bound |= {"none_yet": []} if append else {}
        request = {"Key": encode(key), "UpdateExpression": expression, "ConditionExpression": condition}
        return Write(self.name, "Update", _conditional(request, [expression, condition], bound | (values or {})))

    def delete(self, key: Item, condition: str, values: Item | None = None) -> Write:
        """A write that deletes an item."""
        request = {"Key": encode(key), "ConditionExpression": condition}
        return Write(self.name, "Delete", _conditional(request, [condition], values or {}))

    def check(self, key: Item, condition: str, values: Item | None = None) -> Write:
        """A condition on an item that the transaction does not change."""
        request = {"Key": encode(key), "ConditionExpression": condition}
        return Write(self.name, "ConditionCheck", _conditional(request, [condition], values or {}))

    def put_many(self, items: Sequence[Item]) -> None:
        """Store items without a condition, in any order and not all at once; each replaces one of the same key.

        Raises:
            Unavailable: DynamoDB throttled; some of the items may be stored.
        """
        for first in range(0, len(items), _MAX_BATCH_WRITES):
            some: Any = [{"PutRequest": {"Item": encode(item)}} for item in items[first : first + _MAX_BATCH_WRITES]]
            for pause in (0.05, 0.1, 0.2, 0.4, 0.8, 1.6):
                with translated_errors():
                    answer = self.client.batch_write_item(RequestItems={self.name: some})
                some = answer.get("UnprocessedItems", {}).get(self.name, [])
                if not some:
                    break
                time.sleep(pause)
            else:
                raise Unavailable("DynamoDB throttled; try again.")

    def execute(self, write: Write) -> Item | None:
        """Execute one write.

        Returns:
            After an update, the new item; otherwise None.

        Raises:
            ConditionFailed: the condition did not hold; nothing was written.
        """
        request = {"TableName": self.name, "ReturnValuesOnConditionCheckFailure": "ALL_OLD", **write.request}
        with translated_errors():
            if write.action == "Put":
                self.client.put_item(**request)
                return None
            if write.action == "Delete":
                self.client.delete_item(**request)
                return None
            return decode(self.client.update_item(ReturnValues="ALL_NEW", **request).get("Attributes"))

    def query(
        self,
        condition: str,
        values: Item,
        *,
        index: str | None = None,
        limit: int | None = None,
        after: Item | None = None,
        newest_first: bool = False,
    ) -> Page:
        """One page of the items that a key condition selects, in the order of the sort key.

        Args:
            index: a secondary index to read instead of the table; such a read is not consistent.
            limit: the most items.
            after: the key of the item that the page begins after.
        """
        request: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": condition,
            "ScanIndexForward": not newest_first,
        }
        if index:
            request["IndexName"] = index
        else:
            request["ConsistentRead"] = True
        if limit:
            request["Limit"] = limit
        if after:
            request["ExclusiveStartKey"] = encode(after)
        with translated_errors():
            answer = self.client.query(**_conditional(request, [condition], values))
        items = [decode(item) or {} for item in answer.get("Items", [])]
        return Page(items, decode(answer.get("LastEvaluatedKey")))

    def query_all(
        self, condition: str, values: Item, *, index: str | None = None, newest_first: bool = False
    ) -> Iterator[Item]:
        """Every item that a key condition selects, in the order of the sort key; pages are read as they are needed."""
        after: Item | None = None
        while True:
            page = self.query(condition, values, index=index, after=after, newest_first=newest_first)
            yield from page.items
            if page.last_key is None:
                return
            after = page.last_key

    def scan_all(self) -> Iterator[Item]:
        """Every item of the table, in no particular order; for migrations only, since it reads the whole table."""
        request: dict[str, Any] = {"TableName": self.name, "ConsistentRead": True}
        while True:
            with translated_errors():
                answer = self.client.scan(**request)
            yield from (decode(item) or {} for item in answer.get("Items", []))
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


# DynamoDB's limit for BatchWriteItem.
_MAX_BATCH_WRITES = 25


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise `ConditionFailed`, or an error of `sluice.errors`, in place of botocore's errors."""
    try:
        with translated():
            yield
    except ClientError as error:
        _raise_condition(error)
        raise


def _raise_condition(error: ClientError) -> None:
    code = error.response.get("Error", {}).get("Code", "")
    response: Any = error.response
    if code == "ConditionalCheckFailedException":
        raise ConditionFailed(decode(response.get("Item"))) from None
    if code == "TransactionCanceledException":
        for position, reason in enumerate(response.get("CancellationReasons", [])):
            if reason.get("Code") == "ConditionalCheckFailed":
                raise ConditionFailed(decode(reason.get("Item")), position) from None
        raise Unavailable("Another request is changing the same items; try again.") from error
