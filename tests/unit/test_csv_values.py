"""Texts of CSV become numbers, dates and times where nothing is lost, and stay texts where something would be."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.domain.base import validate
from sluice.domain.datasource import Datasource
from sluice.domain.schema import convert
from sluice.domain.text_types import TextTypeGuess
from sluice.domain.text_values import loses_digits
from sluice.domain.time_format import time_format
from sluice.errors import Invalid, UnreadableData
from support.pages import seen

MANY = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


N, T = "string", "timestamp"


@pytest.mark.parametrize(
    ("texts", "kind", "values"),
    [
        ([".5", "-.25"], "double", [0.5, -0.25]),
        (["5.", "-7."], "double", [5.0, -7.0]),
        (["1e5", "2E-3"], "double", [1e5, 2e-3]),
        (["+1.5", "-0.5"], "double", [1.5, -0.5]),
        (["+5", "-3"], "bigint", [5, -3]),
        (["+4915112345678", "+4915187654321"], N, None),
        (["8.379031744168380369e-02", "2.077528821676430104e-01"], "double", None),
        (["48.053808600000004", "-149.46280000000002"], "double", [48.053808600000004, -149.46280000000002]),
        (["0.10000000000000000555", "2"], "double", [0.1, 2.0]),
        (["0.12345678901234567890", "2"], N, None),
        (["9007199254740993.5", "2"], N, None),
        (["9007199254740993", "0.5"], N, None),
        (["1e400", "2"], N, None),
        (["1e-400", "2"], N, None),
        (["007", "8"], N, None),
        (["00.5", "8"], N, None),
        ([" 7", "8 "], "bigint", [7, 8]),
        (["7", "   "], "bigint", [7, None]),
        (["a ", " b"], N, None),
        (["1.5", "inf", "-Inf"], "double", ["Infinity", "-Infinity"]),
        (["inf", "Infinity"], N, None),
        (["1٢", "3"], N, None),
        (["5\n", "6"], "bigint", [5, 6]),
        (["2010/01/01", "2010/12/31"], "date", ["2010-01-01", "2010-12-31"]),
        (["2010-1-1", "2010-12-31"], "date", ["2010-01-01", "2010-12-31"]),
        (["2010/01/01 00:00", "2010/1/2 7:05"], T, ["2010-01-01T00:00:00Z", "2010-01-02T07:05:00Z"]),
        (["2026-01-31 12:00:00+00", "2026-01-31 9:00+02"], T, ["2026-01-31T12:00:00Z", "2026-01-31T07:00:00Z"]),
        (["2026-01-31 12:00 UTC", "2026-01-31 12:00 +0100"], T, ["2026-01-31T12:00:00Z", "2026-01-31T11:00:00Z"]),
        (["2010/13/01", "2010/12/31"], N, None),
        (["2010/01-01", "2010/12/31"], N, None),
        (["01/02/2026", "13/02/2026"], N, None),
    ],
    ids=str,
)  # fmt: skip
def test_text_gets_another_type_only_without_loss(texts: list[str], kind: str, values: list[Any] | None) -> None:
    found = seen(("x,t\n" + "".join(f'"{text}",z\n' for text in texts)).encode())
    assert found.types["x"] == kind
    if kind == N:
        assert found.column("x") == texts
    elif values is not None and "inf" not in texts:
        assert found.column("x") == values


def test_infinity_is_a_double() -> None:
    found = seen(b"x,y\n1.5,a\ninf,b\n-Infinity,c\n")
    assert found.types["x"] == "double"
    stored = [duckdb.execute("SELECT ?::DOUBLE", [value]).fetchall()[0][0] for value in found.column("x")]
    assert stored == [1.5, math.inf, -math.inf]


@MANY
@given(st.floats(-1e300, 1e300), st.integers(0, 40), st.sampled_from("fe"))
def test_printed_double_loses_no_digits(number: float, digits: int, form: str) -> None:
    text = f"{number:.{digits}{form}}"
    assert not loses_digits(text)
    if digits >= 17 and form == "e":
        assert float(text) == number


@MANY
@given(st.decimals(allow_nan=False, allow_infinity=False, places=20), st.integers(16, 19))
def test_text_loses_digits_unless_a_double_prints_the_same(value: Decimal, digits: int) -> None:
    text = f"{value:.{digits}f}"
    printed = Decimal(f"{float(text):.{digits}f}")
    assert loses_digits(text) == (Decimal(text) not in (printed, Decimal(repr(float(text)))))


TEXTS = st.sampled_from(
    [
        *("1", "-1", "+1", "+2.5", "-0", "007", "9007199254740993", "1234567890123456789", "12345678901234567890"),
        *(".5", "5.", "1e5", "1e400", "48.053808600000004", "0.12345678901234567890", "inf", "nan", "NaN", "NA", "-"),
        *("1,5", "1,234", "0,5", "1.234", "1.234,5", " 7", "  ", "true", "False", "2026-01-31", "2026/1/31"),
        *("2026-01-31T12:00:00Z", "2026/01/31 7:00", "31.01.2026", "31.01.2026 12:00", "x", "x "),
    ]
)
FORMS = (time_format("%d.%m.%Y", "date"), time_format("%d.%m.%Y %H:%M", "timestamp"))


@MANY
@given(st.lists(TEXTS, max_size=8), st.sampled_from([None, ",", "."]), st.booleans(), st.randoms(use_true_random=False))
def test_type_is_independent_of_order_and_repetition(
    texts: list[str], decimal: str | None, said: bool, order: random.Random
) -> None:
    def guess(values: list[str]) -> tuple[Any, ...]:
        made = TextTypeGuess(decimal, formats=FORMS if said else ())
        for value in values:
            made.observe(value)
        facts = made.type, made.wide, made.decimal_comma, made.undecided, made.dotted_thousands, made.seen
        return (*facts, made.reading(made.type), set(made.words))

    shuffled = [*texts, *texts[:3]]
    order.shuffle(shuffled)
    assert guess(texts) == guess(shuffled) == guess(list(dict.fromkeys(texts)))


@MANY
@given(st.lists(TEXTS, max_size=5), st.sampled_from([None, ",", "."]), st.booleans())
def test_every_text_converts_to_the_inferred_type(texts: list[str], decimal: str | None, said: bool) -> None:
    guess = TextTypeGuess(decimal, formats=FORMS if said else ())
    for text in texts:
        guess.observe(text)
    reading = guess.reading(guess.type)
    for text in texts:
        plain = reading.plain(text)
        if guess.type == "string":
            assert plain == text
        else:
            assert (convert(plain, guess.type) is None) == (text in guess.words)


def test_count_is_the_same_as_repeated_values() -> None:
    guess = TextTypeGuess()
    guess.observe("NA", 3)
    guess.observe("5")
    assert (guess.type, guess.words) == ("bigint", {"NA": 3})


def test_declared_date_and_time_formats_are_used() -> None:
    options = {"date_format": "%d.%m.%Y", "timestamp_format": "%d/%b/%y %I:%M %p %z"}
    body = b"d,t,iso,odd\n1.2.2026,31/Jan/26 12:05 AM +0100,2026-01-31,1.2.2026\n28.02.2026,,2026-02-01,x\n"
    found = seen(body, csv=options)
    assert found.types == {"d": "date", "t": "timestamp", "iso": "date", "odd": "string"}
    assert found.records[0] == {"d": "2026-02-01", "t": "2026-01-30T23:05:00Z", "iso": "2026-01-31", "odd": "1.2.2026"}
    assert found.warnings == []


def test_declared_format_is_not_mixed_with_iso_8601() -> None:
    found = seen(b"d,x\n2026-02-01,a\n2026-13-02,b\n", csv={"date_format": "%Y-%d-%m"})
    assert found.column("d") == ["2026-01-02", "2026-02-13"]
    declared = seen(b"d,x\n2026-13-02,a\n2026-02-13,b\n", csv={"date_format": "%Y-%d-%m"}, types={"d": "date"})
    assert declared.column("d") == ["2026-02-13", None], "the 13th of February is no date of this form"
    assert "d: 1 values are not date and were replaced by null" in declared.warnings[0]


@pytest.mark.parametrize(
    ("option", "text", "says"),
    [
        ("date_format", "%d.%m", "needs %Y or %y"),
        ("date_format", "%d.%m.%Y %H", "Unknown code %H in a date format"),
        ("date_format", "%x", "Unknown code %x"),
        ("date_format", "%d.%m.%Y%", "write %%"),
        ("date_format", "%d.%d.%m.%Y", "twice"),
        ("date_format", "", "at least 1 character"),
        ("timestamp_format", "%d.%m.%Y", "needs %H or %I"),
        ("timestamp_format", "%d.%m.%Y %I", "%I and %p need each other"),
        ("timestamp_format", "%d.%m.%Y %H:%S", "%S needs %M"),
        ("timestamp_format", "%s", "Unknown code %s"),
    ],
)
def test_invalid_formats_are_refused(option: str, text: str, says: str) -> None:
    with pytest.raises(Invalid) as refused:
        validate(Datasource, {"name": "n", "kind": "file", "csv": {option: text}})
    assert says in str(refused.value.errors), refused.value.errors


CODES = st.sampled_from(
    [
        "%Y-%m-%d %H:%M:%S", "%d.%m.%y %H:%M", "%d %b %Y %I:%M %p", "%B %d, %Y %H", "%Y%m%d%H%M%S", "%Y%m%dT%H%M",
        "%a, %d %b %Y %H:%M:%S", "%A %d/%m/%Y %H:%M:%S.%f", "%d%%%m%%%Y %H",
    ]
)  # fmt: skip


@MANY
@given(CODES, st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)), st.booleans(), st.integers(0, 30))
def test_formats_mean_the_same_as_in_duckdb(form: str, moment: datetime, short: bool, cut: int) -> None:
    text = moment.strftime(form)
    if short:
        text = text.replace(".0", ".").replace("/0", "/").replace(" 0", " ")
    text = text[: len(text) - cut] if cut < 3 else text
    try:
        ours = time_format(form, "timestamp").iso(text)
    except ValueError:
        return
    ((theirs,),) = duckdb.execute("SELECT strptime(?, ?)", [text, form]).fetchall()
    assert ours == theirs.isoformat(timespec="microseconds")


@pytest.mark.parametrize("offset", ["+01", "+0130", "-05:00"])
def test_offsets_mean_the_same_as_in_duckdb(offset: str) -> None:
    form, text = "%d.%m.%Y %H:%M %z", f"31.01.2026 00:30 {offset}"
    ours = time_format(form, "timestamp").iso(text)
    ((theirs,),) = duckdb.execute("SELECT epoch_us(strptime(?, ?))", [text, form]).fetchall()
    assert datetime.fromisoformat(ours).replace(tzinfo=UTC).timestamp() * 1e6 == theirs


def test_truncated_nanoseconds_are_warned_about() -> None:
    body = b"t,u\n2026-01-31T12:00:00.123456789Z,2026-01-31 12:00:00.123456000\n2026-01-31T12:00:00.5Z,\n"
    found = seen(body)
    assert found.column("t") == ["2026-01-31T12:00:00.123456Z", "2026-01-31T12:00:00.5Z"]
    assert found.warnings == ["t: 1 times were truncated to microseconds (first '2026-01-31T12:00:00.123456789Z')"]
    declared = seen(b'[{"t": "2026-01-31T12:00:00.0000001Z"}]', "a.json", types={"t": "timestamp"})
    assert "1 times were truncated" in declared.warnings[0]


def test_columns_differing_in_case_are_refused_unless_selected() -> None:
    for body in (b"A,a\n1,2\n", b"A,a\n"):
        with pytest.raises(UnreadableData, match=r"'A'.* differ only in case"):
            seen(body)
    assert seen(b"A,a\n1,2\n", fields={"x": "A", "y": "a"}).records == [{"x": 1, "y": 2}]
