"""End-to-end grooming keeps every invariant on random matrices, and has the published result of the known case."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.planning.grooming.devices import Chassis, pair_groomouts
from sluice.planning.grooming.end_to_end import Groomout, groom
from sluice.planning.grooming.packing import Client, pack
from sluice.planning.grooming.result import describe_grooming
from sluice.planning.services import MP2X, PANEL_OF, RATES
from sluice.planning.topology import Topology
from sluice.planning.traffic import Demand, Service, ServiceType, TrafficMatrix
from support.planning.grooming_invariants import check_grooming
from support.planning.networks import networks, random_matrix

QUICK = settings(max_examples=60, deadline=None)
THRESHOLDS = st.integers(0, 10).map(lambda tens: tens * 10)


def groom_end_to_end(matrix: TrafficMatrix, threshold: int = 70, search_nodes: int = 20_000) -> dict[str, Any]:
    """The result of end-to-end grooming."""
    return describe_grooming({"main": groom(matrix.demands, {}, threshold, search_nodes)}, Chassis())


def matrix_of(demands: dict[str, dict[ServiceType, int]]) -> TrafficMatrix:
    """A matrix of demands from A to B with numbers of services by type."""
    return TrafficMatrix(
        demands={
            name: Demand(
                id=name,
                source="A",
                destination="B",
                services=[
                    Service(type=kind, quantity=n, service_id_list=[f"{name}-{kind}-{i:02}" for i in range(n)])
                    for kind, n in counts.items()
                ],
            )
            for name, counts in demands.items()
        }
    )


@QUICK
@given(networks(max_nodes=4), THRESHOLDS)
def test_every_invariant_holds(network: tuple[Topology, TrafficMatrix], threshold: int) -> None:
    _, matrix = network
    check_grooming(groom_end_to_end(matrix, threshold), matrix.model_dump(), threshold)


def test_the_published_case_has_the_published_result() -> None:
    result = groom_end_to_end(
        matrix_of(
            {
                "A": {"STM16": 5, "FE": 12, "100GE": 1},
                "B": {"FE": 3, "10GE": 2},
                "C": {"FE": 3, "STM64": 1},
                "D": {"FE": 3, "STM64": 5},
                "E": {"FE": 3, "STM64": 1},
                "F": {"FE": 3, "STM64": 1},
                "G": {"FE": 1, "STM64": 1},
            }
        ),
        threshold=20,
    )
    main = result["traffic"]["main"]
    assert [path["capacity"] for path in main["lightpaths"].values()] == [100, 20.3, 50.3]
    assert result["statistics"] == {
        "lightpath_no": 3,
        "mean_lightpath_cap": pytest.approx(56.8667, abs=1e-4),
        "groomout_no": 8,
        "mp2x_no": 16,
        "tp1h_no": 2,
        "mp1h_no": 4,
    }
    lines = main["low_rate_grooming_result"]["demands"]["A"]["groomouts"].values()
    assert [(line["capacity"], len(line["service_id_list"])) for line in lines] == [(10, 4), (3.7, 13)]
    assert {demand: list(left) for demand, left in main["remaining_services"]["demands"].items()} == {
        demand: ["stm64"] for demand in "CEFG"
    }
    assert {demand: len(left) for demand, left in main["remaining_groomouts"]["demands"].items()} == {
        "A": 2,
        **dict.fromkeys("CEFG", 1),
    }


def test_a_matrix_of_the_sample_size_is_groomed_whole() -> None:
    result = groom_end_to_end(sample(), threshold=0)
    check_grooming(result, sample().model_dump(), threshold=0)
    assert result["traffic"]["main"]["remaining_services"]["demands"] == {}


@cache
def sample() -> TrafficMatrix:
    """A matrix of 104 demands and 900 services between 22 nodes."""
    nodes = [{"name": f"N{i}", "lat": 0, "lng": i} for i in range(22)]
    topology = Topology.model_validate({"nodes": nodes, "links": []})
    return random_matrix(topology, demands=104, services=900)


def test_fewer_lines_than_first_fit_decreasing_needs() -> None:
    # First-fit decreasing fills two lines with eight GE each, and needs three more for 40 FE.
    clients = [Client(f"g{i:02}", "GE", 1250) for i in range(16)] + [Client(f"f{i:02}", "FE", 100) for i in range(40)]
    packing = pack(clients, line_rate=10_000, ports=16, search_nodes=1000)
    assert (len(packing.lines), packing.proven) == (4, True)
    stopped = pack(clients, line_rate=10_000, ports=16, search_nodes=0)
    assert (len(stopped.lines), stopped.proven) == (5, False)


def test_result_says_when_a_packing_is_not_proven_minimal() -> None:
    matrix = matrix_of({"A": {"GE": 16, "FE": 40}})
    demand = groom_end_to_end(matrix, search_nodes=0)["traffic"]["main"]["low_rate_grooming_result"]["demands"]["A"]
    assert not demand["proven_minimal"]
    check_grooming(groom_end_to_end(matrix, search_nodes=0), matrix.model_dump(), 70)


@QUICK
@given(st.lists(st.integers(1, 12), max_size=8), st.integers(12, 20), st.integers(1, 5))
def test_packings_have_the_fewest_lines(rates: list[int], line_rate: int, ports: int) -> None:
    clients = [Client(str(i), "FE", rate) for i, rate in enumerate(rates)]
    packing = pack(clients, line_rate, ports, search_nodes=100_000)
    assert packing.proven
    assert all(sum(c.rate for c in line) <= line_rate and len(line) <= ports for line in packing.lines)
    assert sorted(c.id for line in packing.lines for c in line) == sorted(c.id for c in clients)
    assert len(packing.lines) == fewest_lines(rates, line_rate, ports)


@QUICK
@given(st.lists(st.integers(1, 12), max_size=30), st.integers(12, 20), st.integers(1, 5))
def test_without_a_search_packing_is_first_fit_decreasing(rates: list[int], line_rate: int, ports: int) -> None:
    expected: list[list[int]] = []
    for rate in sorted(rates, reverse=True):
        fitting = [line for line in expected if len(line) < ports and sum(line) + rate <= line_rate]
        if fitting:
            fitting[0].append(rate)
        else:
            expected.append([rate])
    packing = pack([Client(str(i), "FE", rate) for i, rate in enumerate(rates)], line_rate, ports, search_nodes=0)
    assert [[client.rate for client in line] for line in packing.lines] == expected


def fewest_lines(rates: list[int], line_rate: int, ports: int) -> int:
    """The fewest lines of all partitions of at most some ten rates."""
    subsets = [[rate for i, rate in enumerate(rates) if bits >> i & 1] for bits in range(1 << len(rates))]
    fits = [len(subset) <= ports and sum(subset) <= line_rate for subset in subsets]

    @cache
    def lines(bits: int) -> int:
        if not bits:
            return 0
        first = bits & -bits
        others = bits ^ first
        choices, subset = [], others
        while True:
            if fits[subset | first]:
                choices.append(1 + lines(others ^ subset))
            if not subset:
                return min(choices)
            subset = (subset - 1) & others

    return lines((1 << len(rates)) - 1)


@QUICK
@given(st.lists(st.integers(1, 16), max_size=7))
def test_groomouts_are_paired_on_the_fewest_panels(sizes: list[int]) -> None:
    groomouts = [
        Groomout(str(i), [Client(f"{i}-{n}", "FE", 1) for n in range(size)], size) for i, size in enumerate(sizes)
    ]
    pairs = pair_groomouts(groomouts)
    assert sorted(line.id for pair in pairs for line in pair) == sorted(line.id for line in groomouts)
    assert all(sum(len(line.clients) for line in pair) <= MP2X.client_ports for pair in pairs)
    # A panel is a bin for two lines and 16 clients.
    assert len(pairs) == fewest_lines(sizes, line_rate=16, ports=2)


@QUICK
@given(networks(max_nodes=4), THRESHOLDS, st.randoms(use_true_random=False))
def test_order_and_names_of_services_do_not_change_counts(
    network: tuple[Topology, TrafficMatrix], threshold: int, rng: Any
) -> None:
    _, matrix = network
    demands = list(matrix.demands.values())
    rng.shuffle(demands)
    renamed = {}
    for number, demand in enumerate(demands):
        services = [
            service.model_copy(update={"service_id_list": [f"x{number}-{name}" for name in service.service_id_list]})
            for service in demand.services
        ]
        rng.shuffle(services)
        renamed[str(number)] = demand.model_copy(update={"id": str(number), "services": services})
    other = groom_end_to_end(TrafficMatrix(demands=renamed), threshold)
    expected = groom_end_to_end(matrix, threshold)["statistics"]
    assert other["statistics"]["groomout_no"] == expected["groomout_no"]
    assert other["statistics"]["tp1h_no"] == expected["tp1h_no"]


@pytest.mark.parametrize(("shelves_per_rack", "last"), [(4, ("1", "0")), (2, ("2", "0")), (5, ("0", "4"))])
def test_devices_fill_shelf_after_shelf(shelves_per_rack: int, last: tuple[str, str]) -> None:
    groomed = groom(matrix_of({"D": {"100GE": 23}}).demands, {}, threshold=0, search_nodes=0)
    racks = describe_grooming({"main": groomed}, Chassis(shelves_per_rack))["node_structure"]["nodes"]["A"]["racks"]
    counts = {
        (rack, shelf): len(slots["slots"]) // 2
        for rack, shelves in racks.items()
        for shelf, slots in shelves["shelves"].items()
    }
    # Five devices fit beside the four common cards of a shelf.
    assert list(counts.values()) == [5, 5, 5, 5, 3]
    assert list(counts)[-1] == last


def test_same_bytes_under_another_hash_seed() -> None:
    script = (
        "import orjson, sys; from test_grooming import groom_end_to_end, sample;"
        "sys.stdout.buffer.write(orjson.dumps(groom_end_to_end(sample())))"
    )
    paths = [str(Path(__file__).parent), *sys.path]
    other = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONHASHSEED": "7", "PYTHONPATH": ":".join(paths)},
        capture_output=True,
        check=True,
    )
    assert other.stdout == orjson.dumps(groom_end_to_end(sample()))


def test_the_documented_rates_and_devices_are_those_in_use() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/grooming.md").read_text()
    rows = re.findall(r"^\| (`.+`) \| ([\d.]+) \| (\w+)", page, re.MULTILINE)
    documented = {
        kind: (float(rate), panel) for kinds, rate, panel in rows for kind in kinds.replace("`", "").split(", ")
    }
    assert documented == {
        kind: (rate, PANEL_OF[kind].name if kind in PANEL_OF else "none") for kind, rate in RATES.items()
    }
