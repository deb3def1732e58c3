"""Texts of XML keep their blanks; white space that only arranges elements is no value."""

from __future__ import annotations

import io
from typing import Any

import pytest

from sluice.formats.xml_format import read_xml
from support.pages import LIMITS, seen


@pytest.mark.parametrize(
    ("xml", "document"),
    [
        ("<a> x </a>", {"a": " x "}),
        ("<a>\n  x\n</a>", {"a": "\n  x\n"}),
        ("<a> </a>", {"a": " "}),
        ("<a></a>", {"a": None}),
        ("<a/>", {"a": None}),
        ("<a>\n</a>", {"a": None}),
        ("<a>\n  <b> x </b>\n  <b/>\n</a>", {"a": {"b": [" x ", None]}}),
        ("<a> <b/> </a>", {"a": {"b": None}}),
        ("<a id=' 1 '> x </a>", {"a": {"@id": " 1 ", "#text": " x "}}),
        ("<a id='1'>\n</a>", {"a": {"@id": "1"}}),
        ("<a id='1'> </a>", {"a": {"@id": "1", "#text": " "}}),
        ("<a id='1'>\n<b/>\n</a>", {"a": {"@id": "1", "b": None}}),
        ("<a>one <b>x</b> two</a>", {"a": {"b": "x", "#text": "one  two"}}),
        ("<a><![CDATA[ x ]]></a>", {"a": " x "}),
        ("<a>\n<!-- c -->\n<b>1</b></a>", {"a": {"b": "1"}}),
    ],
    ids=str,
)
def test_blanks_are_part_of_the_text(xml: str, document: Any) -> None:
    assert read_xml(io.BytesIO(xml.encode()), LIMITS) == document


def test_numbers_and_dates_are_recognised_between_blanks() -> None:
    item = b"<x>\n <n> 1 </n>\n <d>\n2026-01-31\n</d>\n <t> a </t>\n</x>\n"
    found = seen(b"<r>\n" + item + item.replace(b" a ", b"b") + b"</r>", "a.xml", records="r.x")
    assert found.types == {"n": "bigint", "d": "date", "t": "string"}
    assert found.column("t") == [" a ", "b"]
    assert found.records[0]["n"] == 1
