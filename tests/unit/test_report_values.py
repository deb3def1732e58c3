"""What reports show: numbers, dates, tables and charts, without a project around them."""

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.domain.report import BarSection, Chart, ColumnFormat, HistogramSection, LineSection, ScatterSection
from sluice.reports.canvas import EmptyChartError
from sluice.reports.drawings import draw_chart
from sluice.reports.html import markdown
from sluice.reports.style import STYLE
from sluice.reports.tables import fold_style, table
from sluice.reports.ticks import PlainNumbers, scale_of
from sluice.reports.values import ColumnStyle, Rows, moment_text

GROUPED = re.compile(r"−?\d{1,3}(,\d{3})*(\.\d+)?")
POWER = re.compile(r"−?\d(\.\d{1,3})? × 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")
DOUBLES = st.floats(allow_nan=False, allow_infinity=False)


def style(kind: str, values: list[Any], name: str = "amount", declared: ColumnFormat | None = None) -> ColumnStyle:
    """How a column with these values is shown."""
    formats = {name: declared} if declared else {}
    return Rows([{"name": name, "type": kind}], [{name: value} for value in values], formats=formats).styles()[0]


def shown(kind: str, values: list[Any], name: str = "amount", **declared: Any) -> list[str]:
    """The texts of a column's values."""
    column = style(kind, values, name, ColumnFormat(**declared) if declared else None)
    return [column.text(value) for value in values]


@pytest.mark.parametrize(
    ("kind", "values", "texts"),
    [
        ("bigint", [1234567, -1000, 0, None], ["1,234,567", "−1,000", "0", "–"]),
        ("decimal(18,2)", ["1234.50", "-0.05", "0.00"], ["1,234.50", "−0.05", "0.00"]),
        ("decimal(38,18)", ["1.500000000000000000", "0.001000000000000000"], ["1.500", "0.001"]),
        ("decimal(38,0)", ["1" + "0" * 37], ["10" + ",000" * 12]),
        ("double", [0.1 + 0.2, 2.0], ["0.3", "2.0"]),
        ("double", [1234.56, 0.5], ["1,234.56", "0.50"]),
        ("double", [1 / 3, 37.8461538], ["0.3333", "37.85"]),
        ("double", [64123.123456, 1.8e-05, 0.0], ["64,123.12", "0.000018", "0.00"]),
        ("double", [1e300, -1.8e-12], ["1 × 10³⁰⁰", "−1.8 × 10⁻¹²"]),
        ("double", [5.0, 1500.0], ["5", "1,500"]),
        ("date", ["2026-01-31", "12000-01-01"], ["31 Jan 2026", "12000-01-01"]),
        ("timestamp", ["2026-01-31T12:35:00.000Z"], ["31 Jan 2026, 12:35"]),
        ("timestamp", ["2026-01-31T12:35:10.500Z"], ["31 Jan 2026, 12:35:10"]),
        ("timestamp", ["2026-01-31T00:00:00.000Z", None], ["31 Jan 2026", "–"]),
        ("boolean", [True, False], ["yes", "no"]),
        ("json", [{"a": [1.5]}], ['{"a":[1.5]}']),
    ],
    ids=str,
)  # fmt: skip
def test_values_are_written_for_people(kind: str, values: list[Any], texts: list[str]) -> None:
    assert shown(kind, values) == texts


def test_declared_format_decides() -> None:
    assert shown("double", [2.675, -0.001], decimals=2) == ["2.68", "0.00"], "5 is rounded up, and zero has no sign"
    assert shown("bigint", [1234], decimals=1) == ["1,234.0"]
    assert shown("bigint", [1234], grouping=False) == ["1234"]
    assert style("bigint", [1], declared=ColumnFormat(unit="EUR")).label == "amount (EUR)"


@pytest.mark.parametrize("name", ["id", "customer_id", "customerId", "ID", "Year", "zip code"])
def test_identifiers_and_years_are_not_grouped(name: str) -> None:
    assert shown("bigint", [2026], name) == ["2026"]
    assert shown("bigint", [2026], name, grouping=True) == ["2,026"]
    assert shown("bigint", [2026], "paid") == ["2,026"], "the word matters, not its letters"


