"""One DynamoDB table, spoken to in plain Python values.

Every write carries a condition; a refused one raises `ConditionFailed` with the item that stood
in its way, so that the caller can tell "not there" from "changed meanwhile" without a read.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from sluice.aws import translated
from sluice.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]
T = TypeVar("T")


class ConditionFailed(Exception):
    """A write's condition did not hold; `item` is what is stored, if anything is."""

    def __init__(self, item: Item | None, position: int = 0) -> None:
        super().__init__("the condition did not hold")
        self.item = item
        self.position = position


@dataclass(frozen=True)
class Page:
    """One page of a query: its items and, if more follow, the key to go on from."""

    items: list[Item]
    last_key: Item | None


@dataclass
class Write:
    """One write, to be done alone or within a transaction."""

    table: str
    action: str
    request: dict[str, Any] = field(default_factory=dict)


def _encode(values: Item) -> Item:
    return {key: _typed(value) for key, value in values.items()}


def _typed(value: Any) -> dict[str, Any]:
    """A value as DynamoDB takes it; boto3's own serializer would import all of boto3."""
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int() | Decimal():
            return {"N": str(value)}
        case float():
            return {"N": repr(value)}
        case None:
            return {"NULL": True}
        case dict():
            return {"M": {str(key): _typed(inner) for key, inner in value.items()}}
        case list() | tuple():
            return {"L": [_typed(inner) for inner in value]}
        case set():
            return {"SS": sorted(value)}
        case _:
            raise TypeError(f"DynamoDB takes no {type(value).__name__}")


def _decode(item: Item | None) -> Item | None:
    if not item:
        return None
    return {key: _plain(value) for key, value in item.items()}


def _plain(typed: dict[str, Any]) -> Any:
    ((kind, value),) = typed.items()
    match kind:
        case "N":
            return int(value) if value.lstrip("-").isdigit() else _number(value)
        case "NULL":
            return None
        case "M":
            return {key: _plain(inner) for key, inner in value.items()}
        case "L":
            return [_plain(inner) for inner in value]
        case _:
            return value


