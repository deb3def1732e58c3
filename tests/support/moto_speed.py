"""Moto without what it computes again and again.

Each replacement stands in `REPLACEMENTS` with the class or module and the name that it replaces.
`tests/unit/test_moto.py` compares the answers with those of moto as it was installed.
"""

from __future__ import annotations

import copy
import pickle
import re
from abc import ABCMeta
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest
from botocore.useragent import UserAgentString
from moto.backend_index import backend_url_patterns
from moto.backends import get_backend
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.exceptions import HTTPException  # type: ignore[attr-defined] # not exported
from moto.core.request import normalize_request
from moto.dynamodb import responses
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table
from moto.dynamodb.models.utilities import dynamo_to_dict
from moto.dynamodb.parsing.ast_nodes import (  # type: ignore[attr-defined] # module without types
    DepthFirstTraverser,
    Node,
)
from moto.dynamodb.parsing.expressions import UpdateExpressionParser  # type: ignore[attr-defined] # module without types
from moto.dynamodb.parsing.validators import ActionCountValidator, OverlappingPathsValidator, Validator

from support.moto_dynamodb import ACCOUNT

_parse_update = UpdateExpressionParser.make
_parse_condition = ConditionExpressionParser.parse
_lex_condition = ConditionExpressionParser._lex_condition_expression
_update_item = DynamoDBBackend.update_item
_process_request = BotocoreStubber.process_request
_size_of, _to_json = DynamoType.size, DynamoType.to_regular_json
_dynamo_to_dict = dynamo_to_dict
_MOST_BYTES = 405_000  # moto's limit for an item


# ── Update expressions ──


@cache
def _parsed(expression: str) -> Any:
    return _parse_update(expression)


@cache
def _pickled(node: Node) -> bytes:
    return pickle.dumps(node)


def _set_up(
    self: Any,
    expression: Node,
    expression_attribute_names: Any,
    expression_attribute_values: Any,
    item: Item,
    table: Table,
) -> None:
    """The validator's constructor, which copies the parsed expression faster than `copy.deepcopy` does."""
    self.expression_attribute_names = expression_attribute_names
    self.expression_attribute_values = expression_attribute_values
    self.item = item
    self.table = table
    self.processors = self.get_ast_processors()
    self.node_to_validate = pickle.loads(_pickled(expression))


def _process_root(self: DepthFirstTraverser, node: Node) -> Node:
    """The processing of the root alone: these validators look at all nodes below the one that they process."""
    return self.process(node)


class _Kinds(dict[type, bool]):
    """Which classes are subclasses of some others."""

    def __init__(self, *bases: type) -> None:
        self._bases = bases

    def __missing__(self, kind: type) -> bool:
        self[kind] = issubclass(kind, self._bases)
        return self[kind]


_nodes = _Kinds(Node)
_processed: dict[type, _Kinds] = {}


def _traverse(self: Any, node: Any, child_id: int = -1) -> Any:
    """The walk through a parsed expression, which does not ask every node anew for its class."""
    if not _nodes[type(node)]:
        return node
    kind = type(self)
    if kind not in _processed:
        _processed[kind] = _Kinds(*self.nodes_to_be_processed())
    prepares = kind.pre_processing_of_child is not DepthFirstTraverser.pre_processing_of_child
    return _walk(self, node, child_id, _processed[kind], self.pre_processing_of_child if prepares else None)


def _walk(self: Any, node: Any, child_id: int, processed: _Kinds, prepare: Callable[[Any, int], None] | None) -> Any:
    parent = node.parent
    for position, child in enumerate(node.children or ()):
        if prepare is not None:
            prepare(node, position)
        if _nodes[type(child)]:
            _walk(self, child, position, processed, prepare)
    if processed[type(node)]:
        node = self.process(node)
        node.parent = parent
        if parent:
            parent.children[child_id] = node
    return node


class _PlainInstanceCheck(ABCMeta):
    """The metaclass of nodes: no class is registered with them, so `isinstance` needs no registry."""

    __instancecheck__ = type.__instancecheck__


def _classes_of(kind: type[Any]) -> Iterator[type[Any]]:
    yield kind
    for subclass in kind.__subclasses__():
        yield from _classes_of(subclass)