@given(st.lists(DOUBLES, min_size=1, max_size=5))
def test_doubles_keep_four_digits_and_have_no_exponents(values: list[float]) -> None:
    for value, text in zip(values, shown("double", values), strict=True):
        if POWER.fullmatch(text):
            mantissa, _, exponent = text.partition(" × 10")
            exponent = exponent.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
            number = Decimal(mantissa.replace("−", "-")).scaleb(int(exponent))
        else:
            assert GROUPED.fullmatch(text)
            number = Decimal(text.replace("−", "-").replace(",", ""))
        exact = Decimal(repr(value))
        assert abs(number - exact) <= abs(exact) * Decimal("0.0005")


@given(st.lists(st.decimals(min_value=-(10**15), max_value=10**15, places=4), min_size=1, max_size=5))
def test_decimals_keep_all_digits(values: list[Decimal]) -> None:
    texts = shown("decimal(38,4)", [format(value, "f") for value in values])
    assert all(GROUPED.fullmatch(text) for text in texts)
    assert [Decimal(text.replace("−", "-").replace(",", "")) for text in texts] == values
    assert len({len(text.partition(".")[2]) for text in texts}) == 1, "so that points are below each other"


@given(st.floats(min_value=-1e300, max_value=1e300), st.floats(min_value=1e-300, max_value=1e300))
def test_ticks_are_short_and_have_no_exponents(start: float, step: float) -> None:
    ticks = [start + step * index for index in range(5)]
    labels = PlainNumbers(scale_of(ticks), grouping=True).format_ticks(ticks)
    assert all(GROUPED.fullmatch(label) for label in labels)
    if abs(start) < step * 1000:
        assert len(set(labels)) == 5
        assert max(map(len, labels)) <= 12


def test_table_folds_on_paper_only_if_it_is_wide() -> None:
    wide = Rows([{"name": f'c{index}"</style>', "type": "double"} for index in range(30)], [])
    wide.items.append({column["name"]: 1234.5 for column in wide.columns})
    narrow = Rows([{"name": "a", "type": "double"}], [{"a": 1.5}])
    assert fold_style(narrow, "t") == ""
    rules = fold_style(wide, "t")
    assert rules.count("::before{content:") == 30
    assert "<" not in rules, "a name does not end the style sheet"
    assert 'id="t"' in table(wide, "Wide", "t")


def test_empty_table_has_its_columns_and_says_so() -> None:
    html = table(Rows([{"name": "a", "type": "double"}, {"name": "b", "type": "string"}], []), "Nothing <here>")
    assert '<caption class="unseen">Nothing &lt;here&gt;</caption>' in html
    assert '<td colspan="2" class="none">No rows.</td>' in html


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("# a\n## b\n# c", ["h2", "h3", "h2"]),
        ("### a\n# b\n### c\n## d", ["h2", "h2", "h3", "h3"]),
        ("# a\n## b\n### c\n#### d\n##### e\n###### f", ["h2", "h3", "h4", "h5", "h6", "h6"]),
    ],
)
def test_headings_of_markdown_leave_out_no_level(text: str, levels: list[str]) -> None:
    html = markdown(text)
    assert re.findall(r"<(h\d)>", html) == re.findall(r"</(h\d)>", html) == levels


def chart(kind: type[Chart], **fields: Any) -> Any:
    """A chart section."""
    return kind(type=kind.model_fields["type"].annotation.__args__[0], sql="SELECT 1", **fields)  # type: ignore[union-attr]


def numbers(count: int, x_type: str = "bigint", series: int = 1) -> Rows:
    """Rows with an `x` and columns of doubles."""
    names = [f"y{index}" for index in range(series)]
    columns = [{"name": "x", "type": x_type}, *({"name": name, "type": "double"} for name in names)]
    items: list[dict[str, Any]] = [
        {"x": row if x_type == "bigint" else f"a rather long name {row}", **dict.fromkeys(names, row * 1e6)}
        for row in range(count)
    ]
    return Rows(columns, items, formats={"y0": ColumnFormat(unit="EUR")})


