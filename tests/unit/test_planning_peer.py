"""The planner's peer against the specification's published figures."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.peers.planning_grooming import groom
from benchmarks.peers.planning_physics import estimated_noise, link_noise, segment_noise, snr

PUBLISHED = {
    "A": [("STM16", 5), ("FE", 12), ("100GE", 1)],
    "B": [("FE", 3), ("10GE", 2)],
    "C": [("FE", 3), ("STM64", 1)],
    "D": [("FE", 3), ("STM64", 5)],
    "E": [("FE", 3), ("STM64", 1)],
    "F": [("FE", 3), ("STM64", 1)],
    "G": [("FE", 1), ("STM64", 1)],
}


@pytest.mark.parametrize(
    ("length", "interference", "emission", "ratio"),
    [
        (10, 4.078856e-07, 1.497411e-08, 32.7663),
        (100, 2.116003e-06, 6.064989e-06, 23.5576),
        (137, 2.127849e-06, 5.117316e-05, 15.6915),
        (150, 2.418264e-06, 6.825818e-05, 14.4787),
    ],
)
def test_noise_of_a_link(length: float, interference: float, emission: float, ratio: float) -> None:
    """The check values of the specification."""
    dark = link_noise(length, 4, frozenset())
    assert dark == pytest.approx(emission, rel=1e-6)
    assert estimated_noise(length, 4) - dark == pytest.approx(interference, rel=1e-6)
    assert snr(segment_noise(estimated_noise(length, 4), 2)) == pytest.approx(ratio, abs=1e-4)


def test_snr_with_the_lit_channels() -> None:
    """One and two links of 10.1 km with channels 0 and 1 lit."""
    noise = link_noise(10.1, 0, frozenset({0, 1}))
    assert snr(segment_noise(noise, 2)) == pytest.approx(33.4054, abs=1e-4)
    assert snr(segment_noise(2 * noise, 3)) == pytest.approx(31.7854, abs=1e-4)


def test_published_grooming() -> None:
    """The statistics of the published case of seven demands."""
    demands: dict[str, Any] = {
        name: {
            "id": name,
            "source": "X",
            "destination": "Y",
            "services": [{"type": kind, "quantity": quantity} for kind, quantity in services],
        }
        for name, services in PUBLISHED.items()
    }
    _, _, statistics = groom({"demands": demands}, 20)
    assert statistics == pytest.approx(
        {
            "lightpath_no": 3,
            "mean_lightpath_cap": 56.8667,
            "groomout_no": 8,
            "mp2x_no": 16,
            "tp1h_no": 2,
            "mp1h_no": 4,
        },
        abs=1e-4,
    )
