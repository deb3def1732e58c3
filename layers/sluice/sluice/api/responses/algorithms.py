"""Responses about algorithms and the results of their runs."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from sluice.api.responses.base import ProjectSlug, Response, list_model, view_model
from sluice.api.responses.inputs import InputChange
from sluice.domain.algorithm import ProjectAlgorithm
from sluice.domain.schema import Column


class AlgorithmInput(Response):
    """One input of an algorithm."""

    kinds: list[str] = Field(
        description="What it may be: kinds of input documents, `run:<algorithm>` for a run's result, or `table` for a "
        "dataset or model."
    )
    description: str = Field(description="What it is for.")
    required: bool = Field(description="Whether a run needs it, unless an input that replaces it is given.")
    replaces: list[str] = Field(
        [], description="The inputs that it replaces: a run gets these or it; absent if there are none."
    )


class AlgorithmView(Response):
    """An algorithm."""

    name: str = Field(description="The name in URLs, and of its table `main` in SQL.")
    title: str = Field(description="The name for people.")
    description: str = Field(description="What it does.")
    inputs: dict[str, AlgorithmInput] = Field(description="Its inputs by name.")
    parameters: dict[str, Any] = Field(description="The JSON Schema of its parameters.")
    output: dict[str, Any] = Field(description="The JSON Schema of the document of its results.")
    tables: dict[str, str] = Field(description="The tables of its results by name, each with what it holds.")
    layer: str = Field(description="The layer with its packages, whose function runs it.")
    packages: dict[str, str] = Field(description="The versions of the packages that decide its results.")
    code: str = Field(description="The hash of its source.")


AlgorithmViewList: Any = list_model(AlgorithmView)
ProjectAlgorithmView: Any = view_model(
    ProjectAlgorithm,
    name=(str, Field(description="The name of the algorithm.")),
    project=(ProjectSlug, ...),
)
ProjectAlgorithmViewList: Any = list_model(ProjectAlgorithmView)


class ResultDocument(Response):
    """The document of a result; its form is the algorithm's `output`."""

    model_config = ConfigDict(extra="allow")


class ResultTableView(Response):
    """A table of a result."""

    name: str = Field(description="The name, for `GET /runs/{run_id}/tables/{name}`.")
    rows: int = Field(description="The number of rows.")
    schema_: list[Column] = Field(alias="schema", description="The columns, in order.")


class ResultFileView(Response):
    """A file of a result."""

    name: str = Field(description="The name, for `GET /runs/{run_id}/files/{name}`.")
    bytes: int = Field(description="The size in bytes.")
    sha256: str = Field(description="The SHA-256 of its bytes, in hexadecimal.")


class ResultDocumentFile(Response):
    """The document of a result as a file."""

    bytes: int = Field(description="The size of its JSON in bytes.")
    sha256: str = Field(description="The SHA-256 of its JSON, in hexadecimal.")


class ResultOutputs(Response):
    """What a run of an algorithm has made."""

    document: ResultDocumentFile = Field(description="Its document, for `GET /runs/{run_id}/result`.")
    tables: list[ResultTableView] = Field(description="The tables by name, each with its columns.")
    files: list[ResultFileView] = Field(description="The files by name, each with its size and hash.")
    restarts: int = Field(description="How many restarts there were.")
    selected: int = Field(description="The number of the restart that was selected, from 0.")


class RunComparison(Response):
    """What differs between two runs of an algorithm."""

    a: str = Field(description="The id of the first run.")
    b: str = Field(description="The id of the second run.")
    algorithm: str = Field(description="The algorithm of both.")
    same_request: bool = Field(description="Whether everything that decides the results is the same.")
    same_result: bool = Field(description="Whether the documents of the results are the same.")
    request: list[InputChange] = Field(description="What changes from a to b: inputs, parameters, seed and code.")
    result: list[InputChange] = Field(
        description="What changes from the document of a to that of b, what is near its root first."
    )
    changes: int = Field(description="How many differences of the documents there are, at most 100,000.")
    truncated: bool = Field(description="Whether there are more differences than are listed.")