def labels(svg: str) -> list[str]:
    """The texts in a drawing."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


@pytest.mark.parametrize("kind", [LineSection, BarSection, ScatterSection, HistogramSection])
def test_same_chart_is_the_same_bytes(kind: type[Chart]) -> None:
    first, second = (draw_chart(chart(kind), numbers(5), "c") for _ in range(2))
    assert first == second
    assert "<metadata" not in first.svg
    assert not re.search(r"#0[0-9a-f]{5}\b", first.svg), "colours are those of the page"


def test_text_of_charts_is_large_enough_on_narrow_screens() -> None:
    narrow = draw_chart(chart(LineSection), numbers(5), "c").svg.partition('<symbol id="c-n"')[2]
    width = float(re.findall(r'viewBox="0 0 (\d+) ', narrow)[0])
    sizes = {float(size) for size in re.findall(r"font-size: ([\d.]+)px", narrow)}
    # A screen of 390 pixels has 358 for the chart.
    assert sizes
    assert min(sizes) * 358 / width >= 11


def test_axes_have_units_and_plain_numbers() -> None:
    wide = draw_chart(chart(LineSection), numbers(5), "c").svg.partition('<symbol id="c-n"')[0]
    assert {"y0 (million EUR)", "x", "0", "1", "2", "3", "4"} <= set(labels(wide))
    years = Rows([{"name": "year", "type": "bigint"}, {"name": "n", "type": "bigint"}], [])
    years.items.extend({"year": year, "n": 1000 * year} for year in range(2020, 2026))
    assert {"2020", "2,020,000"} <= set(labels(draw_chart(chart(LineSection), years, "c").svg))


def test_bars_with_long_names_are_horizontal() -> None:
    svg = draw_chart(chart(BarSection), numbers(6, "string"), "c").svg
    assert {"a rather long name 5", "a rather lon…ame 5"} <= set(labels(svg)), "cut in the middle where it is narrow"
    assert "rotate(-40" not in svg
    many = draw_chart(chart(BarSection), numbers(60, "string"), "c").svg
    assert "rotate(-40" in many
    assert len(labels(many)) < 60


def test_legend_tells_series_apart_and_names_what_is_left_out() -> None:
    drawing = draw_chart(chart(LineSection), numbers(3, series=15), "c")
    assert (len(drawing.legend), drawing.note) == (12, "The chart shows 12 of 15 columns.")
    assert len({(color, shape) for color, shape, _ in drawing.legend}) == 12
    bars = draw_chart(chart(BarSection), numbers(3, series=15), "c")
    assert len({color for color, _, _ in bars.legend}) == 8
    assert draw_chart(chart(LineSection), numbers(3), "c").legend == []


def test_chart_of_nulls_is_empty() -> None:
    rows = Rows([{"name": "x", "type": "bigint"}, {"name": "y", "type": "double"}], [{"x": 1, "y": None}])
    for section in (chart(LineSection), chart(BarSection), chart(HistogramSection, x="y")):
        with pytest.raises(EmptyChartError):
            draw_chart(section, rows, "c")


def test_labels_cannot_break_the_drawing() -> None:
    rows = Rows([{"name": "x<&\x01", "type": "string"}, {"name": "y", "type": "bigint"}], [])
    rows.items.extend({"x<&\x01": text, "y": 1} for text in ('\x00<b>"', "$x^2$\n", ""))
    svg = draw_chart(chart(BarSection), rows, "c").svg
    assert {'&lt;b&gt;"', "$x^2$", "x&lt;&amp;"} <= set(labels(svg))


def luminance(color: str) -> float:
    """The relative luminance of a colour, as WCAG defines it."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colours_have_contrast(scheme: int) -> None:
    colors = dict(re.findall(r"--([\w-]+): (#\w{6})", STYLE.split("@media")[scheme]))

    def contrast(name: str, on: str) -> float:
        low, high = sorted(luminance(colors[color]) for color in (name, on))
        return (high + 0.05) / (low + 0.05)

    for name in ("ink", "soft", "link"):
        assert contrast(name, "paper") >= 4.5
    assert contrast("ink", "tint") >= 4.5
    assert all(contrast(f"series-{index}", "paper") >= 3 for index in range(8))
    assert all(contrast(f"level-{index}", "paper") >= 3 for index in range(5))


def test_moment_is_shown_to_the_minute() -> None:
    assert moment_text("2026-01-31T12:35:10.123Z") == "31 Jan 2026, 12:35 UTC"
    assert moment_text("unknown") == "unknown"
