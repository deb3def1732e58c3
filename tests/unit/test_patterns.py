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
from sluice.errors import Invalid

# Loads all documents that the API takes.
assert sluice.api.routes


def _documents(model: type[Document]) -> Iterator[type[Document]]:
    for derived in model.__subclasses__():
        yield derived
        yield from _documents(derived)


def _patterns(schema: Any, told: bool = False) -> Iterator[tuple[str, bool]]:
    """The patterns in a schema of pydantic's core, and whether what does not match them is told in words."""
    if isinstance(schema, dict):
        if schema.get("type") == "str" and "pattern" in schema:
            yield schema["pattern"], told
        for part in schema.values():
            yield from _patterns(part, schema.get("type") == "custom-error")
    elif isinstance(schema, list):
        for part in schema:
            yield from _patterns(part)


def test_each_pattern_has_words() -> None:
    models = [model for model in _documents(Document) if model.__module__.startswith("sluice")]
    for model in models:
        model.model_rebuild()
    patterns = {found for model in models for found in _patterns(model.__pydantic_core_schema__)}
    assert len(patterns) > 10
    assert [pattern for pattern, told in patterns if not told] == []


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