def _number(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() else number


def _names(*expressions: str | None) -> dict[str, str]:
    found = {name for text in expressions if text for name in re.findall(r"#(\w+)", text)}
    return {f"#{name}": name for name in found}


def _conditional(request: dict[str, Any], expressions: Sequence[str | None], values: Item) -> dict[str, Any]:
    if names := _names(*expressions):
        request["ExpressionAttributeNames"] = names
    if values:
        request["ExpressionAttributeValues"] = _encode({f":{key}": value for key, value in values.items()})
    return request


class Table:
    """A table and the few calls that the catalog makes on it.

    In conditions and updates `#name` stands for the attribute of that name and `:value` for an
    entry of `values`.
    """

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        self.client = client
        self.name = name

    def get(self, key: Item) -> Item | None:
        """The item with this key, read consistently; none if there is none."""
        with _conditions():
            answer = self.client.get_item(TableName=self.name, Key=_encode(key), ConsistentRead=True)
        return _decode(answer.get("Item"))

    def put(self, item: Item, condition: str, values: Item | None = None) -> Write:
        """A write of a whole item."""
        kept = {name: value for name, value in item.items() if value is not None}
        request = {"Item": _encode(kept), "ConditionExpression": condition}
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
        """A write of some attributes; a null removes its attribute.

        Args:
            add: what is added to numbers and sets.
            once: what is set unless it is there.
            append: what is added to lists.
            discard: what is removed from sets.
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
        request = {"Key": _encode(key), "UpdateExpression": expression, "ConditionExpression": condition}
        return Write(self.name, "Update", _conditional(request, [expression, condition], bound | (values or {})))

    def delete(self, key: Item, condition: str, values: Item | None = None) -> Write:
        """A removal of an item."""
        request = {"Key": _encode(key), "ConditionExpression": condition}
        return Write(self.name, "Delete", _conditional(request, [condition], values or {}))

    def check(self, key: Item, condition: str, values: Item | None = None) -> Write:
        """A condition on an item that a transaction does not change."""
        request = {"Key": _encode(key), "ConditionExpression": condition}
        return Write(self.name, "ConditionCheck", _conditional(request, [condition], values or {}))

    def do(self, write: Write) -> Item | None:
        """Do one write.

        Returns:
            The new item for an update, else none.

        Raises:
            ConditionFailed: the condition did not hold; nothing was written.
        """
        request = {"TableName": self.name, "ReturnValuesOnConditionCheckFailure": "ALL_OLD", **write.request}
        with _conditions():
            if write.action == "Put":
                self.client.put_item(**request)
                return None
            if write.action == "Delete":
                self.client.delete_item(**request)
                return None
            return _decode(self.client.update_item(ReturnValues="ALL_NEW", **request).get("Attributes"))

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
        """One page of the items under a key condition, in the order of the sort key."""
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
            request["ExclusiveStartKey"] = _encode(after)
        with _conditions():
            answer = self.client.query(**_conditional(request, [condition], values))
        items = [_decode(item) or {} for item in answer.get("Items", [])]
        return Page(items, _decode(answer.get("LastEvaluatedKey")))

    def query_all(
        self, condition: str, values: Item, *, index: str | None = None, newest_first: bool = False
    ) -> Iterator[Item]:
        """Every item under a key condition, page after page."""
        after: Item | None = None
        while True:
            page = self.query(condition, values, index=index, after=after, newest_first=newest_first)
            yield from page.items
            if page.last_key is None:
                return
            after = page.last_key

    def scan_all(self) -> Iterator[Item]:
        """Every item of the table, in no order: for migrations only."""
        request: dict[str, Any] = {"TableName": self.name, "ConsistentRead": True}
        while True:
            with _conditions():
                answer = self.client.scan(**request)
            yield from (_decode(item) or {} for item in answer.get("Items", []))
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


MOST_TOGETHER = 100


def batch_get(client: DynamoDBClient, wanted: Sequence[tuple[Table, Item]]) -> list[Item | None]:
    """Items of several tables by one request, read consistently; none where there is none."""
    request: dict[str, Any] = {}
    for table, key in wanted:
        request.setdefault(table.name, {"Keys": [], "ConsistentRead": True})["Keys"].append(_encode(key))
    found: dict[str, list[Item]] = {}
    while request:
        with _conditions():
            answer = client.batch_get_item(RequestItems=request)
        for name, items in answer["Responses"].items():
            found.setdefault(name, []).extend(_decode(item) or {} for item in items)
        request = answer.get("UnprocessedKeys") or {}
    return [
        next((item for item in found.get(table.name, []) if key.items() <= item.items()), None) for table, key in wanted
    ]


def transact_get(client: DynamoDBClient, wanted: Sequence[tuple[Table, Item]]) -> list[Item | None]:
    """Items as they were at one moment: all before a transaction, or all after it; none where there is none.

    Raises:
        Unavailable: DynamoDB throttled, or a transaction holds an item; try again.
    """
    entries: Any = [{"Get": {"TableName": table.name, "Key": _encode(key)}} for table, key in wanted]
    answer = _in_turn(lambda: client.transact_get_items(TransactItems=entries))
    return [_decode(one.get("Item")) for one in answer["Responses"]]


def transact(client: DynamoDBClient, writes: Sequence[Write]) -> None:
    """Do all writes or none.

    Raises:
        ConditionFailed: naming the position of the first write whose condition did not hold.
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
    _in_turn(lambda: client.transact_write_items(TransactItems=entries))


def _in_turn(transaction: Callable[[], T]) -> T:
    """Try a transaction until no other one holds its items: the second one's turn comes soon."""
    for pause in (0.02, 0.05, 0.1, 0.2, 0.4):
        try:
            with _conditions():
                return transaction()
        except Unavailable:
            time.sleep(pause)
    with _conditions():
        return transaction()


@contextmanager
def _conditions() -> Iterator[None]:
    """Within this context a condition that did not hold becomes `ConditionFailed`."""
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
        raise ConditionFailed(_decode(response.get("Item"))) from None
    if code == "TransactionCanceledException":
        for position, reason in enumerate(response.get("CancellationReasons", [])):
            if reason.get("Code") == "ConditionalCheckFailed":
                raise ConditionFailed(_decode(reason.get("Item")), position) from None
        raise Unavailable("Another change of the same things is under way; try again.") from error
