"""Network planning in one run: grooming, then routing and wavelength assignment, then the bill of materials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sluice.algorithms.algorithm import Algorithm, Input, Result, ResultTable, Solution, Task
from sluice.algorithms.composition import PartTask
from sluice.planning.documents import below
from sluice.planning.grooming.completion import complete_grooming, count_services, demands_without_places
from sluice.planning.grooming.devices import Chassis
from sluice.planning.grooming.methods import groom_network
from sluice.planning.grooming.parameters import GroomingParameters
from sluice.planning.network_plan.document import NetworkPlan
from sluice.planning.network_plan.materials import (
    bill_of_materials,
    require_degrees,
    require_materials,
    require_places,
)
from sluice.planning.network_plan.materials_workbook import materials_workbook
from sluice.planning.network_plan.tables import MATERIALS, NODES, material_rows, node_rows, plan_statistics
from sluice.planning.rwa.parameters import RwaParameters
from sluice.planning.topology import Topology, parse_topology
from sluice_algorithms import grooming, rwa


class NetworkPlanParameters(GroomingParameters, RwaParameters):
    """The parameters of grooming, and those of routing and wavelength assignment."""


def prepare(task: Task) -> dict[str, Any]:
    """Groom the services unless there is a grooming, and search the candidates of all lightpaths."""
    topology = parse_topology(task.documents["topology"])
    require_degrees(topology)
    groomed = _grooming_of(task, topology)
    return {"grooming": groomed, "candidates": rwa.prepare(PartTask(task, {"grooming": groomed}))}


def _grooming_of(task: Task, topology: Topology) -> Mapping[str, Any]:
    """The grooming among the inputs, or a new one; with devices and statistics."""
    if "grooming" not in task.documents:
        groomed = groom_network(*grooming.read_documents(task.documents), task.parameters)
        for warning in grooming.warnings_of(groomed):
            task.warn(warning)
        return groomed
    complete = complete_grooming(task.documents["grooming"], Chassis(task.parameters.shelves_per_rack))
    require_places(topology, complete)
    missing = demands_without_places(complete)
    if missing:
        task.warn(
            f"The MP2X devices of {len(missing)} demands, such as {missing[0]!r}, are not counted: the grooming has no "
            "lightpath that says where they are."
        )
    return complete


def solve(task: Task, prepared: dict[str, Any], restart: int) -> Solution:
    """Assign all lightpaths."""
    return rwa.solve(task, prepared["candidates"], restart)


def finish(task: Task, prepared: dict[str, Any], solution: Any) -> Result:
    """Write the results of both, count the materials, and add tables and the workbook."""
    topology, groomed = parse_topology(task.documents["topology"]), prepared["grooming"]
    remaining = grooming.tables_of(groomed, task.parameters)["remaining"]
    routed = rwa.finish(PartTask(task, {"grooming": groomed}), prepared["candidates"], solution)
    materials = bill_of_materials(topology, groomed, routed.document)
    plan = {"grooming": groomed, "rwa": routed.document, "materials": materials}
    links = routed.tables["links"]
    loads = _values(links, "load")
    return Result(
        {**plan, "statistics": plan_statistics(count_services(groomed), len(remaining.rows), plan, loads)},
        tables={
            "links": links,
            "lightpaths": routed.tables["lightpaths"],
            "remaining": remaining,
            "materials": ResultTable.of(MATERIALS, material_rows(materials)),
            "nodes": ResultTable.of(NODES, node_rows(topology, routed.document, materials)),
        },
        files={"materials.xlsx": materials_workbook(materials)},
    )


def check_inputs(documents: Mapping[str, Any], parameters: NetworkPlanParameters) -> None:
    """Require documents to fit each other, and no node to have more links than a node can have.

    Raises:
        Invalid: they do not fit, or a node has too many links.
    """
    if "traffic_matrix" in documents:
        grooming.check_inputs(documents, parameters)
    with below("topology"):
        require_degrees(parse_topology(documents["topology"]))


def check(document: Mapping[str, Any], documents: Mapping[str, Any], parameters: NetworkPlanParameters) -> None:
    """Require the parts of a result that was made by hand to fit each other and the inputs.

    Raises:
        Invalid: they do not; `errors` has the faults of the first part that has some.
    """
    groomed, routed = document["grooming"], document["rwa"]
    with below("grooming"):
        grooming.check(groomed, documents, parameters)
    with below("rwa"):
        rwa.check(routed, {**documents, "grooming": groomed}, parameters)
    if "topology" in documents:
        complete = complete_grooming(groomed, Chassis(parameters.shelves_per_rack))
        materials = bill_of_materials(parse_topology(documents["topology"]), complete, routed)
        with below("materials"):
            require_materials(document["materials"], materials)


def _values(table: ResultTable, column: str) -> list[Any]:
    place = [each.name for each in table.columns].index(column)
    return [row[place] for row in table.rows]


ALGORITHM = Algorithm(
    title="Network planning",
    description="Plans an optical network in one run: grooms the services of a traffic matrix or takes a grooming, "
    "gives the lightpaths paths and wavelengths, and counts the materials.",
    layer="solver",
    inputs={
        **grooming.ALGORITHM.inputs,
        "grooming": Input(
            ("run:grooming",),
            "A grooming to go on with, also one that is made by hand; its parameters and clusters stay.",
            required=False,
            replaces=("traffic_matrix", "clusters"),
        ),
    },
    parameters=NetworkPlanParameters,
    output=NetworkPlan,
    prepare=prepare,
    restarts=rwa.restarts,
    solve=solve,
    finish=finish,
    check=check,
    check_inputs=check_inputs,
    tables={
        "links": rwa.ALGORITHM.tables["links"],
        "lightpaths": rwa.ALGORITHM.tables["lightpaths"],
        "remaining": grooming.ALGORITHM.tables["remaining"],
        "materials": "What each node needs.",
        "nodes": "The nodes with the lightpaths that end there, and their devices.",
    },
    code=("sluice.planning", "sluice.algorithms.composition", "sluice_algorithms.grooming", "sluice_algorithms.rwa"),
    packages=(*rwa.ALGORITHM.packages, "xlsxwriter"),
)