# ── Conditions ──

_conditions: dict[tuple[str, str, str], tuple[Any, list[str], list[str]]] = {}


@cache
def _lexed(expression: str) -> tuple[Any, ...]:
    return tuple(_lex_condition(ConditionExpressionParser(expression, None, None)))


def _condition(self: ConditionExpressionParser) -> Any:
    """The parsed condition: each is parsed by the handler, by the backend and by the transaction."""
    if not self.condition_expression:
        return _parse_condition(self)
    key = (self.condition_expression, repr(self.expression_attribute_names), repr(self.expression_attribute_values))
    if key not in _conditions:
        if len(_conditions) >= 1_000:
            _conditions.clear()
        _conditions[key] = (_parse_condition(self), self.expr_attr_names_found, self.expr_attr_values_found)
    parsed, names, values = _conditions[key]
    self.expr_attr_names_found, self.expr_attr_values_found = [*names], [*values]
    return parsed


# ── Items and tables ──


def _snapshot(self: Table, memo: dict[int, Any]) -> Table:
    """A copy for the rollback of a transaction. It shares the items, which `_update_a_copy` never changes."""
    kept = copy.copy(self)
    # Moto keeps every table until it is reset. A thousand transactions with many items would take gigabytes.
    Table.instances_tracked.remove(kept)  # type: ignore[attr-defined] # set by the metaclass
    memo[id(self)] = kept
    kept.items = copy.copy(self.items)
    if self.has_range_key:
        for key, items in self.items.items():
            kept.items[key] = copy.copy(items)
    if self.stream_shard is not None:
        kept.stream_shard = copy.copy(self.stream_shard)
        kept.stream_shard.table = kept
        kept.stream_shard.items = [*self.stream_shard.items]
    return kept


def _copy_value(self: DynamoType, memo: dict[int, Any] | None = None) -> DynamoType:
    """A deep copy without a memo of what was copied: values are trees."""
    copied = DynamoType.__new__(DynamoType)
    copied.type, value = self.type, self.value
    if copied.type == "L":
        copied.value = [_copy_value(element) for element in value]
    elif copied.type == "M":
        copied.value = {name: _copy_value(element) for name, element in value.items()}
    else:
        copied.value = [*value] if isinstance(value, list) else value
    return copied


def _copy_item(self: Item, memo: dict[int, Any]) -> Item:
    copied: Item = object.__new__(Item)
    copied.hash_key = _copy_value(self.hash_key)
    copied.range_key = self.range_key and _copy_value(self.range_key)
    copied.attrs = LimitedSizeDict()
    # As moto's own copy: without a check of the size, which the item has passed.
    for name, value in self.attrs.items():
        dict.__setitem__(copied.attrs, name, _copy_value(value))
    return copied


def _size(self: DynamoType) -> int:
    """The size of a value in bytes, for which moto would copy every map."""
    value = self.value
    if self.type == "L":
        return sum(map(_size, value))
    if self.type == "M":
        return sum(len(name.encode()) + _size(element) for name, element in value.items())
    return len(value.encode()) if self.type == "S" and isinstance(value, str) else _size_of(self)


def _set_up_item(self: Item, hash_key: DynamoType, range_key: DynamoType | None, attrs: dict[str, Any]) -> None:
    """The item's constructor, which adds up the sizes of the attributes once, not once for each attribute."""
    self.hash_key, self.range_key = hash_key, range_key
    self.attrs = LimitedSizeDict()
    values = {name: DynamoType(value) for name, value in attrs.items()}
    if sum(len(name.encode()) + _size(value) for name, value in values.items()) > _MOST_BYTES:
        raise ItemSizeTooLarge
    dict.update(self.attrs, values)


def _as_json(self: DynamoType) -> dict[str, Any]:
    """The value as JSON; moto copies a value as often as it is deep."""
    value = self.value
    if self.type == "L":
        return {"L": [_as_json(element) for element in value]}
    if self.type == "M":
        return {"M": {name: _as_json(element) for name, element in value.items()}}
    return _to_json(self)


