"""Comparing two runs of an algorithm."""

from __future__ import annotations

from typing import Any, Protocol

import orjson

from sluice.algorithm_runs.results import content_of, stored_result
from sluice.domain.algorithm_run import HIDDEN_INPUT_FIELDS, StoredResult
from sluice.domain.run import Run
from sluice.errors import Invalid
from sluice.inputs.diff import Change, differences
from sluice.services import WithLake, WithSettings


class Services(WithLake, WithSettings, Protocol):
    """What comparing runs needs."""


def compare_runs(services: Services, first: Run, second: Run) -> dict[str, Any]:
    """What differs between two runs of the same algorithm.

    Returns:
        `{"a", "b", "algorithm", "same_request", "same_result", "request", "result", "truncated"}`: the ids; whether
        everything that decides the results is the same, and whether the results are; and the changes from the first to
        the second as `sluice.inputs.diff` describes them, of which at most `MAX_DIFFERENCES` each are listed.

    Raises:
        Invalid: they are not runs of the same algorithm.
        NotFound: one of them has no result.
    """
    if first.algorithm is None or first.algorithm != second.algorithm:
        kinds = [run.algorithm or f"no algorithm (it is of kind {run.kind})" for run in (first, second)]
        raise Invalid(f"Only runs of the same algorithm can be compared; these are of {kinds[0]} and {kinds[1]}.")
    most = services.settings.max_differences
    one, other = stored_result(services.lake, first), stored_result(services.lake, second)
    request, more_of_request = differences(_request(one), _request(other), {}, most)
    result: list[Change] = []
    more_of_result = False
    if one.document.sha256 != other.document.sha256:
        documents = [orjson.loads(content_of(services.lake, stored.document)) for stored in (one, other)]
        result, more_of_result = differences(documents[0], documents[1], {}, most)
    return {
        "a": first.id,
        "b": second.id,
        "algorithm": first.algorithm,
        "same_request": one.fingerprint == other.fingerprint,
        "same_result": one.document.sha256 == other.document.sha256,
        "request": request,
        "result": result,
        "truncated": more_of_request or more_of_result,
    }


def _request(result: StoredResult) -> dict[str, Any]:
    return result.request.model_dump(mode="json", exclude={"inputs": {"__all__": HIDDEN_INPUT_FIELDS}})
