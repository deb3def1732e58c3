"""The algorithm `network_plan`: the same as its parts one after the other."""

from __future__ import annotations

import copy
import io
import zipfile
from typing import Any

import orjson
import pytest

from sluice.domain.base import validate
from sluice.errors import Invalid
from sluice.planning.grooming.parameters import GroomingParameters
from sluice.planning.topology import Link, Node, Topology
from sluice_algorithms import grooming, network_plan
from support.client import Client
from support.planning.networks import random_matrix
from support.planning.rwa_invariants import check_rwa
from support.planning.rwa_runs import LocalTask, run_rwa, run_steps, through_json

PARAMETERS: dict[str, Any] = {"mp1h_threshold": 10, "iterations": 3, "trade_off": 0.3}
NAMES = "ABCDEFGH"


@pytest.fixture(scope="module")
def topology() -> Topology:
    """A ring of eight nodes with two chords."""
    ring = [(NAMES[i - 1], NAMES[i]) for i in range(len(NAMES))]
    pairs = [*ring, ("A", "E"), ("B", "F")]
    return Topology(
        nodes=[
            Node(name=name, lat=40 + i, lng=10 - i, roadm_type="Directionless" if i % 3 else "CDC")
            for i, name in enumerate(NAMES)
        ],
        links=[Link(source=a, destination=b, length=60 + 9.5 * i, fiber_type="sm") for i, (a, b) in enumerate(pairs)],
    )


@pytest.fixture(scope="module")
def documents(topology: Topology) -> dict[str, Any]:
    return {
        "topology": topology.model_dump(),
        "traffic_matrix": random_matrix(topology, 14, 120, seed=3).model_dump(),
    }


@pytest.fixture(scope="module")
def plan(documents: dict[str, Any]) -> dict[str, Any]:
    result, _ = run_steps(network_plan.ALGORITHM, documents, PARAMETERS)
    return through_json(result.document)  # type: ignore[no-any-return]


@pytest.mark.parametrize("method", ["Greedy", "ILP"])
def test_plan_is_what_its_parts_return(topology: Topology, documents: dict[str, Any], method: str) -> None:
    """Grooming and assignment are those of the algorithms `grooming` and `rwa` with the same parameters and seed."""
    parameters = {**PARAMETERS, "algorithm": method}
    result, warnings = run_steps(network_plan.ALGORITHM, documents, parameters, seed=5)
    plan = result.document
    task = LocalTask(documents, validate(GroomingParameters, {"mp1h_threshold": 10}), 5)
    groomed = grooming.solve(task, None, 0).document
    rwa_parameters = {name: value for name, value in parameters.items() if name != "mp1h_threshold"}
    routed, rwa_warnings = run_rwa(topology, groomed, seed=5, **rwa_parameters)
    assert plan["grooming"] == groomed
    assert plan["rwa"] == routed.document
    assert set(rwa_warnings) <= set(warnings)
    check_rwa(topology, groomed, plan["rwa"], trade_off=0.3, iterations=3 if method == "Greedy" else 1)
    for name in ("links", "lightpaths"):
        assert result.tables[name] == routed.tables[name]
    assert result.tables["remaining"] == grooming.tables_of(groomed, task.parameters)["remaining"]


@pytest.mark.parametrize("method", ["end_to_end", "advanced"])
def test_a_plan_goes_on_with_a_grooming(topology: Topology, documents: dict[str, Any], method: str) -> None:
    """The plan of a grooming is that of its traffic matrix; devices that it leaves out are added."""
    parameters = {**PARAMETERS, "method": method}
    whole, _ = run_steps(network_plan.ALGORITHM, documents, parameters, seed=5)
    groomed = whole.document["grooming"]
    given = {"topology": documents["topology"], "grooming": groomed}
    result, _ = run_steps(network_plan.ALGORITHM, given, PARAMETERS, seed=5)
    assert result.document == whole.document
    assert result.tables == whole.tables
    assert result.files == whole.files
    by_hand = {"traffic": copy.deepcopy(groomed["traffic"]), "mapping": groomed["mapping"]}
    for path in by_hand["traffic"]["main"]["lightpaths"].values():
        for client in path["service_id_list"]:
            client.pop("mp2x_panel_address")
            client.pop("normal_service_type")
    result, warnings = run_steps(network_plan.ALGORITHM, {**given, "grooming": by_hand}, PARAMETERS, seed=5)
    plan, devices = result.document, groomed["service_devices"]
    at_lightpaths = [id for id, device in devices.items() if device["panel"] != "MP2X"]
    assert set(at_lightpaths) <= set(plan["grooming"]["service_devices"]) <= set(devices)
    missing = len(devices) - len(plan["grooming"]["service_devices"])
    assert any("are not counted" in warning for warning in warnings) == (missing > 0)
    counts = (plan["materials"]["network"][panel] for panel in ("MP2X", "MP1H", "TP1H"))
    assert sum(counts) == len(devices) - missing == plan["statistics"]["devices"]
    assert plan["statistics"]["services"] == 120
    assert plan["rwa"] == whole.document["rwa"]


