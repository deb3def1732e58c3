"""Where a path needs regenerators: the fewest that keep every segment's SNR at the threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sluice.planning.rwa.signal import SignalModel


@dataclass(frozen=True)
class Placement:
    """The regenerators of a path.

    Args:
        positions: the places of their nodes in the path, in order; the first node has place 0.
        noise: the noise of the worst segment in W.
    """

    positions: tuple[int, ...]
    noise: float


def place_regenerators(link_noises: Sequence[float], model: SignalModel, threshold: float) -> Placement | None:
    """Place the fewest regenerators on a path; of these placements the one whose worst segment has the least noise.

    Dynamic programming over the ends of segments: one round for each segment.

    Args:
        link_noises: the estimated noise of each link in W, in the path's order.
        model: the physical model.
        threshold: the lowest SNR of a segment in dB.

    Returns:
        The placement; None if a single link is already too noisy.
    """
    whole = model.segment_noise(link_noises)
    if model.snr(whole) >= threshold:
        return Placement((), whole)
    last = len(link_noises)
    segments: dict[int, list[tuple[int, float]]] = {}
    for start in range(last):
        for end in range(start + 1, last + 1):
            noise = model.segment_noise(link_noises[start:end])
            if model.snr(noise) < threshold:
                break
            segments.setdefault(start, []).append((end, noise))
    # The best way to reach a place with as many segments as there were rounds.
    reached: dict[int, tuple[float, tuple[int, ...]]] = {0: (0.0, ())}
    for _ in range(last):
        following: dict[int, tuple[float, tuple[int, ...]]] = {}
        for start, (worst, positions) in reached.items():
            for end, noise in segments.get(start, ()):
                way = max(worst, noise), (*positions, end)
                if end not in following or way < following[end]:
                    following[end] = way
        if last in following:
            worst, positions = following[last]
            return Placement(positions[:-1], worst)
        reached = following
    return None
