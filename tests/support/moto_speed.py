"""Moto without what it computes again and again.

Each replacement stands in `REPLACEMENTS` with the class and the name that it replaces.
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
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
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


@cache
def _is_node(kind: type) -> bool:
    return issubclass(kind, Node)


_processed: dict[tuple[type, type], bool] = {}


def _is_processed(traverser: DepthFirstTraverser, kind: type) -> bool:
    key = (type(traverser), kind)
    if key not in _processed:
        _processed[key] = issubclass(kind, traverser.nodes_to_be_processed())
    return _processed[key]


def _traverse(self: Any, node: Any, child_id: int = -1) -> Any:
    """The walk through a parsed expression, which does not ask every node anew for its class."""
    kind: type = type(node)
    if not _is_node(kind):
        return node
    parent = node.parent
    for position, child in enumerate(node.children or ()):
        self.pre_processing_of_child(node, position)
        self.traverse_node_recursively(child, position)
    if _is_processed(self, kind):
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


REPLACEMENTS: list[tuple[type, str, Any]] = [
    (UpdateExpressionParser, "make", staticmethod(_parsed)),
    (Validator, "__init__", _set_up),
    (ActionCountValidator, "traverse", _process_root),
    (OverlappingPathsValidator, "traverse", _process_root),
    (DepthFirstTraverser, "traverse_node_recursively", _traverse),
    (ConditionExpressionParser, "_lex_condition_expression", lambda self: deque(_lexed(self.condition_expression))),
    (ConditionExpressionParser, "parse", _condition),
    (Table, "__deepcopy__", _snapshot),
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
