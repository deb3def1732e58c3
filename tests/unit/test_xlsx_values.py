"""What a workbook holds besides the table that is read is told, or refused where a guess would be wrong."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
import xlsxwriter

from sluice.errors import UnreadableData
from support.pages import Seen, seen

Write = Callable[[Any], None]


def workbook(**sheets: list[list[Any]] | Write) -> bytes:
    packed = io.BytesIO()
    with xlsxwriter.Workbook(packed) as book:
        for name, cells in sheets.items():
            sheet = book.add_worksheet(name)
            if callable(cells):
                cells(sheet)
                continue
            for row, values in enumerate(cells):
                for column, value in enumerate(values):
                    if value is not None:
                        sheet.write(row, column, value)
    return packed.getvalue()


def changed(body: bytes, part: str, change: Callable[[str], str]) -> bytes:
    """A workbook with another text in one of its parts."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as source, zipfile.ZipFile(packed, "w") as target:
        for name in source.namelist():
            text = source.read(name)
            target.writestr(name, change(text.decode()).encode() if name == part else text)
    return packed.getvalue()


def read(body: bytes, **xlsx: Any) -> Seen:
    return seen(body, "a.xlsx", xlsx=xlsx or None)


def test_values_under_an_empty_heading_are_read_with_a_warning() -> None:
    found = read(workbook(S=[[None, "id", None, "n"], ["x", 1, None, 2], ["y", 3, 7, 4]]))
    assert found.records == [
        {"column_1": "x", "id": 1, "column_3": None, "n": 2},
        {"column_1": "y", "id": 3, "column_3": 7, "n": 4},
    ]
    assert found.warnings == [
        "column A has no name in row 1, but 2 values below it: it became column_1",
        "column C has no name in row 1, but 1 values below it: it became column_3",
    ]


def test_values_right_of_the_last_heading_are_omitted_with_a_warning() -> None:
    found = read(workbook(S=[["id", "n"], [1, 2], [3, 4, None, "checked"], [5, 6, None, "late"]]))
    assert [list(record) for record in found.records] == [["id", "n"]] * 3
    (warning,) = found.warnings
    assert warning.startswith("column D has no name in row 1, but 2 values below it, the first in D3, were left out")


def test_empty_columns_beside_a_table_give_no_warning() -> None:
    assert read(workbook(S=[[], [None, None, "id"], [None, None, 1]])).warnings == []


def test_other_sheets_with_rows_are_warned_about() -> None:
    body = workbook(First=[["id"], [1]], Second=[["a"], [1], [], [2]], Empty=[])
    assert read(body).warnings == [
        "only the sheet 'First' was read, but 'Second' has 3 rows; set xlsx.sheet to choose one"
    ]
    for sheet in ("First", "Second"):
        assert read(body, sheet=sheet).warnings == []


def test_cells_with_errors_are_warned_about() -> None:
    def write(sheet: Any) -> None:
        sheet.write_row(0, 0, ["id", "n"])
        sheet.write_formula(1, 1, "=1/0", None, "#DIV/0!")
        sheet.write_formula(2, 1, "=NA()", None, "#N/A")
        sheet.write_column(1, 0, [1, 2, 3])
        sheet.write(3, 1, 5)

    found = read(workbook(S=write))
    assert found.column("n") == [None, None, 5]
    assert found.warnings == ["n: 2 cells hold errors and were read as null (first B2)"]


def test_formulas_without_a_result_are_warned_about() -> None:
    def write(sheet: Any) -> None:
        sheet.write_row(0, 0, ["id", "n", "t"])
        sheet.write_column(1, 0, [1, 2, 3])
        sheet.write_formula(1, 1, "=1+1", None, "")
        sheet.write_formula(2, 1, "=1+1", None, 2)
        sheet.write_formula(3, 1, "=SUM(A1:A2)", None, "")

    body = workbook(S=write)
    found = read(body)
    assert found.column("n") == [None, 2, None]
    (warning,) = found.warnings
    assert warning.startswith("n: 2 cells hold formulas without a stored result and were read as null; open")
    assert warning.endswith("(first B2)")
    for form in ("<v />", "<v/>", ""):

        def with_form(text: str, form: str = form) -> str:
            return text.replace("<v></v>", form)

        again = changed(body, "xl/worksheets/sheet1.xml", with_form)
        assert read(again).warnings == found.warnings
    empty_text = changed(
        body, "xl/worksheets/sheet1.xml", lambda text: re.sub(r'<c r="(B[24])">', r'<c r="\1" t="str">', text)
    )
    assert read(empty_text).warnings == [], "an empty text is a result"


def test_zeros_of_a_workbook_that_was_never_calculated_are_warned_about() -> None:
    body = workbook(S=[["id", "n"], [1, "=A2+1"], [2, "=A3+1"]])
    found = read(body)
    assert found.column("n") == [0, 0]
    (warning,) = found.warnings
    assert warning.startswith(
        "n: 2 cells hold formulas whose stored result is 0, perhaps because they were never calculated"
    )
    saved = changed(body, "xl/workbook.xml", lambda text: text.replace(' fullCalcOnLoad="1"', ""))
    assert read(saved).warnings == []


def test_cells_without_references_are_warned_about() -> None:
    body = workbook(S=[["id", "n"], [1, 2]])
    plain = changed(
        body,
        "xl/worksheets/sheet1.xml",
        lambda text: re.sub(r' r="\w+"', "", text).replace("<c><v>2</v>", '<c t="e"><v>#REF!</v>'),
    )
    assert read(plain).warnings == ["n: 1 cells hold errors and were read as null (first B2)"]


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        ([["A report"], ["id", "n"], [1, 2], [3, 4]], 2),
        ([["A report"], [], ["as of today"], ["id", "n", "m"], [1, 2, 3]], 4),
        ([["A report", "2026"], ["a", "b", "c", "d"], [1, 2, 3, 4]], 2),
    ],
    ids=str,
)
def test_title_above_the_table_is_refused_with_advice(cells: list[list[Any]], names: int) -> None:
    with pytest.raises(UnreadableData, match=rf"perhaps a title. Set xlsx.header_row .*, {names} or 1"):
        read(workbook(S=cells))
    assert list(read(workbook(S=cells), header_row=names).types) == cells[names - 1]
    assert next(iter(read(workbook(S=cells), header_row=1).types)) == cells[0][0]


@pytest.mark.parametrize(
    "cells",
    [
        [["id"], [1, "x"], [2, "y"]],
        [["id", "n"], ["a", "b"], ["c", "d", "a note"]],
        [["name"], ["Ada"], ["Bob", "a note"], ["Eve"], ["Joe"]],
        [["id", "n"]],
    ],
    ids=str,
)
def test_header_row_is_not_a_title(cells: list[list[Any]]) -> None:
    assert list(read(workbook(S=cells)).types) == cells[0]


def test_names_differing_in_case_are_refused_unless_selected() -> None:
    body = workbook(S=[["A", "a"], [1, 2]])
    with pytest.raises(UnreadableData, match=r"'A'.* differ only in case"):
        read(body)
    assert seen(body, "a.xlsx", fields={"x": "A", "y": "a"}).records == [{"x": 1, "y": 2}]
