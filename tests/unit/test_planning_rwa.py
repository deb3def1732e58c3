"""Rules that every assignment of paths and wavelengths keeps, on random networks."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.algorithms.algorithm import Result
from sluice.domain.base import validate
from sluice.errors import Invalid
from sluice.planning.rwa.parameters import RwaParameters
from sluice.planning.rwa.restoration import RegeneratorPool
from sluice.planning.topology import Link, Node, Topology
from sluice_algorithms.rwa import ALGORITHM
from support.planning.networks import topologies
from support.planning.rwa_invariants import check_rwa
from support.planning.rwa_runs import grooming_of, groomings, run_rwa, through_json

EXAMPLES = 24 * (100 if os.environ.get("PROOF") == "1" else 1)
ORDERS = ("random", "longest_first", "shortest_first", "most_loaded_first")


def network(*links: tuple[str, str, float], roadm_type: Any = "CDC") -> Topology:
    names = dict.fromkeys(name for link in links for name in link[:2])
    return Topology(
        nodes=[Node(name=name, lat=0, lng=0, roadm_type=roadm_type) for name in names],
        links=[Link(source=a, destination=b, length=length, fiber_type="sm") for a, b, length in links],
    )


def lightpath(number: int, ends: str, protection: str = "NoProtection", restoration: str = "None") -> dict[str, Any]:
    return {
        "id": f"L{number}",
        "source": ends[0],
        "destination": ends[1],
        "demand_id": f"D{number}",
        "routing_type": "100GE",
        "protection_type": protection,
        "restoration_type": restoration,
        "capacity": 100.0,
    }


def document_bytes(result: Result) -> bytes:
    tables = {name: [list(row) for row in table.rows] for name, table in result.tables.items()}
    return orjson.dumps([result.document, tables])


PARAMETERS = st.fixed_dictionaries(
    {},
    optional={
        "modulation_type": st.sampled_from(["QPSK", "8QAM"]),
        "order": st.sampled_from(ORDERS),
        "shortest_path_k": st.integers(1, 4),
        "restoration_k": st.integers(1, 3),
        "trade_off": st.sampled_from([0, 0.5, 1]),
        "restoration_combinations": st.sampled_from([1, 3]),
    },
)


@given(topologies(max_nodes=8, lengths=(10, 320)), st.data(), PARAMETERS, st.sampled_from([3, 5, 80]))
@settings(max_examples=EXAMPLES, deadline=None)
def test_every_result_keeps_the_rules(
    topology: Topology, data: st.DataObject, chosen: dict[str, Any], wavelengths: int
) -> None:
    grooming = data.draw(groomings(topology))
    parameters = {**chosen, "wavelengths": wavelengths, "noise_margin": 1, "iterations": 2}
    result, _ = run_rwa(topology, grooming, **parameters)
    check_rwa(topology, grooming, result.document, **parameters)
    assert check_by_hand(topology, grooming, through_json(result.document), **parameters) == []


@given(topologies(min_nodes=5, max_nodes=9, ring=True, lengths=(10, 120)), st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_results_on_rings_keep_the_rules(topology: Topology, data: st.DataObject) -> None:
    # All pairs have disjoint paths: protection is never left out.
    grooming = data.draw(groomings(topology, most=16))
    result, _ = run_rwa(topology, grooming)
    check_rwa(topology, grooming, result.document)
    assert result.document["downgraded"] == result.document["blocked"] == []


@given(topologies(max_nodes=7), st.data(), st.integers(0, 3))
@settings(max_examples=EXAMPLES // 2, deadline=None)
def test_result_depends_on_the_seed_only(topology: Topology, data: st.DataObject, seed: int) -> None:
    grooming = data.draw(groomings(topology))
    first, _ = run_rwa(topology, grooming, seed)
    again, _ = run_rwa(topology, grooming, seed, backwards=True)
    assert document_bytes(first) == document_bytes(again)


@given(topologies(max_nodes=7), st.data())
@settings(max_examples=EXAMPLES // 2, deadline=None)
def test_more_restarts_are_never_worse(topology: Topology, data: st.DataObject) -> None:
    grooming = data.draw(groomings(topology))
    few, many = (
        run_rwa(topology, grooming, iterations=count, wavelengths=4, noise_margin=1)[0].document for count in (2, 5)
    )
    assert few["iterations"] == many["iterations"][:2]
    ranks = [(len(document["blocked"]), document["objective"]) for document in (few, many)]
    assert ranks[1] <= ranks[0]


@given(topologies(max_nodes=7, ties=False, lengths=(10, 300)), st.data(), st.randoms(use_true_random=False))
@settings(max_examples=EXAMPLES // 2, deadline=None)
def test_names_and_order_of_the_network_do_not_matter(
    topology: Topology, data: st.DataObject, rng: random.Random
) -> None:
    grooming = data.draw(groomings(topology))
    names = [node.name for node in topology.nodes]
    renamed = dict(zip(names, rng.sample(names, len(names)), strict=True))
    nodes = [node.model_copy(update={"name": renamed[node.name]}) for node in topology.nodes]
    links = [
        link.model_copy(update={"source": renamed[link.destination], "destination": renamed[link.source]})
        for link in topology.links
    ]
    other = Topology(nodes=rng.sample(nodes, len(nodes)), links=rng.sample(links, len(links)))
    paths = grooming["traffic"]["1"]["lightpaths"].values()
    moved = grooming_of(
        [{**path, "source": renamed[path["source"]], "destination": renamed[path["destination"]]} for path in paths]
    )
    before, after = (run_rwa(*given)[0].document for given in ((topology, grooming), (other, moved)))
    for key in ("wavelengths_used", "regenerators_used", "blocked", "downgraded"):
        if key == "blocked":
            assert [entry["id"] for entry in before[key]] == [entry["id"] for entry in after[key]]
        else:
            assert before[key] == after[key]


HASHED = """
import random, sys
import orjson
from sluice.planning.rwa.assignment import Rules, assign
from sluice.planning.rwa.candidates import Search, find_candidates
from sluice.planning.rwa.exact_assignment import improve
from sluice.planning.rwa.linear_model import Budget
from sluice.planning.rwa.result import present
from sluice.planning.topology import Topology

