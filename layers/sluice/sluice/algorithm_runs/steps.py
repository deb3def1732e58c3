"""The steps of an algorithm's run: each reads what the step before it has stored, and can be repeated."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import orjson
from aws_lambda_powertools import Logger

from sluice.algorithm_runs.results import ResultWriter, stored_result
from sluice.algorithm_runs.returned import Returned
from sluice.algorithm_runs.table_input import LakeTable
from sluice.algorithm_runs.task import RunTask
from sluice.algorithms import registry
from sluice.algorithms.algorithm import Result, Score
from sluice.algorithms.origin import code_digest, installed_packages
from sluice.domain.algorithm_run import InputUse, StoredResult
from sluice.domain.dataset import Manifest
from sluice.domain.run import Completeness, Run, least_complete
from sluice.domain.stale_input import StaleInput, distinct
from sluice.errors import AlgorithmFailed, NotFound, RequestError, RunStopped, SluiceError
from sluice.lake import object_keys
from sluice.lake.gzipped import compress
from sluice.lake.store import Lake
from sluice.services import WithLake, WithRuns, WithSettings, WithSubtasks

T = TypeVar("T")
logger = Logger()


class Services(WithRuns, WithLake, WithSettings, WithSubtasks, Protocol):
    """What the steps need."""


class WithInputs(WithLake, WithRuns, Protocol):
    """What reading inputs needs."""


@dataclass(frozen=True)
class Knowledge:
    """What is known about the inputs of a run.

    Args:
        completeness: that of the least complete input.
        reasons: why it is not complete, as sentences.
        stale: the versions that stand in for datasources that could not be fetched.
        data_as_of: as of when the oldest table is; None: there are no tables.
    """

    completeness: Completeness = "complete"
    reasons: list[str] = field(default_factory=list)
    stale: list[StaleInput] = field(default_factory=list)
    data_as_of: str | None = None


class Steps:
    """The steps of one run.

    Args:
        services: the adapters.
        run: the run, in its current attempt.
        seconds_left: how long this call may still take.
    """

    def __init__(self, services: Services, run: Run, seconds_left: Callable[[], float]) -> None:
        assert run.algorithm is not None
        assert run.request is not None
        self._services = services
        self._lake = services.lake
        self._run = run
        self._name = run.algorithm
        self._seconds_left = seconds_left
        self._algorithm = registry.algorithm(run.algorithm)
        self._returned = Returned(self._name, self._algorithm)
        self.request = run.request

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the request."""
        return self.request.fingerprint(self._name)

    @property
    def folder(self) -> str:
        """The folder of what the steps hand on."""
        return object_keys.restarts(self._run, self.fingerprint)

    def check_origin(self) -> None:
        """Note the code and packages that really run: a deployment may have come between the request and the run."""
        code, packages = code_digest(self._name, self._algorithm), installed_packages(self._algorithm)
        if (code, packages) != (self.request.code, self.request.packages):
            self.request = self.request.model_copy(update={"code": code, "packages": packages})
            self._run = self._services.runs.advance(
                self._run, request=self.request.model_dump(), fingerprint=self.fingerprint
            )

    def prepare(self) -> list[int]:
        """Do the step `prepare`, unless an earlier attempt has.

        Returns:
            The numbers of the restarts that are not solved yet.

        Raises:
            AlgorithmFailed: the algorithm cannot work on its inputs, or returns what is not JSON.
        """
        if not self._exists(object_keys.prepared(self.folder)):
            task = self._task("prepare")
            prepared = None
            if self._algorithm.prepare is not None:
                prepared = self._call(self._algorithm.prepare, task)
            self._put(object_keys.prepared(self.folder), "prepare", {"prepared": prepared, "warnings": task.warnings})
        solved = self._solved()
        return [number for number in range(self.restarts) if number not in solved]

    @property
    def restarts(self) -> int:
        """How many restarts the parameters ask for."""
        if self._algorithm.restarts is None:
            return 1
        return self._algorithm.restarts(self._task("prepare").parameters)

    def require_origin(self) -> None:
        """Refuse to mix what two releases of an algorithm compute.

        Raises:
            RunStopped: the code or the packages have changed since the run was prepared.
        """
        installed = code_digest(self._name, self._algorithm), installed_packages(self._algorithm)
        if installed != (self.request.code, self.request.packages):
            raise RunStopped(f"Another release of the algorithm {self._name} was deployed during the run; redrive it.")

    def solve(self, number: int) -> None:
        """Do one restart.

        Raises:
            AlgorithmFailed: the algorithm has failed, or returns no solution.
        """
        if self._lake.find_json(object_keys.score(self.folder, number)) is not None:
            return
        subtasks = self._services.subtasks
        subtasks.begin(self._run.id, number)
        try:
            task = self._task("solve")
            prepared = self._get(object_keys.prepared(self.folder))["prepared"]
            solution = self._call(self._algorithm.solve, task, prepared, number)
            score = self._returned.score(solution)
            kept = {"document": solution.document, "warnings": task.warnings}
            self._put(object_keys.solution(self.folder, number), "solve", kept)
            self._lake.put_json(object_keys.score(self.folder, number), {"score": list(score)})
        except BaseException:
            subtasks.end(self._run.id, number, "failed")
            raise
        subtasks.end(self._run.id, number, "succeeded")

    def finish(self) -> StoredResult:
        """Select the best restart, and store the result of the run.

        Raises:
            AlgorithmFailed: a restart has no solution, or the algorithm has failed, or returns what does not match its
                declaration.
        """
        solved = self._solved()
        missing = [number for number in range(self.restarts) if number not in solved]
        if missing:
            raise AlgorithmFailed(
                f"{len(missing)} of {self.restarts} restarts did not finish, such as number {missing[0]}: the function "
                "ran out of time or memory, or was stopped. Redrive the run, or ask for less."
            )
        scores = [tuple(self._score(number)) for number in range(self.restarts)]
        selected = self._returned.selected(self._call(self._algorithm.select or _lowest, scores), scores)
        solution = self._get(object_keys.solution(self.folder, selected))
        task = self._task("finish")
        task.scores = scores
        earlier = self._get(object_keys.prepared(self.folder))
        finish = self._algorithm.finish or _document_alone
        result = self._returned.result(self._call(finish, task, earlier["prepared"], solution["document"]))
        warnings = [*earlier["warnings"], *solution["warnings"], *task.warnings]
        knowledge = self.knowledge()
        writer = ResultWriter(self._services, self._run, knowledge.completeness, knowledge.stale, knowledge.data_as_of)
        return writer.store(
            self.request, self.fingerprint, result, restarts=len(scores), selected=selected, warnings=warnings
        )

    def knowledge(self) -> Knowledge:
        """What is known about the inputs of the run."""
        uses = self.request.inputs.values()
        manifests = [self._manifest(use) for use in uses if use.kind == "table"]
        runs = [self._services.runs.get(use.run) for use in uses if use.run is not None]
        states: list[Completeness] = [
            *(manifest.completeness for manifest in manifests),
            *(run.completeness or "complete" for run in runs),
        ]
        sources: list[Manifest | Run] = [*manifests, *runs]
        return Knowledge(
            least_complete(states),
            list(dict.fromkeys(reason for source in sources for reason in source.completeness_reasons)),
            distinct([entry for source in sources for entry in source.stale]),
            min((manifest.data_as_of for manifest in manifests), default=None),
        )

    def _task(self, step: str) -> RunTask:
        def note(current: int, total: int | None, text: str | None) -> None:
            subtasks = self._run.progress.subtasks if self._run.progress else None
            if step == "solve" and subtasks is not None and subtasks.total > 1:
                # Restarts would overwrite each other's reports; they only ask whether the run was cancelled.
                self._services.runs.advance(self._run)
                return
            progress = {"stage": step, "current": current, "total": total, "text": text}
            progress["subtasks"] = subtasks.model_dump() if subtasks is not None else None
            self._services.runs.advance(self._run, progress=progress)

        return RunTask(
            self.request, self._algorithm, self._document, self._table, note=note, seconds_left=self._seconds_left
        )

    def _document(self, name: str) -> Any:
        return read_document(self._services, self.request.inputs[name])

    def _table(self, name: str) -> LakeTable:
        return LakeTable(self._manifest(self.request.inputs[name]), self._lake, self._services.settings)

    def _manifest(self, use: InputUse) -> Manifest:
        return self._lake.manifest(use.manifest_key or "")

    def _solved(self) -> set[int]:
        keys = self._lake.list_keys(f"{self.folder}/score")
        return {int(Path(key).stem) for key in keys}

    def _score(self, number: int) -> Score:
        return tuple(orjson.loads(self._lake.get(object_keys.score(self.folder, number)))["score"])

    def _exists(self, key: str) -> bool:
        try:
            self._lake.get(key)
        except NotFound:
            return False
        return True

    def _put(self, key: str, step: str, document: Any) -> None:
        self._lake.put(key, compress(self._returned.json(step, document)), "application/gzip")

    def _get(self, key: str) -> Any:
        return _read_json(self._lake, key)

    def _call(self, step: Callable[..., T], *arguments: Any) -> T:
        """Call a step of the algorithm. Its errors are the same in each attempt, so none is worth a retry.

        Raises:
            AlgorithmFailed: the step has raised an error.
        """
        try:
            return step(*arguments)
        except RequestError as error:
            raise AlgorithmFailed(error.detail, error.errors) from error
        except SluiceError:
            raise
        except Exception as error:
            logger.exception("a step of an algorithm has failed")
            raise AlgorithmFailed(self._returned.describe(error)) from error


def read_document(services: WithInputs, use: InputUse) -> Any:
    """The JSON of an input document, or the document of the result of an earlier run.

    Raises:
        NotFound: the run has no result any more.
    """
    if use.run is not None:
        result = stored_result(services.lake, services.runs.get(use.run))
        return _read_json(services.lake, result.document.key)
    return _read_json(services.lake, object_keys.input_document(use.hash))


def _read_json(lake: Lake, key: str) -> Any:
    return orjson.loads(gzip.decompress(lake.get(key)))


def _lowest(scores: Sequence[Score]) -> int:
    return min(range(len(scores)), key=lambda number: (scores[number], number))


def _document_alone(task: Any, prepared: Any, document: Any) -> Result:
    return Result(document)
