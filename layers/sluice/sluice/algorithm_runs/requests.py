"""Requests for runs of algorithms: what a run computes, and whether that was computed before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from sluice.algorithm_runs.references import Scope, replaced_inputs, resolve_inputs
from sluice.algorithm_runs.results import is_removed
from sluice.algorithms import registry
from sluice.algorithms.algorithm import Algorithm
from sluice.algorithms.origin import code_digest, pinned_packages
from sluice.catalog.definitions import Definition
from sluice.catalog.project_resources import resource_name
from sluice.container import Container
from sluice.domain.algorithm import AlgorithmStart, ProjectAlgorithm
from sluice.domain.algorithm_run import AlgorithmRequest, InputUse
from sluice.domain.base import validate
from sluice.domain.names import new_run_id, now, rfc3339
from sluice.domain.run import Run, Trigger
from sluice.errors import Invalid
from sluice.inputs.service import read_document
from sluice.runs.start import start
from sluice.services import WithDefinitions, WithSettings


def project_settings(services: WithDefinitions, project: str, name: str) -> ProjectAlgorithm:
    """How a project runs an algorithm; the defaults if it does not say."""
    stored = services.definitions.find("algorithm", resource_name(project, name))
    return ProjectAlgorithm.model_validate(stored.document) if stored else ProjectAlgorithm()


def make_request(scope: Scope, settings: WithSettings, name: str, asked: AlgorithmStart) -> AlgorithmRequest:
    """Find everything that decides the result of a run.

    Args:
        scope: where the inputs' references are resolved.
        settings: the limits.
        name: the algorithm's name.
        asked: what is asked for; what it leaves out is taken from the project's settings of the algorithm.

    Raises:
        NotFound: there is no such algorithm.
        Invalid: an input or a parameter is not valid; all of them at once.
    """
    algorithm = registry.algorithm(name)
    defaults = project_settings(scope.services, scope.project, name)
    faults: list[dict[str, Any]] = []
    parameters, uses = {}, {}
    try:
        parameters = complete_parameters(algorithm, {**defaults.parameters, **asked.parameters}, settings)
    except Invalid as error:
        faults += error.errors
    try:
        trusted = replace(scope, trusted=frozenset(defaults.inputs) - set(asked.inputs))
        uses = resolve_inputs(trusted, algorithm, _references(algorithm, defaults.inputs, asked.inputs))
    except Invalid as error:
        faults += error.errors
    if faults:
        raise Invalid(str(faults[0]["message"]), faults)
    _check_inputs(scope, algorithm, uses, parameters)
    return AlgorithmRequest(
        inputs=uses,
        parameters=parameters,
        seed=asked.seed if asked.seed is not None else defaults.seed,
        layer=algorithm.layer,
        code=code_digest(name, algorithm),
        packages=pinned_packages(algorithm),
        comment=asked.comment,
    )


def _references(
    algorithm: Algorithm, defaults: Mapping[str, str | None], asked: Mapping[str, str | None]
) -> dict[str, str | None]:
    """The references of a project's settings and of a request; of two that replace each other, the request's one."""
    replaced = replaced_inputs(algorithm, asked)
    kept = {
        name: reference
        for name, reference in defaults.items()
        if name not in replaced and not replaced_inputs(algorithm, {name: reference}).keys() & asked.keys()
    }
    return {**kept, **asked}


def _check_inputs(
    scope: Scope, algorithm: Algorithm, uses: Mapping[str, InputUse], parameters: Mapping[str, Any]
) -> None:
    """Require input documents to fit each other, as the algorithm asks.

    Raises:
        Invalid: they do not; the pointers are those of inputs, and messages name the places in their documents.
    """
    if algorithm.check_inputs is None:
        return
    documents = {name: read_document(scope.services, use.hash) for name, use in uses.items() if use.input is not None}
    try:
        algorithm.check_inputs(documents, validate(algorithm.parameters, dict(parameters)))
    except Invalid as error:
        faults = [_of_input(fault) for fault in error.errors]
        raise Invalid(faults[0]["message"] if len(faults) == 1 else error.detail, faults) from None


def _of_input(fault: Mapping[str, Any]) -> dict[str, Any]:
    """A fault of an input's document as one of the request: `/traffic_matrix/demands/1` is in that input."""
    _, name, *rest = str(fault["pointer"]).split("/")
    message = str(fault["message"])
    if rest:
        message = f"{message.removesuffix('.')} ({'/'.join(('/document', *rest))})."
    return {"pointer": f"/inputs/{name}", "message": message}