@pytest.mark.parametrize(
    ("keys", "pointer"),
    [
        (("grooming", "statistics", "lightpath_no"), "/grooming/statistics/lightpath_no"),
        (("rwa", "wavelengths_used"), "/rwa/wavelengths_used"),
        (("materials", "nodes", "A", "FIM"), "/materials/nodes/A/FIM"),
        (("materials", "network", "MP2X"), "/materials/network/MP2X"),
    ],
)
def test_hand_made_plans_must_fit_together(
    plan: dict[str, Any], documents: dict[str, Any], keys: tuple[str, ...], pointer: str
) -> None:
    """Each part is checked as a result of its own; the bill of materials is counted again."""
    assert network_plan.ALGORITHM.check is not None
    parameters = network_plan.NetworkPlanParameters.model_validate(PARAMETERS)
    network_plan.ALGORITHM.check(plan, documents, parameters)
    changed: Any = copy.deepcopy(plan)
    part = changed
    for key in keys[:-1]:
        part = part[key]
    part[keys[-1]] += 1
    with pytest.raises(Invalid) as refused:
        network_plan.ALGORITHM.check(changed, documents, parameters)
    assert [error["pointer"] for error in refused.value.errors] == [pointer]


def test_numbers_and_tables_agree(topology: Topology, documents: dict[str, Any]) -> None:
    """Statistics, the tables `materials` and `nodes`, and the bill of materials count the same."""
    result, _ = run_steps(network_plan.ALGORITHM, documents, PARAMETERS)
    plan, statistics = result.document, result.document["statistics"]
    assert statistics["services"] == 120
    assert statistics["lightpaths"] == len(plan["rwa"]["lightpaths"]) + statistics["blocked_lightpaths"]
    assert statistics["devices"] == len(plan["grooming"]["service_devices"])
    totals: dict[str, int] = dict.fromkeys(plan["materials"]["network"], 0)
    for _, item, count in result.tables["materials"].rows:
        totals[item] += count
    assert totals == plan["materials"]["network"]
    columns = [column.name for column in result.tables["nodes"].columns]
    nodes = [dict(zip(columns, row, strict=True)) for row in result.tables["nodes"].rows]
    assert [node["name"] for node in nodes] == [node.name for node in topology.nodes]
    assert sum(node["links"] for node in nodes) == 2 * len(topology.links)
    assert sum(node["lightpaths"] for node in nodes) == 2 * len(plan["rwa"]["lightpaths"])
    assert sum(node["regenerators"] for node in nodes) == statistics["regenerators_used"]
    assert sum(node["devices"] for node in nodes) == statistics["devices"]
    loads = [row[-1] for row in result.tables["links"].rows]
    assert statistics["highest_load"] == max(loads) > 0
    assert "xl/workbook.xml" in zipfile.ZipFile(io.BytesIO(result.files["materials.xlsx"])).namelist()


def test_order_of_restarts_does_not_matter(documents: dict[str, Any]) -> None:
    """Whichever restart is solved first, document and files have the same bytes."""
    (first, _), (second, _) = (
        run_steps(network_plan.ALGORITHM, documents, PARAMETERS, backwards=backwards) for backwards in (False, True)
    )
    assert orjson.dumps(first.document) == orjson.dumps(second.document)
    assert first.files == second.files
    assert first.tables == second.tables


def test_node_with_too_many_links_is_refused_before_any_restart() -> None:
    """The bill of materials has no node with nine links."""
    names = [f"N{number}" for number in range(10)]
    topology = Topology(
        nodes=[Node(name=name, lat=0, lng=0) for name in names],
        links=[Link(source="N0", destination=name, length=10, fiber_type="sm") for name in names[1:]],
    )
    documents = {"topology": topology.model_dump(), "traffic_matrix": {"demands": {}}}
    task = LocalTask(documents, network_plan.NetworkPlanParameters(), 0)
    with pytest.raises(Invalid, match="'N0' has 9 links"):
        network_plan.prepare(task)


def test_a_project_plans_its_pinned_network(admin: Client, topology: Topology, documents: dict[str, Any]) -> None:
    """A run through the API stores the document, tables that SQL reads, and the workbook; a later run takes it."""
    for name, kind in (("network", "topology"), ("demands", "traffic_matrix")):
        assert admin.put(f"/inputs/{name}", {"kind": kind, "document": documents[kind]}).status == 201
    admin.put("/projects/p", {"name": "p"})
    inputs = {"topology": "network@1", "traffic_matrix": "demands@1"}
    body: dict[str, Any] = {"inputs": inputs, "parameters": {**PARAMETERS, "algorithm": "ILP"}, "seed": 5}
    started = admin.post("/projects/p/algorithms/network_plan/runs", body)
    assert started.status == 202, started.text
    made = admin.get(f"/runs/{started.json()['id']}").json()
    assert made["status"] == "succeeded", made["error"]
    assert made["request"]["packages"].keys() == {"highspy", "numpy", "xlsxwriter"}
    expected, _ = run_steps(network_plan.ALGORITHM, documents, body["parameters"], seed=5)
    assert admin.get(f"/runs/{made['id']}/result").json() == orjson.loads(orjson.dumps(expected.document))
    outputs = admin.get(f"/runs/{made['id']}/outputs").json()
    assert {table["name"] for table in outputs["tables"]} == set(network_plan.ALGORITHM.tables)
    assert [file["name"] for file in outputs["files"]] == ["materials.xlsx"]
    links = admin.get(f"/runs/{made['id']}/tables/links?limit=200").json()["items"]
    assert [link["source"] for link in links] == [link.source for link in topology.links]


