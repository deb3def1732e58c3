"""Network planning: the sample network through `network_plan`, and greedy assignments against the optimum.

- Sluice: all steps of `network_plan`, with the restarts in as many processes as there are cores, and documents passed
  on as JSON as in a deployment;
- plain NetworkX: the same steps in one process, written straight from the specification.

Both plan the blueprint's network in processes of their own and take turns in each round; medians are compared. Imports
are not counted. The memory is that of all processes together; pages that they share count for each. The peer does not
plan pairs of failures, so that demands with `AdvJointSame` ask for `JointSame` here. It neither calculates the SNR of
restoration paths nor writes tables and a workbook, which Sluice does.

A restart takes some milliseconds here, so that with few restarts the start of the processes and what is done once
(grooming, candidates, the result) limit the ratio, and with many the number of cores.

The second table assigns small random networks greedily, with the default number of restarts, and exactly. The gap is
the part by which the greedy objective is above the optimum; a network in which greedy blocks more has no gap.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.support import ROOT, Comparison, lower_is_better, show, table
from sluice.planning.grooming.methods import groom_network
from sluice.planning.grooming.parameters import GroomingParameters
from sluice.planning.topology import Link, Node, Topology
from sluice.planning.traffic import TrafficMatrix

sys.path.insert(0, str(ROOT / "tests"))

from support.planning.networks import random_matrix
from support.planning.rwa_runs import run_rwa

ASKED = 3.0
PARAMETERS = {"mp1h_threshold": 0, "trade_off": 0.1}
RESTARTS = (4, 64)
MEASURES: dict[str, tuple[str, str, float, float | None]] = {
    "seconds": ("time", "s", 1.0, ASKED),
    "busy": ("processor time", "s", 1.0, None),
    "peak_bytes": ("peak memory", "MB", 1e6, None),
}
OURS, PEER = "planning_ours", "planning_networkx"
# Nodes, chords of the ring, demands, services, the longest link in km, wavelengths.
SMALL = [(6, 2, 10, 60, 120, 80), (8, 3, 16, 100, 250, 80), (10, 4, 20, 140, 250, 80), (10, 4, 30, 400, 120, 24)]
SEEDS = range(3)


def sample() -> tuple[dict[str, Any], dict[str, Any]]:
    """The topology and the traffic matrix of the blueprint, without pairs of failures."""
    place = ROOT / "blueprints/netplanner/make_sample.py"
    specification = importlib.util.spec_from_file_location("make_sample", place)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    matrix = module.traffic_matrix()
    for demand in matrix["demands"].values():
        if demand["restoration_type"] == "AdvJointSame":
            demand["restoration_type"] = "JointSame"
    return module.topology(), matrix


def measured(module: str, files: list[str]) -> dict[str, float]:
    """What a process prints that plans once.

    Raises:
        SystemExit: the process failed.
    """
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", f"benchmarks.peers.{module}", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=variables)
    if done.returncode != 0:
        raise SystemExit(f"{module} failed: {done.stderr[-2000:]}")
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def compare(folder: Path, rounds: int) -> list[Comparison]:
    """Seconds and peak memory of both, for each number of restarts."""
    topology, matrix = sample()
    documents = {"topology": topology, "matrix": matrix}
    documents |= {f"parameters-{count}": {**PARAMETERS, "iterations": count} for count in RESTARTS}
    for name, document in documents.items():
        (folder / f"{name}.json").write_text(json.dumps(document))
    comparisons, plans = [], []
    for count in RESTARTS:
        files = [str(folder / f"{name}.json") for name in ("topology", "matrix", f"parameters-{count}")]
        turns = [(measured(OURS, files), measured(PEER, files)) for _ in range(rounds)]
        for key, (name, unit, scale, asked) in MEASURES.items():
            ours, peer = (statistics.median(turn[way][key] for turn in turns) / scale for way in (0, 1))
            case = f"{name}, {count} restarts"
            comparisons.append(lower_is_better("planning", case, ours, peer, "NetworkX", unit, asked))
        for way, result in zip(("Sluice", "NetworkX"), turns[-1], strict=True):
            plans.append((f"{way}, {count} restarts", f"{result['blocked']}", f"{result['objective']:.1f}"))
        print(f"• {count} restarts", flush=True)
    table(("plan", "blocked", "objective"), plans)
    print()
    return comparisons


def small_network(size: tuple[int, ...], seed: int) -> tuple[Topology, dict[str, Any]]:
    """A ring with chords, and a grooming of random traffic without restoration."""
    nodes, chords, demands, services, longest, _ = size
    rng = random.Random(f"{size}:{seed}")
    names = [f"N{number}" for number in range(nodes)]
    pairs = [(number - 1, number) for number in range(1, nodes)] + [(0, nodes - 1)]
    others = [(a, b) for a in range(nodes) for b in range(a + 2, nodes) if (a, b) not in pairs]
    pairs += rng.sample(others, chords)
    topology = Topology(
        nodes=[Node(name=name, lat=0, lng=0, roadm_type=rng.choice(("CDC", "Directionless"))) for name in names],
        links=[
            Link(source=names[a], destination=names[b], length=rng.randint(10, longest), fiber_type="sm")
            for a, b in pairs
        ],
    )
    matrix = random_matrix(topology, demands, services, seed)
    for demand in matrix.demands.values():
        demand.restoration_type = "None"
    return topology, groom_network(topology, matrix, None, GroomingParameters(mp1h_threshold=0))


def compare_with_optimum() -> None:
    """Print the greedy and the exact assignment of small networks, and of the sample."""
    rows = []
    for size in SMALL:
        for seed in SEEDS:
            name = f"{size[0]} nodes, {size[5]} wavelengths, seed {seed}"
            rows.append(gap(name, *small_network(size, seed), wavelengths=size[5], noise_margin=4))
    topology, matrix = sample()
    for demand in matrix["demands"].values():
        demand["restoration_type"] = "None"
    network = Topology.model_validate(topology)
    groomed = groom_network(network, TrafficMatrix.model_validate(matrix), None, GroomingParameters(mp1h_threshold=0))
    rows.append(gap("the sample", network, groomed))
    header = ("network", "lightpaths", "greedy", "s", "exact", "s", "status", "gap")
    print("greedy against exact: blocked lightpaths, wavelengths + regenerators")
    table(header, rows)
    print()


def gap(name: str, topology: Topology, groomed: dict[str, Any], **parameters: Any) -> tuple[str, ...]:
    """A row: a network assigned greedily and exactly."""
    cells: list[str] = []
    documents = []
    for algorithm in ("Greedy", "ILP"):
        begun = time.perf_counter()
        document = run_rwa(topology, groomed, algorithm=algorithm, **parameters)[0].document
        seconds = time.perf_counter() - begun
        documents.append(document)
        counts = f"{len(document['blocked'])}, {document['wavelengths_used']} + {document['regenerators_used']}"
        cells += [counts, f"{seconds:.2f}"]
    greedy, exact = documents
    status = exact["exact"]["status"]
    above = ""
    if len(greedy["blocked"]) == len(exact["blocked"]):
        above = f"{100 * (greedy['objective'] / exact['objective'] - 1):.1f} %"
    return name, str(groomed["statistics"]["lightpath_no"]), *cells, status, above


def main() -> None:
    """Measure all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    compare_with_optimum()
    with tempfile.TemporaryDirectory() as folder:
        show(compare(Path(folder), options.rounds))


if __name__ == "__main__":
    main()
