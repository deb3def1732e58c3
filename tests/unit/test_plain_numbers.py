"""Numbers in CSV and XLSX are plain decimals, and the same numbers when they are read back."""

from __future__ import annotations

import csv
import io
import os
import re
import zipfile
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.container import Container
from sluice.reads.csv_text import csv_rows
from sluice.reads.workbook import write_workbook
from support.client import Client
from support.documents import http_source
from support.upstream import Upstream, raw

MANY = settings(max_examples=2_000 if os.environ.get("PROOF") else 100, deadline=None)
PLAIN = re.compile(r"-?\d+(\.\d+)?")
DOUBLES = st.floats(allow_nan=False, allow_infinity=False)
DECIMALS = st.decimals(min_value=-(10**20), max_value=10**20, allow_nan=False)


def cells_of_csv(kind: str, values: list[object]) -> list[str]:
    return [row[0] for row in csv.reader(io.StringIO(csv_rows([kind], [[value] for value in values])))]


def cells_of_workbook(kind: str, values: list[object]) -> list[str]:
    file = io.BytesIO()
    write_workbook(file, ["x"], [kind], [[value] for value in values])
    sheet = zipfile.ZipFile(file).read("xl/worksheets/sheet1.xml").decode()
    return re.findall(r'<c r="A(?!1")\d+"><v>([^<]*)</v>', sheet)


@pytest.mark.parametrize("cells_of", [cells_of_csv, cells_of_workbook])
@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.8e-05, "0.000018"),
        (-1.8e-05, "-0.000018"),
        (1e20, "100000000000000000000"),
        (1.5e16, "15000000000000000"),
        (0.1, "0.1"),
        (5e-324, "0." + "0" * 323 + "5"),
    ],
    ids=str,
)
def test_double_has_no_exponent(cells_of: object, value: float, text: str) -> None:
    assert cells_of("double", [value]) == [text]  # type: ignore[operator]


@MANY
@given(st.lists(DOUBLES, min_size=1, max_size=20))
def test_double_reads_back_as_the_same_double(values: list[float]) -> None:
    for cells in (cells_of_csv("double", list(values)), cells_of_workbook("double", list(values))):
        assert all(PLAIN.fullmatch(cell) for cell in cells)
        assert [repr(float(cell)) for cell in cells] == [repr(value) for value in values]


@MANY
@given(DECIMALS, st.sampled_from(["decimal(38,18)", "json"]))
def test_decimal_reads_back_as_the_same_decimal(value: Decimal, kind: str) -> None:
    told = str(value) if kind != "json" else value
    (cell,) = cells_of_csv(kind, [told])
    assert PLAIN.fullmatch(cell)
    assert Decimal(cell) == value


def test_decimals_of_a_workbook_are_plain() -> None:
    assert cells_of_workbook("decimal(20,10)", ["0.0000000018"]) == ["0.0000000018"]


def test_number_beside_texts_is_plain_and_numbers_within_json_are_json() -> None:
    assert cells_of_csv("json", [1.8e-09, {"a": 1.8e-09}]) == ["0.0000000018", '{"a":1.8e-9}']


def test_data_and_endpoints_give_plain_numbers(services: Container, admin: Client, upstream: Upstream) -> None:
    upstream.answer = lambda request: raw(b'[{"k":"a","x":1.8e-05},{"k":"b","x":1e20},{"k":"c","x":null}]')
    admin.put("/projects/p", {"name": "p"})
    admin.post("/datasources", http_source("a"))
    admin.put("/projects/p/datasources/a", {})
    assert admin.post("/projects/p/runs", {}, Prefer="wait=20").json()["status"] == "succeeded"
    rows = ["k,x", "a,0.000018", "b,100000000000000000000", "c,"]
    assert admin.get("/datasources/a/data?format=csv").text.splitlines() == rows
    admin.put("/projects/p/endpoints/e", {"sql": "SELECT k, x FROM a ORDER BY k"})
    assert admin.get("/endpoints/p/e?format=csv").text.splitlines() == rows
