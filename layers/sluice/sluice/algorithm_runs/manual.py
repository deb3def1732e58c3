"""Results that were made by hand, stored as runs so that other runs can use them."""

from __future__ import annotations

import hashlib

import orjson

from sluice.algorithm_runs.references import Scope, resolve_inputs
from sluice.algorithm_runs.requests import algorithm_run, complete_parameters
from sluice.algorithm_runs.results import ResultWriter
from sluice.algorithm_runs.steps import read_document
from sluice.algorithms import registry
from sluice.algorithms.algorithm import Result
from sluice.container import Container
from sluice.domain.algorithm import ManualResult
from sluice.domain.algorithm_run import AlgorithmRequest
from sluice.domain.base import validation_faults
from sluice.domain.identity import Principal
from sluice.domain.names import now, rfc3339
from sluice.domain.run import Run
from sluice.errors import Invalid


def store_manual_result(
    services: Container, project: str, name: str, manual: ManualResult, principal: Principal
) -> Run:
    """Store a result that was made by hand as a run of kind `manual`.

    Args:
        project: the project's slug.
        name: the algorithm whose result it could be.
        principal: who stores it, and may name inputs that it may read.

    Returns:
        The run, which has succeeded.

    Raises:
        Invalid: the result does not have the form of the algorithm's results, or does not fit the inputs.
        NotFound: there is no such algorithm.
    """
    algorithm = registry.algorithm(name)
    parameters = complete_parameters(algorithm, manual.parameters, services)
    uses = resolve_inputs(Scope(services, project, principal=principal), algorithm, manual.inputs, all_optional=True)
    faults = validation_faults(algorithm.output, manual.result)
    if faults:
        raise _of_request(Invalid(f"The result is none of the algorithm {name}: {faults[0]['message']}", faults))
    if algorithm.check is not None:
        documents = {key: read_document(services, use) for key, use in uses.items() if use.kind != "table"}
        try:
            algorithm.check(manual.result, documents, algorithm.parameters.model_validate(parameters))
        except Invalid as error:
            raise _of_request(error) from None
    request = AlgorithmRequest(inputs=uses, parameters=parameters, layer=algorithm.layer, comment=manual.comment)
    run = algorithm_run(project, name, request, principal.id)
    digest = hashlib.sha256(orjson.dumps(manual.result, option=orjson.OPT_SORT_KEYS)).hexdigest()
    moment = rfc3339(now())
    run = run.model_copy(
        update={
            "kind": "manual",
            "status": "succeeded",
            "started_at": moment,
            "finished_at": moment,
            "completeness": "complete",
            "fingerprint": f"sha256:{digest}",
        }
    )
    stored = ResultWriter(services, run).store(request, run.fingerprint or "", Result(manual.result))
    run.bytes = stored.document.bytes
    return services.runs.create_ended(run)


def _of_request(error: Invalid) -> Invalid:
    """An error of a result with pointers into the request that has it."""
    return Invalid(error.detail, [{**fault, "pointer": f"/result{fault['pointer']}"} for fault in error.errors])
