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
        The ids `a` and `b`, the `algorithm`; `same_request`, whether everything that decides the results is the same;
        `same_result`; the changes of `request` and `result` as `sluice.inputs.diff` describes them, those near the root
        first, of which at most `MAX_DIFFERENCES` each are listed; `changes`, how many the results have; and
        `truncated`, whether some are left out.

    Raises:
        Invalid: they are not runs of the same algorithm.
        NotFound: one of them has no result.
    """
    if first.algorithm is None or first.algorithm != second.algorithm:
        kinds = [run.algorithm or f"no algorithm (it is of kind {run.kind})" for run in (first, second)]
        raise Invalid(f"Only runs of the same algorithm can be compared; these are of {kinds[0]} and {kinds[1]}.")
    before, after = stored_result(services.lake, first), stored_result(services.lake, second)
    counted = services.settings.max_counted_differences
    request, _ = differences(_request(before), _request(after), {}, counted)
    result: list[Change] = []
    more = False
    if before.document.sha256 != after.document.sha256:
        documents = [orjson.loads(content_of(services.lake, stored.document)) for stored in (before, after)]
        result, more = differences(documents[0], documents[1], {}, counted)
    # What sums up a result is near its root, such as an objective; single values are deep.
    result.sort(key=lambda change: (change["pointer"] or change["old_pointer"]).count("/"))
    most = services.settings.max_differences
    return {
        "a": first.id,
        "b": second.id,
        "algorithm": first.algorithm,
        "same_request": before.fingerprint == after.fingerprint,
        "same_result": before.document.sha256 == after.document.sha256,
        "request": request[:most],
        "result": result[:most],
        "changes": len(result),
        "truncated": more or len(result) > most or len(request) > most,
    }


def _request(result: StoredResult) -> dict[str, Any]:
    return result.request.model_dump(mode="json", exclude={"inputs": {"__all__": HIDDEN_INPUT_FIELDS}})
