"""Noise and SNR of the planner's peer, written straight from the specification's formulae."""

from __future__ import annotations

from functools import cache
from math import asinh, ceil, exp, log10, pi

POWER = 2e-3
BANDWIDTH = 42.5e9
SPACING = 100e9
ATTENUATION = 0.25 / 1000 / 8.685889638
NONLINEARITY = 1.31e-3
DISPERSION = 21.7e-27
ASYMPTOTIC = 1 / (2 * ATTENUATION)
QUANTUM = 2 * BANDWIDTH * 6.62607015e-34 * 193e12 * 1.77
SPAN = 142e3


@cache
def efficiency(offset: int) -> float:
    """The nonlinear efficiency of a channel that is some channels away."""
    scale = pi**2 * ASYMPTOTIC * DISPERSION * BANDWIDTH
    if offset == 0:
        return asinh(scale * BANDWIDTH / 2) / (2 * pi * ASYMPTOTIC * DISPERSION)
    away = offset * SPACING
    upper, lower = asinh(scale * (away + BANDWIDTH / 2)), asinh(scale * (away - BANDWIDTH / 2))
    return (upper - lower) / (4 * pi * ASYMPTOTIC * DISPERSION)


def spans(length: float) -> list[float]:
    """The spans of a link in m; `length` is in km."""
    metres = length * 1000
    count = ceil(metres / SPAN)
    return [SPAN] * (count - 1) + [metres - SPAN * (count - 1)]


@cache
def link_noise(length: float, channel: int, lit: frozenset[int]) -> float:
    """The noise of a channel on a link in W: spontaneous emission and nonlinear interference."""
    parts = spans(length)
    emission = QUANTUM * sum(exp(2 * ATTENUATION * span) - 1 for span in parts)
    effective = sum(((1 - exp(-2 * ATTENUATION * span)) * ASYMPTOTIC) ** 2 for span in parts)
    density = (POWER / BANDWIDTH) ** 3
    terms = sum(density * (1 if other == channel else 2) * efficiency(abs(other - channel)) for other in lit)
    return emission + BANDWIDTH * 16 / 27 * NONLINEARITY**2 * effective * terms


def estimated_noise(length: float, margin: int) -> float:
    """The noise of a link in W with `margin` neighbours lit on both sides."""
    return link_noise(length, margin, frozenset(range(2 * margin + 1)))


def segment_noise(links: float, nodes: int) -> float:
    """The noise of a segment in W by the sum of its links' and its number of nodes."""
    return links + QUANTUM * (19 + 7 * nodes)


def snr(noise: float) -> float:
    """The SNR in dB of a noise in W."""
    return 10 * log10(POWER / noise)


def noise_at(ratio: float) -> float:
    """The noise in W at an SNR in dB."""
    return float(POWER / 10 ** (ratio / 10))
