"""How a CSV page is written: header or none, delimiters, blanks and quotation marks, found out from all of it."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.errors import UnreadableData
from support.pages import seen

RECORD = "the first line was read as a record"
NAMES = "the first line was read as column names, but may be a record"


@pytest.mark.parametrize(
    ("body", "names", "records", "note"),
    [
        # numbers only, as numpy writes them
        ("5.1,3.5\n4.9,3.0\n", ["column_1", "column_2"], 2, RECORD),
        ("1,2\n3,4\n", ["column_1", "column_2"], 2, RECORD),
        ("1.0e+00;2.0e+00\n3.0e+00;4.0e+00\n", ["column_1", "column_2"], 2, RECORD),
        ("0.5\n0.7\n", ["column_1"], 2, RECORD),
        ("14,14\n", ["column_1", "column_2"], 1, RECORD),
        ("5,,7\n1,2,3\n", ["column_1", "column_2", "column_3"], 2, RECORD),
        # records of texts and numbers
        ("1,Ada\n2,Bob\n", ["column_1", "column_2"], 2, RECORD),
        ("5.1,3.5,setosa\n4.9,3.0,setosa\n", ["column_1", "column_2", "column_3"], 2, RECORD),
        ("Ada,2026-01-31\nBob,2026-02-01\n", ["column_1", "column_2"], 2, RECORD),
        ("Ada,true\nBob,false\n", ["column_1", "column_2"], 2, RECORD),
        # names, and nothing else is possible
        ("name,city\nAda,London\n", ["name", "city"], 1, None),
        ("id,name\n1,Ada\n", ["id", "name"], 1, None),
        ("2020,name\nx,Ada\n", ["2020", "name"], 1, None),
        ("store,2021,2022\n7,1,2\n", ["store", "2021", "2022"], 1, None),
        ("2026-01-01,2026-01-02\n5,6\n", ["2026-01-01", "2026-01-02"], 1, None),
        ("name,size\n", ["name", "size"], 0, None),
        # numbers as names: years, or counted
        ("country,2021,2022\nFR,1,2\n", ["country", "2021", "2022"], 1, NAMES),
        ("country,2022\nFR,1\n", ["country", "2022"], 1, NAMES),
        ("2023,2022,2021\n7,8,9\n", ["2023", "2022", "2021"], 1, NAMES),
        ("0,1,2\n5.1,3.5,7\n", ["0", "1", "2"], 1, NAMES),
        ("400.1,400.2,400.3,400.4,400.5\n7,8,9,7,6\n", ["400.1", "400.2", "400.3", "400.4", "400.5"], 1, NAMES),
        ("0,1,2,3\n4,5,6,7\n", ["0", "1", "2", "3"], 1, NAMES),
        ("0,1,2,3\n0,1,2,3\n", ["column_1", "column_2", "column_3", "column_4"], 2, RECORD),
    ],
    ids=str,
)
def test_header_is_detected(body: str, names: list[str], records: int, note: str | None) -> None:
    found = seen(body.encode())
    assert (list(found.types), len(found.records)) == (names, records)
    assert [warning[: len(note)] for warning in found.warnings] == [note] if note else found.warnings == []


def test_header_can_be_declared() -> None:
    body = b"5,6\n7,8\n"
    assert seen(body, csv={"header": True}).records == [{"5": 7, "6": 8}]
    assert seen(body, csv={"header": False}).records[0] == {"column_1": 5, "column_2": 6}
    assert seen(body, csv={"header": None}).warnings[0].startswith(RECORD)
    for header in (True, False):
        assert seen(body, csv={"header": header}).warnings == []
    with_form = seen(b"1.2.2026\n2.2.2026\n", csv={"date_format": "%d.%m.%Y"})
    assert with_form.records == [{"column_1": "2026-02-01"}, {"column_1": "2026-02-02"}]


@pytest.mark.parametrize(
    ("body", "first", "columns"),
    [
        (b'"","a","b"\n"x",1,2\n"y",3,4\n', {"column_1": "x", "a": 1, "b": 2}, 1),  # R, write.csv
        (b",a,b\n0,1,2\n1,3,4\n", {"column_1": 0, "a": 1, "b": 2}, 1),  # pandas, to_csv
        (b"a,b\n0,1,2\n1,3,4\n", {"column_1": 0, "a": 1, "b": 2}, 1),  # R, write.table
        (b'"a" "b"\n"x y" 1 2\n"z" 3 4\n', {"column_1": "x y", "a": 1, "b": 2}, 1),
        (b"a,,\n1,2,\n", {"a": 1, "column_2": 2, "column_3": None}, 2),
    ],
    ids=str,
)
def test_unnamed_column_is_named_by_its_position(body: bytes, first: dict[str, Any], columns: int) -> None:
    found = seen(body)
    assert found.records[0] == first
    (note,) = [warning for warning in found.warnings if "has no name" in warning]
    assert f"no name for {columns} columns, which were named column_" in note


def test_single_longer_line_does_not_imply_an_unnamed_column() -> None:
    with pytest.raises(UnreadableData, match="Line 2 has 3 fields, but the header has 2"):
        seen(b"name,price\nSmith, John,5\n")
    found = seen(b"name,price\nSmith, John,5\nDoe, Jane,6\n")
    assert "every line has one field more: quote fields that contain a delimiter" in found.warnings[0]


def test_a_name_that_comes_twice_is_refused() -> None:
    with pytest.raises(UnreadableData, match="twice"):
        seen(b"a,a\n1,2\n")
    with pytest.raises(UnreadableData, match="'column_1' twice"):
        seen(b",column_1\n1,2\n")


@pytest.mark.parametrize(
    "body",
    [
        b"id size\n1 2.5\n3 4.5\n",
        b"   id    size\n    1    2.5\n    3    4.5\n",
        b"id\tsize \n1    2.5\n3\t \t4.5  \n",
        b'"id" "size"\n1 2.5\n3 4.5\n',
        b"id size\r\n1  2.5\r\n\r\n   \r\n3  4.5\r\n",
    ],
    ids=str,
)
def test_blank_delimiter_is_detected(body: bytes) -> None:
    found = seen(body)
    assert found.records == [{"id": 1, "size": 2.5}, {"id": 3, "size": 4.5}]
    assert [warning.partition(";")[0] for warning in found.warnings] == ["the delimiter was detected as blanks"]
    assert seen(body, csv={"delimiter": " "}).warnings == []
    assert seen(body, csv={"delimiter": " "}).records == found.records


def test_quoted_blanks_are_kept() -> None:
    body = b'name  size\n"New   York "  5\n"a\n  b"  6\n""  7\n'
    assert seen(body, csv={"delimiter": " "}).column("name") == ["New   York ", "a\n  b", None]
    assert seen(b"a b\n'x  y' 1\n", csv={"delimiter": " ", "quote": "'"}).records == [{"a": "x  y", "b": 1}]
    assert seen(b'a b\n"x 1\n', csv={"delimiter": " ", "quote": ""}).records == [{"a": '"x', "b": 1}]


@pytest.mark.parametrize(
    "body",
    [
        b"full name\nAda Lovelace\nAlan Turing\n",
        b"text\nhello world\nfive 5\n",
        b"text words\none 1\none two 3\n",
        b"a,b c\n1,x y\n2,z\n",
    ],
    ids=str,
)
def test_words_of_prose_are_not_columns(body: bytes) -> None:
    assert list(seen(body).types) == body.split(b"\n")[0].decode().split(",")


def test_quotation_mark_is_detected_from_the_whole_page() -> None:
    plain = b"".join(b"%d,word\n" % number for number in range(12_000))
    late = b"a,b\n" + plain + b"1,'p,q'\n2,'r'\n"
    assert len(plain) > 64 << 10
    found = seen(late)
    assert found.column("b")[-2:] == ["p,q", "r"]
    assert found.warnings == [
        "fields are enclosed in single quotation marks, which were removed; set csv.quote if that is wrong"
    ]
    early = b"a,b\n1,'p'\n2,'r'\n" + plain + b'3,"x,y"\n'
    assert seen(early).column("b")[:2] == ["'p'", "'r'"], "a double mark comes later"
    assert seen(early).column("b")[-1] == "x,y"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_quotation_mark_is_detected_in_all_encodings(encoding: str) -> None:
    body = "a,b\n'p,q','é'\n'r','s'\n".encode(encoding)
    assert seen(body).records[0] == {"a": "p,q", "b": "é"}


@pytest.mark.parametrize(
    "body",
    [
        b"a,b\n1,'tis the season\n2,'x'\n3,'y'\n",
        b"a,b\n'Salem's Lot',1\n'x',2\n",
        b"a,b\n1,it's\n2,'x'\n",
    ],
    ids=str,
)
def test_apostrophe_is_not_a_quotation_mark(body: bytes) -> None:
    expected = [line.split(",") for line in body.decode().splitlines()[1:]]
    found = seen(body, types={"a": "string", "b": "string"})
    assert [list(record.values()) for record in found.records] == expected
