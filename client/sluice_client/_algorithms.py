"""Algorithms of a project, and the tables of their results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sluice_client._connection import segment
from sluice_client._handles import Handle
from sluice_client._runs import OnProgress, Run, started_run

if TYPE_CHECKING:
    from sluice_client._client import Sluice
    from sluice_client.types import ProjectAlgorithmView


class Algorithm(Handle["ProjectAlgorithmView"]):
    """An algorithm as a project runs it. `get` returns the project's settings of it.

    Args:
        sluice: the client.
        project: the project's slug.
        name: the algorithm's name.
    """

    def __init__(self, sluice: Sluice, project: str, name: str) -> None:
        super().__init__(sluice, f"/projects/{segment(project)}/algorithms/{segment(name)}", f"{project}/{name}")
        self._project = project
        self._name = name

    def run(
        self,
        inputs: Mapping[str, str] | None = None,
        parameters: Mapping[str, Any] | None = None,
        seed: int | None = None,
        *,
        force: bool = False,
        comment: str | None = None,
        wait: bool = True,
        timeout: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> Run:
        """Run the algorithm. A run of the same inputs, code, parameters and seed is returned, not computed again.

        Args:
            inputs: references by the input's name, such as `{"topology": "north@3"}`; default: the project's.
            parameters: by name; default: the project's, or else the algorithm's.
            seed: of all random choices; default: the project's.
            force: compute again in any case.
            comment: a note that the run keeps.
            wait: whether to wait for the end; if not, the run is returned as it starts.
            timeout, on_progress: those of `Run.wait`.

        Raises:
            NotFound: there is no such project or algorithm.
            ValidationError: an input or parameter is not valid.
            RunFailed: the run failed or was cancelled.
            RunTimeout: it has not ended within the timeout.
        """
        request = {
            "inputs": dict(inputs or {}),
            "parameters": dict(parameters or {}),
            "seed": seed,
            "force": force,
            "comment": comment,
        }
        return started_run(self._sluice, f"{self._path}/runs", request, wait, timeout, on_progress)

    def store(
        self,
        result: Mapping[str, Any],
        inputs: Mapping[str, str] | None = None,
        parameters: Mapping[str, Any] | None = None,
        comment: str | None = None,
    ) -> Run:
        """Store a result that was made by hand as a run, which other algorithms can take as an input.

        Args:
            result: the document, of the form that the algorithm's results have.
            inputs: the references of what it was made of, by the input's name.
            parameters: the parameters that it was made for.
            comment: who made it, and why.

        Returns:
            The run, of the kind `manual`.

        Raises:
            ValidationError: the result does not fit the algorithm or the inputs.
        """
        request = {"result": dict(result), "inputs": dict(inputs or {}), "parameters": dict(parameters or {})}
        return Run(self._sluice, self._sluice.post(f"{self._path}/results", {**request, "comment": comment}))

    def runs(self, limit: int | None = None) -> Iterator[Run]:
        """The algorithm's runs in the project, newest first; at most `limit`."""
        return self._sluice.runs(project=self._project, algorithm=self._name, limit=limit)