def _plain(value: Any) -> Any:
    """What a handler returns, without the objects of moto."""
    kind = type(value)
    if kind is str:
        return value
    if kind is dict:
        return {name: _plain(element) for name, element in value.items()}
    if kind is DynamoType and value.type not in ("B", "BS"):
        return {value.type: _plain(value.value)}
    if kind is Item:
        return _plain(value.to_json())
    return [_plain(element) for element in value] if kind is list else _dynamo_to_dict(value)


def _update_a_copy(self: DynamoDBBackend, table_name: str, key: dict[str, Any], *args: Any, **named: Any) -> Item:
    """An update that replaces the item by a copy first."""
    if (table := self.tables.get(table_name)) is not None and table.hash_key_attr in key:
        hash_key = DynamoType(key[table.hash_key_attr])
        if not table.has_range_key:
            if hash_key in table.items:
                table.items[hash_key] = copy.deepcopy(table.items[hash_key])
        elif table.range_key_attr in key and hash_key in table.items:
            items, range_key = table.items[hash_key], DynamoType(key[table.range_key_attr])
            if range_key in items:
                items[range_key] = copy.deepcopy(items[range_key])
    return _update_item(self, table_name, key, *args, **named)


# ── HTTP ──


@cache
def _methods_of(host: str) -> list[tuple[re.Pattern[str], Callable[..., Any]]]:
    """The addresses of the service with this host, each with the method that answers there."""
    service = next((name for name, pattern in backend_url_patterns if pattern.match(f"https://{host}/")), None)
    if service is None:
        return []
    regions = get_backend(service)[ACCOUNT]  # type: ignore[call-overload]
    backend = regions["us-east-1" if "us-east-1" in regions else "aws"]
    return [(re.compile(address), method) for address, method in backend.urls.items()]


def _process(self: BotocoreStubber, request: AWSPreparedRequest) -> Any:
    """The response without a search through the addresses of all services."""
    parts = urlsplit(request.url)
    address = f"{parts.scheme}://{parts.netloc}{parts.path}"
    method = next((method for pattern, method in _methods_of(parts.netloc) if pattern.match(address)), None)
    if method is None:
        return _process_request(self, request)
    received = normalize_request(request)
    try:
        return method(received, received.raw_url, received.headers)
    except HTTPException as error:
        return error.code, error.get_headers(), error.get_body()


REPLACEMENTS: list[tuple[Any, str, Any]] = [
    (UpdateExpressionParser, "make", staticmethod(_parsed)),
    (Validator, "__init__", _set_up),
    (ActionCountValidator, "traverse", _process_root),
    (OverlappingPathsValidator, "traverse", _process_root),
    (DepthFirstTraverser, "traverse_node_recursively", _traverse),
    (ConditionExpressionParser, "_lex_condition_expression", lambda self: deque(_lexed(self.condition_expression))),
    (ConditionExpressionParser, "parse", _condition),
    (Table, "__deepcopy__", _snapshot),
    (responses, "dynamo_to_dict", _plain),
    (DynamoType, "__deepcopy__", _copy_value),
    (DynamoType, "size", _size),
    (DynamoType, "to_regular_json", _as_json),
    (Item, "__init__", _set_up_item),
    (Item, "__deepcopy__", _copy_item),
    (DynamoDBBackend, "update_item", _update_a_copy),
    (BotocoreStubber, "process_request", _process),
    (UserAgentString, "to_string", lambda self: "tests"),
]


# A name without an entry is one that the class itself does not have.
_ORIGINALS = {(owner, name): vars(owner)[name] for owner, name, _ in REPLACEMENTS if name in vars(owner)}


def install() -> None:
    """Replace moto's slow methods."""
    for owner, name, replacement in REPLACEMENTS:
        setattr(owner, name, replacement)
    for kind in _classes_of(Node):
        kind.__class__ = _PlainInstanceCheck


@contextmanager
def plain() -> Iterator[None]:
    """Within this context moto is as it was installed from its package."""
    for owner, name, _ in REPLACEMENTS:
        if (owner, name) in _ORIGINALS:
            setattr(owner, name, _ORIGINALS[owner, name])
        else:
            delattr(owner, name)
    for kind in _classes_of(Node):
        kind.__class__ = ABCMeta
    try:
        yield
    finally:
        install()
