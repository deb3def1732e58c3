"""The sample network of the blueprint `netplanner`: what it has, and that its generator writes it."""

import importlib.util
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from sluice.planning.topology import Topology
from sluice.planning.traffic import TrafficMatrix
from support.template import ROOT

BLUEPRINT = ROOT / "blueprints/netplanner"
FILES = (
    "inputs/topology.xlsx",
    "inputs/traffic.xlsx",
    "files/device-prices/prices.csv",
)


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("netplanner_sample", BLUEPRINT / "make_sample.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def topology(generator: ModuleType) -> Topology:
    return Topology.model_validate(generator.topology())


@pytest.fixture(scope="module")
def matrix(generator: ModuleType) -> TrafficMatrix:
    return TrafficMatrix.model_validate(generator.traffic_matrix())


def test_generator_writes_the_files_of_the_blueprint(generator: ModuleType, tmp_path: Path) -> None:
    generator.write(tmp_path)
    written = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert written == sorted(FILES)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (BLUEPRINT / name).read_bytes(), name


def hops(links: list[tuple[str, str]], start: str) -> dict[str, int]:
    """How many links away from a node each node that it reaches is."""
    distances, front = {start: 0}, [start]
    while front:
        ends = [pair for node in front for pair in links if node in pair]
        front = [node for node in dict.fromkeys(end for pair in ends for end in pair) if node not in distances]
        step = max(distances.values()) + 1
        distances |= dict.fromkeys(front, step)
    return distances


def test_topology_has_the_size_of_a_real_network(topology: Topology) -> None:
    names = [node.name for node in topology.nodes]
    links = [(link.source, link.destination) for link in topology.links]
    degrees = Counter(end for pair in links for end in pair)
    assert Counter(degrees.values()) == {7: 1, 5: 3, 4: 1, 3: 6, 2: 11}
    assert sum(link.length for link in topology.links) == pytest.approx(1800, rel=0.02)
    assert max(max(hops(links, name).values()) for name in names) == 5
    for name in names:
        rest = [pair for pair in links if name not in pair]
        assert len(hops(rest, rest[0][0])) == len(names) - 1, f"without {name}, the network falls apart"
    for pair in links:
        assert len(hops([other for other in links if other != pair], names[0])) == len(names), f"{pair} is a bridge"


def test_links_are_as_long_as_the_distance_of_their_ends_allows(generator: ModuleType, topology: Topology) -> None:
    places = {node.name: (node.lat, node.lng) for node in topology.nodes}
    for link in topology.links:
        distance = generator.distance_km(places[link.source], places[link.destination])
        assert 1 <= link.length / distance <= 1.3


def test_matrix_has_the_mix_of_a_real_one(topology: Topology, matrix: TrafficMatrix) -> None:
    names = {node.name for node in topology.nodes}
    demands = list(matrix.demands.values())
    assert {end for demand in demands for end in (demand.source, demand.destination)} == names
    assert len({frozenset((demand.source, demand.destination)) for demand in demands}) == len(demands) == 104
    quantities = Counter[str]()
    for demand in demands:
        assert demand.services
        quantities.update({service.type: service.quantity for service in demand.services})
    assert quantities == {"GE": 604, "10GE": 130, "FE": 112, "STM64": 36, "100GE": 14, "STM16": 4}
    ids = [id for demand in demands for service in demand.services for id in service.service_id_list]
    assert ids == [str(number) for number in range(1, 901)], "as the import of the workbook numbers them"
    protections = Counter((demand.protection_type, demand.restoration_type) for demand in demands)
    assert sorted(protections.values()) == [9, 17, 22, 56]


def test_every_device_of_the_bill_of_materials_has_a_price(generator: ModuleType) -> None:
    lines = (BLUEPRINT / "files/device-prices/prices.csv").read_text().splitlines()
    assert lines[0] == "device,name,price_eur,power_w"
    assert {line.partition(",")[0] for line in lines[1:]} >= {"MP2X", "MP1H", "TP1H", "FIM", "Amplifier", "PWR", "MD48"}
