"""Network planning in one run: grooming, then routing and wavelength assignment, then the bill of materials."""

from __future__ import annotations

from typing import Any

from sluice.algorithms.algorithm import Algorithm, Result, ResultTable, Solution, Task
from sluice.algorithms.composition import PartTask
from sluice.planning.grooming.methods import groom_network
from sluice.planning.grooming.parameters import GroomingParameters
from sluice.planning.network_plan.document import NetworkPlan
from sluice.planning.network_plan.materials import bill_of_materials, require_degrees
from sluice.planning.network_plan.materials_workbook import materials_workbook
from sluice.planning.network_plan.tables import MATERIALS, NODES, material_rows, node_rows, plan_statistics
from sluice.planning.rwa.parameters import RwaParameters
from sluice_algorithms import grooming, rwa


class NetworkPlanParameters(GroomingParameters, RwaParameters):
    """The parameters of grooming, and those of routing and wavelength assignment."""


def prepare(task: Task) -> dict[str, Any]:
    """Groom the services, and search the candidates of all lightpaths."""
    topology, matrix, clusters = grooming.read_documents(task.documents)
    require_degrees(topology)
    groomed = groom_network(topology, matrix, clusters, task.parameters)
    return {"grooming": groomed, "candidates": rwa.prepare(PartTask(task, {"grooming": groomed}))}


def solve(task: Task, prepared: dict[str, Any], restart: int) -> Solution:
    """Assign all lightpaths."""
    return rwa.solve(task, prepared["candidates"], restart)


def finish(task: Task, prepared: dict[str, Any], solution: Any) -> Result:
    """Write the results of both, count the materials, and add tables and the workbook."""
    topology, matrix, _ = grooming.read_documents(task.documents)
    groomed = grooming.finish(task, None, prepared["grooming"])
    routed = rwa.finish(PartTask(task, {"grooming": groomed.document}), prepared["candidates"], solution)
    materials = bill_of_materials(topology, groomed.document, routed.document)
    plan = {"grooming": groomed.document, "rwa": routed.document, "materials": materials}
    services = sum(service.quantity for demand in matrix.demands.values() for service in demand.services)
    links = routed.tables["links"]
    loads = _values(links, "load")
    return Result(
        {**plan, "statistics": plan_statistics(services, len(groomed.tables["remaining"].rows), plan, loads)},
        tables={
            "links": links,
            "lightpaths": routed.tables["lightpaths"],
            "remaining": groomed.tables["remaining"],
            "materials": ResultTable.of(MATERIALS, material_rows(materials)),
            "nodes": ResultTable.of(NODES, node_rows(topology, routed.document, materials)),
        },
        files={"materials.xlsx": materials_workbook(materials)},
    )


def _values(table: ResultTable, column: str) -> list[Any]:
    place = [each.name for each in table.columns].index(column)
    return [row[place] for row in table.rows]


ALGORITHM = Algorithm(
    title="Network planning",
    description="Plans an optical network in one run: grooms the services of a traffic matrix, gives the lightpaths "
    "paths and wavelengths, and counts the materials.",
    layer="solver",
    inputs=grooming.ALGORITHM.inputs,
    parameters=NetworkPlanParameters,
    output=NetworkPlan,
    prepare=prepare,
    restarts=rwa.restarts,
    solve=solve,
    finish=finish,
    check_inputs=grooming.check_inputs,
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
