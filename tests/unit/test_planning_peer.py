"""The planner's peer against the specification's published figures, and the planner against its peer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks.peers.planning_grooming import RATES, fewest_lines, groom
from benchmarks.peers.planning_networkx import plan_network
from benchmarks.peers.planning_physics import estimated_noise, link_noise, segment_noise, snr
from sluice.planning.grooming.methods import groom_network
from sluice.planning.grooming.packing import Client, pack
from sluice.planning.grooming.parameters import GroomingParameters
from sluice.planning.network_plan.materials import bill_of_materials
from sluice.planning.topology import Topology
from sluice.planning.traffic import ServiceType
from support.planning.networks import matrices, topologies
from support.planning.rwa_runs import run_rwa

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


@settings(max_examples=100, deadline=None)
@example([("STM1 Electrical", 14), ("STM1 Optical", 13), ("STM4", 11), ("GE", 9)])
@example([("FE", 14), ("STM1 Electrical", 10), ("STM1 Optical", 7), ("GE", 14)])
@given(st.lists(st.tuples(st.sampled_from(sorted(RATES)), st.integers(1, 14)), max_size=4))
def test_peer_and_planner_pack_as_few_lines(entries: list[tuple[ServiceType, int]]) -> None:
    """Two exact searches that share no code; the examples have many clients of nearly equal rates."""
    kinds: list[ServiceType] = [kind for kind, quantity in entries for _ in range(quantity)]
    clients = [Client(str(i), kind, round(RATES[kind] * 1e9)) for i, kind in enumerate(kinds)]
    packing = pack(clients, 10_000_000_000, 16, 20_000)
    assert packing.proven
    assert len(packing.lines) == len(fewest_lines([RATES[kind] for kind in kinds]))


@settings(max_examples=40, deadline=None)
@given(topologies(ties=False, lengths=(10, 250)), st.data())
def test_peer_and_planner_agree(topology: Topology, data: st.DataObject) -> None:
    """Statistics, assignment, SNR and materials are equal on links within reach; the peer simplifies restoration."""
    matrix = data.draw(matrices(topology, restorations=("None",)))
    threshold = data.draw(st.sampled_from([0, 20, 70]))
    parameters: dict[str, Any] = {"trade_off": data.draw(st.sampled_from([0.1, 0.5])), "iterations": 2}
    wavelengths = data.draw(st.sampled_from([9, 80]))
    groomed = groom_network(topology, matrix, None, GroomingParameters.model_validate({"mp1h_threshold": threshold}))
    result, _ = run_rwa(topology, groomed, wavelengths=wavelengths, **parameters)
    planned = plan_network(
        topology.model_dump(),
        matrix.model_dump(),
        mp1h_threshold=threshold,
        wavelengths=wavelengths,
        **parameters,
    )
    assert groomed["statistics"] == pytest.approx(planned["grooming"])
    document = result.document
    assert len(document["blocked"]) == len(planned["rwa"]["blocked"])
    for name in ("objective", "wavelengths_used", "regenerators_used"):
        assert document[name] == pytest.approx(planned["rwa"][name])
    ours = sorted(
        snr
        for lightpath in document["lightpaths"].values()
        for role in ("working", "protection")
        if role in lightpath["routing_info"]
        for snr in lightpath["routing_info"][role]["snr"]
    )
    assert ours == pytest.approx(sorted(snr for values in planned["snr"].values() for snr in values), abs=1e-6)
    materials = bill_of_materials(topology, groomed, document)["network"]
    assert {name: materials[name] for name in planned["materials"]} == planned["materials"]