topology, grooming = orjson.loads(sys.stdin.buffer.read())
topology = Topology.model_validate(topology)
candidates = find_candidates(topology, grooming)
rng = random.Random("0:0")
assignment = assign(candidates, Rules(), rng)
nothing = {**assignment, "assigned": {}}
exact = improve(candidates, Rules(), [nothing], 0, Budget(1000, 600), rng, lambda text: None)
assert exact["assigned"]
documents = [present(topology, candidates, each, Search()) for each in (assignment, exact)]
sys.stdout.buffer.write(orjson.dumps([candidates, documents]))
"""


def test_result_is_independent_of_hash_seeds() -> None:
    ring = [("Ä", "B", 150), ("B", "C", 150), ("C", "D", 150), ("D", "Ä", 150), ("B", "D", 150)]
    types = [("1+1_NodeDisjoint", "JointSame"), ("NoProtection", "JointSame"), ("1+1_NodeDisjoint", "AdvJointSame")]
    ends = ("ÄC", "BD", "CÄ", "DB", "ÄB", "CD")
    paths = grooming_of([lightpath(number, pair, *types[number % 3]) for number, pair in enumerate(ends)])
    given = orjson.dumps([network(*ring, roadm_type="Directionless").model_dump(), paths])
    started = [
        subprocess.Popen(
            [sys.executable, "-c", HASHED],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for seed in ("1", "2")
    ]
    outputs = [process.communicate(given)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert outputs[0] == outputs[1]
    assert all(word in outputs[0] for word in (b"Basic", b"Advanced"))


def test_a_full_link_blocks_and_names_the_reason() -> None:
    line = network(("A", "B", 10), ("C", "D", 10))
    paths = [lightpath(number, "AB") for number in range(4)] + [lightpath(4, "AC")]
    result, warnings = run_rwa(line, grooming_of(paths), wavelengths=3, noise_margin=1)
    assert [entry["reason"] for entry in result.document["blocked"]] == ["no_wavelength", "no_path"]
    assert result.document["wavelengths_used"] == 3
    assert any("2 lightpaths are blocked" in text for text in warnings)
    statuses = [row[8] for row in result.tables["lightpaths"].rows]
    assert sorted(statuses) == ["blocked: no_path", "blocked: no_wavelength", "routed", "routed", "routed"]


def test_only_routed_lightpaths_are_said_to_lack_protection() -> None:
    """A blocked lightpath has no protection, either, but that is not why."""
    far = network(("A", "B", 50), ("B", "C", 60), ("C", "D", 900))
    paths = [lightpath(number, ends, "1+1_NodeDisjoint") for number, ends in enumerate(("AC", "AD", "BD"))]
    result, warnings = run_rwa(far, grooming_of(paths))
    assert [entry["reason"] for entry in result.document["blocked"]] == ["no_path", "no_path"]
    assert result.document["downgraded"] == ["L0"]
    assert any("1 lightpaths are routed without protection, such as L0" in text for text in warnings)
    result, warnings = run_rwa(far, grooming_of(paths[1:]))
    assert result.document["downgraded"] == []
    assert [text.partition(",")[0] for text in warnings] == ["2 lightpaths are blocked"]


def test_a_directionless_node_drops_a_wavelength_once() -> None:
    links = (("A", "B", 10), ("B", "C", 10))
    ends = grooming_of([lightpath(0, "AB"), lightpath(1, "BC")])
    assert run_rwa(network(*links), ends)[0].document["wavelengths_used"] == 1
    assert run_rwa(network(*links, roadm_type="Directionless"), ends)[0].document["wavelengths_used"] == 2
    many = grooming_of([lightpath(number, "AB" if number % 2 else "BC") for number in range(4)])
    blocked, _ = run_rwa(network(*links, roadm_type="Directionless"), many, wavelengths=3, noise_margin=1)
    assert [entry["reason"] for entry in blocked.document["blocked"]] == ["directionless"]


def test_a_regenerator_of_restoration_counts_at_a_directionless_node() -> None:
    # A-D-B restores A-B and needs a regenerator at D, where D-E ends. Some restarts take the one first, some the other.
    links = (("A", "B", 10), ("A", "D", 300), ("D", "B", 300), ("D", "E", 10))
    paths = grooming_of([lightpath(0, "AB", restoration="JointSame"), lightpath(1, "DE")])
    free, bound = (run_rwa(network(*links, roadm_type=kind), paths)[0].document for kind in ("CDC", "Directionless"))
    assert [entry["objective"] for entry in free["iterations"]] == [pytest.approx(0.1 * 1 + 0.9 * 1)] * 4
    assert [entry["objective"] for entry in bound["iterations"]] == [pytest.approx(0.1 * 2 + 0.9 * 1)] * 4
    assert bound["restoration_regenerators"] == {"D": 1}


def test_pooled_regenerators_are_those_of_the_worst_failure() -> None:
    pool = RegeneratorPool()
    sizes: list[int] = []
    # Of one node: after failures of the links 1 and 2, and of 1 and then 2 or 3. Then of another node.
    for use in ((0, 1, None), (0, 2, None), (0, 1, 2), (0, 1, 3), (0, 2, 1), (0, 1, None), (5, 1, None)):
        grown = pool.increase([use])
        pool.add([use])
        assert pool.size == grown + (sizes[-1] if sizes else 0)
        sizes.append(pool.size)
    assert sizes == [1, 1, 2, 2, 2, 3, 4]
    assert pool.by_node() == {0: 3, 5: 1}


def test_restoration_shares_a_wavelength() -> None:
    # Both lightpaths restore over E-F, each after another failure: one wavelength does for both.
    topology = network(
        ("A", "B", 10), ("C", "D", 10), ("A", "E", 30), ("C", "E", 30), ("E", "F", 30), ("F", "B", 30), ("F", "D", 30)
    )
    paths = grooming_of([lightpath(number, ends, restoration="JointSame") for number, ends in enumerate(("AB", "CD"))])
    document = run_rwa(topology, paths)[0].document
    check_rwa(topology, paths, document)
    assert document["wavelengths_used"] == 1
    assert document["general_info"]["restoration"]["link_state"]["E-F"]["wavelengths"] == [0, 0]


def test_a_lightpath_is_routed_without_restoration_rather_than_blocked() -> None:
    topology = network(("A", "B", 10), ("B", "C", 10))
    result, warnings = run_rwa(topology, grooming_of([lightpath(0, "AC", "NoProtection", "JointSame")]))
    failures = [{"first_failure": ["A", "B"]}, {"first_failure": ["B", "C"]}]
    assert result.document["not_restorable"] == [{"id": "L0", "failures": failures}]
    assert result.document["lightpaths"]["L0"]["routing_info"]["restoration"] == []
    assert any("not restored after all failures" in text for text in warnings)


def test_tables_agree_with_the_document() -> None:
    topology = network(("A", "B", 10), ("B", "C", 20), ("C", "A", 40))
    paths = grooming_of([lightpath(0, "AB", "1+1_NodeDisjoint"), lightpath(1, "BC")])
    result, _ = run_rwa(topology, paths, wavelengths=10, noise_margin=1)
    links = result.tables["links"]
    rows = [dict(zip([column.name for column in links.columns], row, strict=True)) for row in links.rows]
    assert [(row["source"], row["destination"], row["wavelengths_used"], row["load"]) for row in rows] == [
        ("A", "B", 1, 0.1),
        ("B", "C", 2, 0.2),
        ("C", "A", 1, 0.1),
    ]
    lightpaths = [row[:1] + row[8:15] for row in map(list, result.tables["lightpaths"].rows)]
    assert [row[0] for row in lightpaths] == ["L0", "L1"]
    assert lightpaths[0][3:7] == ["A - B", 1, "A - C - B", 2]
    assert [row[4] for row in result.tables["wavelengths"].rows] == [1, 1]


def hand_made() -> tuple[Topology, dict[str, Any], dict[str, Any]]:
    topology = network(("A", "B", 10), ("B", "C", 20), ("C", "A", 40))
    paths = grooming_of([lightpath(0, "AB", "1+1_NodeDisjoint", "JointSame"), lightpath(1, "BC")])
    return topology, paths, dict(run_rwa(topology, paths)[0].document)


def check_by_hand(
    topology: Topology, paths: dict[str, Any], document: dict[str, Any], **parameters: Any
) -> list[tuple[str, str]]:
    documents = {"topology": topology.model_dump(), "grooming": paths}
    assert ALGORITHM.check is not None
    try:
        ALGORITHM.check(document, documents, validate(RwaParameters, parameters))
    except Invalid as refused:
        return [(fault["pointer"], fault["message"]) for fault in refused.errors or []]
    return []


def test_hand_made_results_that_fit() -> None:
    assert check_by_hand(*hand_made()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"path": ["A", "B", "C"]}, "The path must start at the lightpath's source and end at its destination."),
        ({"path": ["B", "D", "C"]}, "The topology has no link between 'B' and 'D'."),
        ({"path": ["B", "A", "B", "C"]}, "The path must pass each node once."),
        ({"path": []}, "The path must start at the lightpath's source and end at its destination."),
        ({"regenerators": ["B"]}, "Regenerators must be inner nodes of the path."),
        ({"wavelength": [4, 5]}, "The segments must have one and the same wavelength."),
        (
            {"wavelength": [0]},
            "The path at /lightpaths/L0/routing_info/protection has the wavelength 0 between 'B' and 'C'.",
        ),
    ],
)
def test_hand_made_results_that_do_not_fit(change: dict[str, Any], message: str) -> None:
    topology, paths, document = hand_made()
    for key in ("L0", "L1"):
        info = document["lightpaths"][key]["routing_info"]
        for path in (info["working"], info.get("protection", {})):
            path["wavelength"] = [int(key[1])]
    document["lightpaths"]["L1"]["routing_info"]["working"] |= change
    assert ("/lightpaths/L1/routing_info/working", message) in check_by_hand(topology, paths, document)


def test_hand_made_lightpaths_must_be_groomed() -> None:
    topology, _, document = hand_made()
    demanded = grooming_of([lightpath(0, "AB", "1+1_NodeDisjoint", "JointSame")])
    faults = check_by_hand(topology, demanded, document)
    assert faults == [("/lightpaths/L1", "The grooming has no lightpath 'L1'.")]


def change_at(document: Any, path: str, value: Any) -> None:
    """Replace the value at a path of keys and indexes; None removes it."""
    *parents, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    for part in parents:
        document = document[part]
    if value is None:
        del document[last]
    else:
        document[last] = value


WORKING, OTHER = (f"lightpaths/{key}/routing_info/working" for key in ("L0", "L1"))


@pytest.mark.parametrize(
    ("path", "value", "pointer", "words"),
    [
        ("lightpaths/L1", None, "lightpaths", "1 lightpaths of the grooming, such as 'L1', are neither in"),
        ("blocked", [{"id": "L1", "reason": "no_path", "message": "x"}], "blocked/0/id", "is routed, or listed before"),
        ("lightpaths/L0/destination", "C", "lightpaths/L0/destination", "`destination` must be 'B'"),
        ("lightpaths/L0/capacity", 10.0, "lightpaths/L0/capacity", "must be 100.0, as the grooming has it"),
        ("lightpaths/L0/protection_type", "NoProtection", "lightpaths/L0/protection_type", "1+1_NodeDisjoint"),
        ("lightpaths/L0/routing_info/protection", None, "lightpaths/L0/routing_info/protection", "a protection path"),
        (
            "lightpaths/L0/routing_info/protection",
            {"path": ["A", "B"], "wavelength": [1], "regenerators": [], "snr": [30], "margin_db": 1, "lambda_link": 1},
            "lightpaths/L0/routing_info/protection",
            "share a link",
        ),
        ("lightpaths/L0/downgraded", True, "downgraded", "['L0']"),
        (f"{OTHER}/wavelength", [80], f"{OTHER}/wavelength", "0 to 79"),
        (f"{WORKING}/lambda_link", 7, f"{WORKING}/lambda_link", "must be 1, as the path has it"),
        (f"{WORKING}/snr", [], f"{WORKING}/snr", "One value for each segment"),
        (f"{WORKING}/snr/0", 50.0, f"{WORKING}/snr/0", "With the wavelengths that are lit the SNR is"),
        (f"{WORKING}/margin_db", 50.0, f"{WORKING}/margin_db", "less the 11.3 dB of QPSK"),
        ("not_restorable", [], "lightpaths/L0/routing_info/restoration", "between 'A' and 'B' has no restoration path"),
        ("general_info/working/link_state/A-B/wavelengths", [5], "general_info/working/link_state/A-B", "[1]"),
        ("general_info/working/node_state/A", None, "general_info/working/node_state/A", "it is"),
        ("general_info/protection/total_lambda_link", 9, "general_info/protection/total_lambda_link", "2, not 9"),
        ("objective", 7.5, "objective", "With `trade_off` 0.1"),
        ("wavelengths_used", 9, "wavelengths_used", "not 9"),
        ("regenerators_used", 9, "regenerators_used", "The paths use 0, not 9"),
        ("restoration_regenerators", {"B": 1}, "restoration_regenerators", "share {}"),
        ("iterations/0/objective", 0.05, "iterations", "unlike the result"),
    ],
)
def test_hand_made_results_keep_every_rule(path: str, value: Any, pointer: str, words: str) -> None:
    """What can be calculated from the paths and the inputs must be as stated."""
    topology, paths, document = hand_made()
    document = through_json(document)
    change_at(document, path, value)
    faults = check_by_hand(topology, paths, document)
    assert any(place == f"/{pointer}" and words in message for place, message in faults), faults
    assert all(message.endswith(".") for _, message in faults)


def restored_by_hand() -> tuple[Topology, dict[str, Any], dict[str, Any]]:
    """A restored lightpath from A to C, and a long one whose working path has a link of the restoration path."""
    links = ("A", "B", 10), ("B", "C", 10), ("A", "D", 30), ("D", "C", 30), ("D", "Y", 300), ("Y", "Z", 300)
    topology = network(*links, roadm_type="Directionless")
    paths = grooming_of([lightpath(0, "AC", restoration="JointSame"), lightpath(1, "AZ")])
    return topology, paths, dict(run_rwa(topology, paths)[0].document)


@pytest.mark.parametrize(
    ("path", "value", "pointer", "words"),
    [
        ("L0/routing_info/restoration/0/first_failure", ["A", "D"], "restoration/0", "a link of the working path"),
        ("L0/routing_info/restoration/0/info/path", ["A", "B", "C"], "restoration/0", "avoid the links that have"),
        ("L0/routing_info/restoration/0/restoration_algorithm", "Advanced", "restoration/0", "`Basic` for one failure"),
        ("L0/routing_info/restoration/1", None, "restoration", "between 'B' and 'C' has no restoration path"),
        ("L1/routing_info/working/regenerators", ["D"], "working/regenerators", "the lowest estimated SNR"),
        ("L1/routing_info/working/regenerators", ["D", "Y"], "working/regenerators", "not need the regenerator at 'D'"),
        ("L1/routing_info/working/regenerators", ["Y", "D"], "working", "in the order of the path"),
        ("L1/routing_info/working/wavelength", [1, 1], "restoration/0/info", "has the wavelength 1 between"),
        ("L1/routing_info/working/wavelength", [1, 1], "working", "'L0' is added, dropped or regenerated on"),
    ],
)
def test_hand_made_paths_keep_every_rule(path: str, value: Any, pointer: str, words: str) -> None:
    """Restoration, reach, and the lightpaths of others."""
    topology, paths, document = restored_by_hand()
    assert check_by_hand(topology, paths, document) == []
    document = through_json(document)
    change_at(document["lightpaths"], path, value)
    for changed in document["lightpaths"].values():
        working = changed["routing_info"]["working"]
        count = len(working["regenerators"]) + 1
        working |= {"wavelength": working["wavelength"][:1] * count, "snr": working["snr"][:1] * count}
    faults = check_by_hand(topology, paths, document)
    assert any(place.endswith(f"/{pointer}") and words in message.replace("The", "the") for place, message in faults), (
        faults
    )


def test_hand_made_results_need_no_inputs() -> None:
    """Without topology and grooming a result must still fit together."""
    _, _, document = hand_made()
    assert ALGORITHM.check is not None
    ALGORITHM.check(document, {}, RwaParameters())
    with pytest.raises(Invalid, match="the objective is"):
        ALGORITHM.check({**document, "objective": 9}, {}, RwaParameters())


@pytest.mark.parametrize(
    ("parameters", "pointer"),
    [
        ({"modulation_type": "BPSK"}, "/modulation_type"),
        ({"modulation_type": "16QAM"}, "/modulation_type"),
        ({"algorithm": "GroupILP"}, "/algorithm"),
        ({"noise_margin": 40}, "/noise_margin"),
        ({"noise_margin": 4, "wavelengths": 8}, "/noise_margin"),
        ({"shortest_path_k": 0}, "/shortest_path_k"),
        ({"trade_off": 1.5}, "/trade_off"),
    ],
)
def test_parameters_that_are_refused(parameters: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        validate(RwaParameters, parameters)
    assert [fault["pointer"] for fault in refused.value.errors or []] == [pointer]