def complete_parameters(algorithm: Algorithm, parameters: Mapping[str, Any], settings: WithSettings) -> dict[str, Any]:
    """Check the parameters of an algorithm, and add the defaults of those that are left out.

    Raises:
        Invalid: they do not fit the algorithm, are too large, or ask for too many restarts; the pointers begin with
            `/parameters`.
    """
    most = settings.settings.max_parameters_bytes
    if len(orjson.dumps(parameters)) > most:
        raise _refused(f"The parameters have more than {most} bytes of JSON; put large data into an input.")
    try:
        document = validate(algorithm.parameters, dict(parameters))
    except Invalid as error:
        faults = [{**fault, "pointer": f"/parameters{fault['pointer']}"} for fault in error.errors]
        raise Invalid(error.detail, faults) from None
    restarts = algorithm.restarts(document) if algorithm.restarts else 1
    if not 1 <= restarts <= settings.settings.max_restarts:
        raise _refused(
            f"The parameters ask for {restarts} restarts; there can be 1 to {settings.settings.max_restarts}."
        )
    return document.model_dump(mode="json")


def _refused(message: str) -> Invalid:
    return Invalid(message, [{"pointer": "/parameters", "message": message}])


def algorithm_run(
    project: str, name: str, request: AlgorithmRequest, by: str, *, trigger: Trigger = "api", parent: str | None = None
) -> Run:
    """A new run of an algorithm, neither stored nor started.

    Args:
        by: the principal that starts it.
        parent: the refresh that it belongs to.
    """
    return Run(
        id=new_run_id(),
        kind="algorithm",
        project=project,
        algorithm=name,
        request=request,
        fingerprint=request.fingerprint(name),
        trigger=trigger,
        created_at=rfc3339(now()),
        created_by=by,
        parent=parent,
    )


def start_run(services: Container, project: Definition, run: Run, *, force: bool = False) -> Run:
    """Start a run of an algorithm, unless the project has one with the same fingerprint.

    Args:
        project: the project's definition; runs of a deleted project of the same name do not count.
        run: the run to start.
        force: start it in any case.

    Returns:
        The run, or the earlier one, which has succeeded or is still active.
    """
    run, is_new = claim(services, project, run, force=force)
    return start(services, run) if is_new else run


def claim(services: Container, project: Definition, run: Run, *, force: bool = False) -> tuple[Run, bool]:
    """Make a run the one of its fingerprint, unless the project has one that has not failed.

    Returns:
        The run and true; or the earlier run and false.
    """
    lock = f"result#{project.name}#{project.created_at}#{run.fingerprint}"
    seconds = services.settings.run_days * 86_400
    while True:
        held = services.locks.acquire(lock, seconds, run=run.id)
        if held is None:
            return run, True
        earlier = services.runs.find(held["run"])
        if not force and earlier is not None and _counts(services, earlier):
            return earlier, False
        # The earlier run has no result, or the process was killed before it stored the run.
        if services.locks.extend(lock, seconds, "#run = :earlier", {"earlier": held["run"]}, run=run.id):
            return run, True


def _counts(services: Container, run: Run) -> bool:
    """Whether a run has a result, or may still have one."""
    return run.status not in ("failed", "cancelled") and not is_removed(services.lake, run)
