"""Texts that stand for charts where they are not seen: what is drawn, and from which value to which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from sluice.reports.load_scale import LoadScale
from sluice.reports.values import ColumnStyle, decimal_of

_MOST_SERIES = 4
_NOUNS = {"bar": ("bar", "bars"), "line": ("point", "points"), "scatter": ("point", "points")}


def chart_alt(
    kind: Literal["bar", "line", "scatter"], x: ColumnStyle, series: list[ColumnStyle], items: list[dict[str, Any]]
) -> str:
    """Describe a chart of series over x.

    Args:
        kind: the section's type.
        x: the column of the horizontal axis.
        series: the drawn columns.
        items: the rows, at least one.
    """
    names = [style.name for style in series[:_MOST_SERIES]]
    more = len(series) - len(names)
    subject = ", ".join([*names, *([f"{more} more"] if more else [])])
    count = f"{len(items):,} {_NOUNS[kind][len(items) != 1]}{' each' if len(series) > 1 else ''}"
    places = [row[x.name] for row in items]
    if kind == "scatter" and x.is_number and None not in places:
        places.sort(key=decimal_of)
    span = f" from {x.quantity(places[0])} to {x.quantity(places[-1])}" if len(items) > 1 else ""
    ranges = [_range(style, x, items) for style in series[:_MOST_SERIES]]
    return " ".join([f"{kind.capitalize()} chart of {subject} by {x.name}: {count}{span}.", *ranges])


def _range(style: ColumnStyle, x: ColumnStyle, items: list[dict[str, Any]]) -> str:
    """The lowest and the highest value of a series, and where they are."""
    known = [row for row in items if row[style.name] is not None]
    if not known:
        return f"{style.name} has no values."
    low = min(known, key=lambda row: decimal_of(row[style.name]))
    high = max(known, key=lambda row: decimal_of(row[style.name]))
    if low is high:
        return f"{style.name} is {style.quantity(low[style.name])} at {x.text(low[x.name])}."
    return (
        f"{style.name} is lowest at {x.text(low[x.name])} with {style.quantity(low[style.name])} "
        f"and highest at {x.text(high[x.name])} with {style.quantity(high[style.name])}."
    )


def histogram_alt(x: ColumnStyle, values: list[float], bins: int) -> str:
    """Describe a histogram.

    Args:
        values: the numbers, without nulls.
        bins: the number of intervals.
    """
    count = f"{len(values):,} {'value' if len(values) == 1 else 'values'}"
    span = f" from {x.quantity(min(values))} to {x.quantity(max(values))}" if values else ""
    return f"Histogram of {x.name}: {count}{span} in {bins} {'interval' if bins == 1 else 'intervals'}."


def network_alt(nodes: int, links: Sequence[tuple[str, str, float | None]], scale: LoadScale | None) -> str:
    """Describe a network.

    Args:
        nodes: how many nodes there are.
        links: the names of each link's ends, and its load.
        scale: the scale of the loads; null if the links have none.
    """
    counts = (
        f"{nodes:,} {'node' if nodes == 1 else 'nodes'} and {len(links):,} {'link' if len(links) == 1 else 'links'}"
    )
    known = [(source, destination, load) for source, destination, load in links if load is not None]
    if scale is None or not known:
        return f"Network of {counts}."
    low, high = min(known, key=lambda link: link[2]), max(known, key=lambda link: link[2])
    name = scale.style.name
    if low == high:
        loads = f"{name} is {scale.text(low[2])} between {low[0]} and {low[1]}."
    else:
        loads = (
            f"{name} is lowest between {low[0]} and {low[1]} with {scale.text(low[2])} and highest between "
            f"{high[0]} and {high[1]} with {scale.text(high[2])}."
        )
    without = len(links) - len(known)
    unknown = f" {without:,} {'link has' if without == 1 else 'links have'} no {name}." if without else ""
    return f"Network of {counts} by {name}: {loads}{unknown}"