def test_a_grooming_replaces_the_traffic_matrix(admin: Client, topology: Topology, documents: dict[str, Any]) -> None:
    """One of the two is needed; that of the request counts, whatever the project pins and sets."""
    for name, kind in (("network", "topology"), ("demands", "traffic_matrix")):
        assert admin.put(f"/inputs/{name}", {"kind": kind, "document": documents[kind]}).status == 201
    admin.put("/projects/p", {"name": "p"})
    plans = "/projects/p/algorithms/network_plan"
    missing = admin.post(f"{plans}/runs", {"inputs": {"topology": "network"}})
    assert missing.status == 422
    assert missing.json()["errors"][0]["pointer"] == "/inputs/traffic_matrix"
    assert missing.json()["detail"].endswith("Or give grooming instead.")
    inputs = {"topology": "network", "traffic_matrix": "demands"}
    groomed = admin.post("/projects/p/algorithms/grooming/runs", {"inputs": inputs}).json()["id"]
    both = admin.post(f"{plans}/runs", {"inputs": {**inputs, "grooming": f"run:{groomed}"}})
    assert [error["pointer"] for error in both.json()["errors"]] == ["/inputs/traffic_matrix"]
    assert "leave out one of the two" in both.json()["detail"]
    admin.put("/projects/p/inputs/demands", {"version": 1})
    assert admin.put(plans, {"inputs": inputs}).status in (200, 201)
    started = admin.post(f"{plans}/runs", {"inputs": {"grooming": f"run:{groomed}"}})
    assert started.status == 202, started.text
    run = admin.get(f"/runs/{started.json()['id']}").json()
    assert run["status"] == "succeeded", run["error"]
    assert run["request"]["inputs"].keys() == {"topology", "grooming"}
    assert admin.get(f"/runs/{run['id']}/result").json()["materials"]["network"]["FIM"] == 2 * len(topology.links)
    described = admin.get("/algorithms/network_plan").json()["inputs"]
    assert described["grooming"]["replaces"] == ["traffic_matrix", "clusters"]
    assert described["traffic_matrix"].keys() == {"kinds", "description", "required"}


def test_inputs_that_do_not_fit_start_nothing(admin: Client, documents: dict[str, Any]) -> None:
    """The answer names the input, and the node or the place in its document."""
    matrix = orjson.loads(orjson.dumps(documents["traffic_matrix"]))
    matrix["demands"]["1"]["source"] = "Atlantis"
    admin.put("/inputs/network", {"kind": "topology", "document": documents["topology"]})
    admin.put("/inputs/demands", {"kind": "traffic_matrix", "document": matrix})
    admin.put("/projects/p", {"name": "p"})
    body = {"inputs": {"topology": "network", "traffic_matrix": "demands"}}
    for name in ("network_plan", "grooming"):
        refused = admin.post(f"/projects/p/algorithms/{name}/runs", body)
        assert refused.status == 422
        assert "'1' ends at 'Atlantis'" in refused.json()["detail"]
        assert [error["pointer"] for error in refused.json()["errors"]] == ["/inputs/traffic_matrix"]
        assert refused.json()["errors"][0]["message"].endswith("of the topology (/document/demands/1/source).")
    star = copy.deepcopy(documents["topology"])
    star["links"] += [{"source": "A", "destination": name, "length": 9, "fiber_type": "sm"} for name in "CDFG"]
    star["nodes"] += [{"name": name, "lat": 0, "lng": 0} for name in ("I", "J")]
    star["links"] += [{"source": "A", "destination": name, "length": 9, "fiber_type": "sm"} for name in "IJ"]
    admin.put("/inputs/network", {"kind": "topology", "document": star})
    admin.put("/inputs/demands", {"kind": "traffic_matrix", "document": documents["traffic_matrix"]})
    refused = admin.post("/projects/p/algorithms/network_plan/runs", body)
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/inputs/topology"]
    assert refused.json()["detail"] == "The node 'A' has 9 links; a node can have 8 (/document/nodes/0/name)."
    clustered = {**body, "parameters": {"method": "clustered"}}
    refused = admin.post("/projects/p/algorithms/network_plan/runs", clustered)
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/inputs/clusters"]
    assert admin.get("/runs?kind=algorithm").json()["items"] == []
