"""Checks of how a project runs an algorithm, when that is written."""

from __future__ import annotations

from typing import Any

from sluice.algorithm_runs.references import Scope, resolve_inputs
from sluice.algorithm_runs.requests import complete_parameters
from sluice.algorithms import registry
from sluice.container import Container
from sluice.domain.algorithm import ProjectAlgorithm
from sluice.domain.identity import Principal
from sluice.errors import Invalid
from sluice.projects.refresh_nodes import algorithm_node, algorithms_of, circle
from sluice.projects.tables import models_of


def check_algorithm(
    services: Container, principal: Principal, slug: str, name: str, settings: ProjectAlgorithm
) -> None:
    """Refuse settings with which a project cannot run an algorithm.

    Args:
        principal: who writes them, and may name inputs that it may read.
        slug: the project.
        name: the algorithm.

    Raises:
        NotFound: there is no such algorithm.
        Invalid: an input or a parameter is not valid, or a refresh would have no order; all of them at once. Without
            `on_refresh` inputs and parameters may be missing, since a request for a run can give them.
    """
    algorithm = registry.algorithm(name)
    faults: list[dict[str, Any]] = []
    try:
        complete_parameters(algorithm, settings.parameters, services)
    except Invalid as error:
        faults += [fault for fault in error.errors if settings.on_refresh or not _is_missing(fault, "/parameters")]
    try:
        resolve_inputs(Scope(services, slug, before_publication=True, principal=principal), algorithm, settings.inputs)
    except Invalid as error:
        faults += [fault for fault in error.errors if settings.on_refresh or _input(fault) in settings.inputs]
    algorithms = {**algorithms_of(services, slug), name: settings}
    order = circle(models_of(services, slug), algorithms, algorithm_node(name)) if settings.on_refresh else None
    if order is not None:
        faults.append({"pointer": "/inputs", "message": order})
    if faults:
        raise Invalid(str(faults[0]["message"]), faults)


def _is_missing(fault: dict[str, Any], prefix: str) -> bool:
    return str(fault["pointer"]).startswith(prefix) and fault["message"] == "This field is required."


def _input(fault: dict[str, Any]) -> str:
    return str(fault["pointer"]).removeprefix("/inputs/")
