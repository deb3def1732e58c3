"""What benchmarks share: a comparison, printed for people and for programs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Comparison:
    """One case of a benchmark, ours beside a peer's, measured in the same run.

    `ratio` is over 1 where we are better.
    """

    benchmark: str
    case: str
    ours: float
    peer: float
    peer_name: str
    unit: str
    ratio: float


def lower_is_better(benchmark: str, case: str, ours: float, peer: float, peer_name: str, unit: str) -> Comparison:
    """A comparison of times, or of anything else of which less is better."""
    return Comparison(benchmark, case, round(ours, 6), round(peer, 6), peer_name, unit, round(peer / ours, 3))


def show(comparisons: list[Comparison]) -> None:
    """A table, then one JSON line for each comparison."""
    header = ("case", "ours", "peer", "unit", "ratio", "peer is")
    rows = [
        (one.case, f"{one.ours:g}", f"{one.peer:g}", one.unit, f"{one.ratio:.2f}", one.peer_name) for one in comparisons
    ]
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    for row in (header, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    print()
    for one in comparisons:
        print(json.dumps(asdict(one)))
