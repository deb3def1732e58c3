"""Places for the labels of points, so that they cover as little as possible."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Point = tuple[float, float]
_SWEEPS = 4
# What it costs if a label covers a point, or as much of a line as the label is high. Other labels and the edge of the
# drawing are excluded.
_POINT, _LINE = 30.0, 5.0
_EXCLUDED = 1000.0


@dataclass(frozen=True)
class Box:
    """A rectangle.

    Args:
        left: the lowest x.
        bottom: the lowest y.
        right: the highest x.
        top: the highest y.
    """

    left: float
    bottom: float
    right: float
    top: float

    def overlaps(self, other: Box) -> bool:
        """Whether the rectangles have an area in common."""
        return (
            self.left < other.right and other.left < self.right and self.bottom < other.top and other.bottom < self.top
        )

    def contains(self, other: Box) -> bool:
        """Whether another rectangle is inside."""
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.bottom <= other.bottom
            and other.top <= self.top
        )

    def covered_length(self, start: Point, end: Point) -> float:
        """How much of a line between two points is inside."""
        enters, leaves = 0.0, 1.0
        for begin, stop, low, high in (
            (start[0], end[0], self.left, self.right),
            (start[1], end[1], self.bottom, self.top),
        ):
            if begin == stop:
                if not low < begin < high:
                    return 0.0
                continue
            near, far = sorted(((low - begin) / (stop - begin), (high - begin) / (stop - begin)))
            enters, leaves = max(enters, near), min(leaves, far)
        return max(leaves - enters, 0.0) * math.dist(start, end)


@dataclass(frozen=True)
class Label:
    """The place of a label.

    Args:
        x: where its text is anchored.
        y: its middle.
        anchor: which part of the text is at `x`.
        box: the rectangle that it covers.
    """

    x: float
    y: float
    anchor: Literal["left", "center", "right"]
    box: Box


def place_labels(
    points: Sequence[Point],
    widths: Sequence[float],
    height: float,
    gap: float,
    lines: Sequence[tuple[Point, Point]],
    frame: Box,
) -> list[Label | None]:
    """Find a place for the label of each point: beside, above or below it.

    Labels never cover each other nor leave the drawing; among such places, they cover few points and lines.

    Args:
        points: the points; earlier ones are placed first.
        widths: the width of each point's label.
        height: the height of all labels.
        gap: the distance between a point and its label.
        lines: the ends of lines.
        frame: the drawing.

    Returns:
        The label of each point; null if there is no place for it.
    """
    marks = [Box(x - gap, y - gap, x + gap, y + gap) for x, y in points]
    choices = [
        [
            (label, _cost(label.box, rank, marks, lines, frame))
            for rank, label in enumerate(_around(point, width, height, gap))
        ]
        for point, width in zip(points, widths, strict=True)
    ]
    placed: list[Label | None] = [None] * len(points)
    # The best choice depends on the other labels, so each is chosen again when all are known.
    for _ in range(_SWEEPS):
        for index, labels in enumerate(choices):
            others = [label.box for at, label in enumerate(placed) if label is not None and at != index]
            costs = [cost + _EXCLUDED * any(map(label.box.overlaps, others)) for label, cost in labels]
            least = min(costs)
            placed[index] = labels[costs.index(least)][0] if least < _EXCLUDED else None
    return placed


def _around(point: Point, width: float, height: float, gap: float) -> list[Label]:
    """The places for a label around a point; the most readable first."""
    x, y = point
    slant = 0.7 * gap
    middle = height / 2
    places: list[tuple[float, float, Literal["left", "center", "right"]]] = [
        (x + gap, y, "left"),
        (x - gap, y, "right"),
        (x, y + gap + middle, "center"),
        (x, y - gap - middle, "center"),
        (x + slant, y + slant + middle, "left"),
        (x + slant, y - slant - middle, "left"),
        (x - slant, y + slant + middle, "right"),
        (x - slant, y - slant - middle, "right"),
    ]
    starts = {"left": 0.0, "center": 0.5, "right": 1.0}
    labels = []
    for at_x, at_y, anchor in places:
        left = at_x - starts[anchor] * width
        labels.append(Label(at_x, at_y, anchor, Box(left, at_y - middle, left + width, at_y + middle)))
    return labels


def _cost(box: Box, rank: int, marks: Sequence[Box], lines: Sequence[tuple[Point, Point]], frame: Box) -> float:
    covered = sum(box.overlaps(mark) for mark in marks)
    length = sum(box.covered_length(start, end) for start, end in lines) / (box.top - box.bottom)
    return rank + _POINT * covered + _LINE * length + (0 if frame.contains(box) else _EXCLUDED)
