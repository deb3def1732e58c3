"""The physical model of a light path: noise of fibre and nodes, and the signal-to-noise ratio (SNR) at a receiver.

Lengths are in km, powers and noise in W, ratios in dB. Channels are numbered from 0; a set of lit channels is an
integer whose bit `n` is set when channel `n` is lit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_DB_PER_NEPER = 8.685889638
SNR_THRESHOLDS = {"QPSK": 11.3, "8QAM": 16.0}


@dataclass(frozen=True)
class Constants:
    """The constants of fibre, amplifiers and transponders.

    Args:
        launch_power: the power of a channel in W.
        bandwidth: the symbol rate, which is also the noise bandwidth, in Hz.
        attenuation: the loss of fibre in dB/km.
        nonlinearity: the coefficient gamma of fibre in 1/(W·m).
        dispersion: the coefficient beta 2 of fibre in s²/m.
        frequency: the optical frequency in Hz.
        spontaneous_emission: the amplifiers' spontaneous emission factor.
        planck: Planck's constant in J·s.
        span: the length of fibre between two amplifiers in km.
        spacing: the distance of neighbouring channels in Hz.
        booster_gain: the gain of the amplifier after a transponder, as a ratio.
        node_gain: the gain of the amplifiers of a node, as a ratio.
    """

    launch_power: float = 2e-3
    bandwidth: float = 42.5e9
    attenuation: float = 0.25
    nonlinearity: float = 1.31e-3
    dispersion: float = 21.7e-27
    frequency: float = 193e12
    spontaneous_emission: float = 1.77
    planck: float = 6.62607015e-34
    span: float = 142.0
    spacing: float = 100e9
    booster_gain: float = 20.0
    node_gain: float = 8.0


def lit_channels(channels: Iterable[int]) -> int:
    """The set of these channels as an integer."""
    lit = 0
    for channel in channels:
        lit |= 1 << channel
    return lit


class SignalModel:
    """Noise and SNR with some constants. It remembers what it has calculated, so that estimates cost little.

    Args:
        constants: the constants.
        channels: how many channels there are.
    """

    def __init__(self, constants: Constants | None = None, channels: int = 80) -> None:
        self.constants = constants = constants or Constants()
        self._loss = constants.attenuation / 1000 / _DB_PER_NEPER
        self._emission = (
            2 * constants.bandwidth * constants.planck * constants.frequency * constants.spontaneous_emission
        )
        self.booster_noise = self._emission * (constants.booster_gain - 1)
        self.node_noise = self._emission * (constants.node_gain - 1)
        density = constants.launch_power / constants.bandwidth
        # (2 - δ)·ψ by the distance of two channels: ψ is the same on both sides.
        self._weights = [density**3 * self._coupling(distance) for distance in range(channels)]
        self._interference: dict[tuple[int, int], float] = {}
        self._spans: dict[float, tuple[float, float]] = {}

    def _coupling(self, distance: int) -> float:
        constants = self.constants
        asymptotic = 1 / (2 * self._loss)
        reach = math.pi**2 * asymptotic * constants.dispersion
        width = constants.bandwidth
        scale = 2 * math.pi * asymptotic * constants.dispersion
        if distance == 0:
            return math.asinh(reach / 2 * width**2) / scale
        offset = distance * constants.spacing
        upper = math.asinh(reach * (offset + width / 2) * width)
        lower = math.asinh(reach * (offset - width / 2) * width)
        return 2 * (upper - lower) / (2 * scale)

    def _of_length(self, length: float) -> tuple[float, float]:
        """The ASE noise of a link, and the sum of its spans' squared effective lengths in m²."""
        known = self._spans.get(length)
        if known is None:
            full = max(math.ceil(length / self.constants.span) - 1, 0)
            span, rest = self.constants.span * 1000, (length - full * self.constants.span) * 1000
            twice = 2 * self._loss
            ase = self._emission * (full * math.expm1(twice * span) + math.expm1(twice * rest))
            effective = (full * (math.expm1(-twice * span) / twice) ** 2) + (math.expm1(-twice * rest) / twice) ** 2
            known = self._spans[length] = ase, effective
        return known

    def _interference_of(self, channel: int, lit: int) -> float:
        known = self._interference.get((channel, lit))
        if known is None:
            weights = self._weights
            known = math.fsum(weights[abs(n - channel)] for n in range(lit.bit_length()) if lit >> n & 1)
            self._interference[channel, lit] = known
        return known

    def ase(self, length: float) -> float:
        """The amplified spontaneous emission of a link in W."""
        return self._of_length(length)[0]

    def nli(self, length: float, channel: int, lit: int) -> float:
        """The non-linear interference of a link in W.

        Args:
            length: the link's length in km.
            channel: the channel that is received.
            lit: all lit channels of the link, `channel` among them.
        """
        constants = self.constants
        factor = constants.bandwidth * 16 / 27 * constants.nonlinearity**2
        return factor * self._of_length(length)[1] * self._interference_of(channel, lit)

    def link_noise(self, length: float, channel: int, lit: int) -> float:
        """The noise of a link in W: ASE and NLI. The arguments are those of `nli`."""
        return self.ase(length) + self.nli(length, channel, lit)

    def segment_noise(self, link_noises: Sequence[float]) -> float:
        """The noise of a segment in W, from one transponder or regenerator to the next.

        Args:
            link_noises: the noise of each of its links in W.
        """
        nodes = len(link_noises) + 1
        return math.fsum(link_noises) + self.booster_noise + nodes * self.node_noise

    def snr(self, noise: float) -> float:
        """The SNR in dB of a segment with so much noise in W."""
        return 10 * math.log10(self.constants.launch_power / noise)
