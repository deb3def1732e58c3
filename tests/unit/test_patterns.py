"""Whoever writes a text that does not match a pattern is told in words what to write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import sluice.api.routes
from sluice.domain.base import Document, validate
from sluice.domain.datasource.detect_request import DetectRequest
from sluice.domain.datasource.http_source import HttpSource
from sluice.domain.endpoint import Endpoint
from sluice.domain.file_format import CsvOptions
from sluice.domain.project import Project
from sluice.domain.schedule import EXPRESSION_PATTERN
from sluice.domain.schema import COLUMN_TYPE_PATTERN
from sluice.errors import Invalid
from sluice.patterns import advice

# Loads all documents that the API takes.
assert sluice.api.routes


def _documents(model: type[Document]) -> Iterator[type[Document]]:
    for derived in model.__subclasses__():
        yield derived
        yield from _documents(derived)


def _patterns(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        for part in schema.values():
            yield from _patterns(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _patterns(part)


def test_each_pattern_has_words() -> None:
    models = [model for model in _documents(Document) if model.__module__.startswith("sluice")]
    patterns = {pattern for model in models for pattern in _patterns(model.model_json_schema())}
    assert len(patterns) > 10
    # The validators of these have words of their own.
    patterns -= {COLUMN_TYPE_PATTERN, EXPRESSION_PATTERN}
    assert {pattern for pattern in patterns if advice(pattern) is None} == set()


@pytest.mark.parametrize(
    ("model", "document", "message"),
    [
        (Project, {"name": "x", "slug": "North Net"}, "Use small letters and digits, with single hyphens"),
        (HttpSource, {"url": "https://"}, "Give a whole address such as https://api.example.com/v1/coins"),
        (DetectRequest, {"url": "https://"}, "Give a whole address such as https://api.example.com/v1/coins"),
        (Endpoint, {"sql": "SELECT 1", "as_of": "day"}, "Give the name of a parameter after a $, such as $day."),
        (CsvOptions, {"delimiter": "ab"}, "Give one character that is no letter, digit, quotation mark or line break."),
    ],
)
def test_a_fault_says_what_to_write(model: type[Document], document: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid) as refused:
        validate(model, document)
    assert [fault["message"][: len(message)] for fault in refused.value.errors] == [message]
