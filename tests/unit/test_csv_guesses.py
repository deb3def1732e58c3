"""Dialects, encodings and numbers of CSV that are guessed, and the warnings about guesses."""

from typing import Any

import pytest

from support.client import Client
from support.documents import rows
from support.files import Drop


@pytest.mark.parametrize(
    ("body", "options", "expected"),
    [
        (b"a;b\n1;x\n", None, [{"a": 1, "b": "x"}]),
        (b"a\tb\n1\tx\n", None, [{"a": 1, "b": "x"}]),
        (b"a|b\n1|x\n", None, [{"a": 1, "b": "x"}]),
        (b"a:b\n1:x\n", {"delimiter": ":"}, [{"a": 1, "b": "x"}]),
        (b"text\nhello\n", None, [{"text": "hello"}]),
        (b'a;b\n"1;2";x\n', None, [{"a": "1;2", "b": "x"}]),
        (b"a,b\n'p,q','x'\n'r','y'\n", None, [{"a": "p,q", "b": "x"}, {"a": "r", "b": "y"}]),
        (b"a,b\n1,'x'\n", {"quote": ""}, [{"a": 1, "b": "'x'"}]),
        (b'a,b\n1,"x\\"y"\n', {"escape": "\\"}, [{"a": 1, "b": 'x"y'}]),
        (b"1,x\n2,y\n", {"header": False}, [{"column_1": 1, "column_2": "x"}, {"column_1": 2, "column_2": "y"}]),
        ("\ufeffa,b\n1,é\n".encode(), None, [{"a": 1, "b": "é"}]),
        ("a,b\n1,é\n".encode("utf-16"), None, [{"a": 1, "b": "é"}]),
        ("a,b\n1,é\n".encode("utf-16-le"), {"encoding": "utf-16-le"}, [{"a": 1, "b": "é"}]),
        ("a;b\n1;Müller\n".encode("cp1252"), None, [{"a": 1, "b": "Müller"}]),
        ("a;b\n1;Łódź\n2;Gdańsk\n".encode("cp1250"), None, [{"a": 1, "b": "Łódź"}, {"a": 2, "b": "Gdańsk"}]),
        ("имя;город\nИван;Москва\n".encode("cp1251"), None, [{"имя": "Иван", "город": "Москва"}]),
        ("a\n太郎\n".encode("shift_jis"), {"encoding": "shift_jis"}, [{"a": "太郎"}]),
        (b"p;q\n1,5;1\n-2,25;2\n", None, [{"p": 1.5, "q": 1}, {"p": -2.25, "q": 2}]),
        (b"p;q\n1.234,5;1\n7;2\n", None, [{"p": 1234.5, "q": 1}, {"p": 7.0, "q": 2}]),
        (b'p,q\n"12,50",1\n', None, [{"p": 12.5, "q": 1}]),
        (b"p;q\n1,234;1\n", None, [{"p": "1,234", "q": 1}]),
        (b"p;q\n1,234;1\n", {"decimal": ","}, [{"p": 1.234, "q": 1}]),
        (b"p;q\n1.234;1\n", {"decimal": ","}, [{"p": 1234.0, "q": 1}]),
        (b"p;q\n1,5;1\n", {"decimal": "."}, [{"p": "1,5", "q": 1}]),
        (b"n,c\nNA,NA\n1,x\n", None, [{"n": None, "c": "NA"}, {"n": 1, "c": "x"}]),
        (b"n,c\n?,?\n1,x\n", {"null_strings": ["?"]}, [{"n": None, "c": None}, {"n": 1, "c": "x"}]),
        (b"n,c\nNA,y\n1,x\n", {"null_strings": []}, [{"n": "NA", "c": "y"}, {"n": "1", "c": "x"}]),
    ],
    ids=str,
)
def test_csv_dialects(
    admin: Client, notes: Drop, body: bytes, options: dict[str, Any] | None, expected: list[dict[str, Any]]
) -> None:
    run = notes("a.csv", body, csv=options)
    assert run["status"] == "succeeded", run["error"]
    assert rows(admin, "datasources/notes") == expected


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("a;b\n1;Müller\n".encode("cp1252"), "not UTF-8 and was read as cp1252"),
        (b"n\nNA\n1\n", "n: 'NA' was read as null 1 times"),
        (b"p;q\n1,234;1\n", "set csv.decimal"),
    ],
)
def test_guesses_are_warned_about(notes: Drop, body: bytes, says: str) -> None:
    run = notes("a.csv", body)
    assert (run["status"], len(run["warnings"])) == ("succeeded", 1)
    assert says in run["warnings"][0]


def test_declared_decimal_comma_is_used(admin: Client, notes: Drop) -> None:
    notes("a.csv", b"p;q\n1,10;1\n-;2\n", types={"p": "decimal(10,2)"})
    assert rows(admin, "datasources/notes") == [{"p": "1.10", "q": 1}, {"p": None, "q": 2}]


def test_csv_value_not_of_the_declared_type_becomes_null(admin: Client, notes: Drop) -> None:
    run = notes("a.csv", b"id,x\n1,abc\n2,5\n", types={"x": "bigint"})
    assert (run["status"], "x: 1 values are not bigint" in run["warnings"][0]) == ("succeeded", True)
    assert rows(admin, "datasources/notes") == [{"id": 1, "x": None}, {"id": 2, "x": 5}]


@pytest.mark.parametrize(
    "text",
    [
        "España;niño;Ñandú",
        "café crème;à la carte",
        "20 °C;5 µm;£5",
        "¿Qué?;1º;½",
        "x" * 3000 + ";Müller;",
        "Åse;Ærø;Þór",
    ],
)
def test_western_encoding_is_detected(admin: Client, notes: Drop, text: str) -> None:
    body = "\n".join([";".join("abc"[: text.count(";") + 1]), text, text]).encode("cp1252")
    assert notes("a.csv", body)["status"] == "succeeded"
    assert ";".join(rows(admin, "datasources/notes")[0][name] or "" for name in "abc"[: text.count(";") + 1]) == text


def test_dot_that_may_be_a_thousands_separator_is_warned_about(admin: Client, notes: Drop) -> None:
    run = notes("a.csv", b"id;x\n1;1.234\n2;2.500\n")
    assert "may be a thousands separator" in run["warnings"][0]
    assert notes("b.csv", b"id;x\n1;1.234\n2;2.5\n")["warnings"] == []


def test_integers_among_fractions_keep_their_digits(admin: Client, notes: Drop) -> None:
    notes("a.json", b'[{"a": 9007199254740993}, {"a": 1.5}]')
    assert rows(admin, "datasources/notes") == [{"a": 9007199254740993}, {"a": 1.5}]
