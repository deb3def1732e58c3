"""What users say of algorithms: how a project runs one, one run, and results that were made by hand."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sluice.domain.base import Document

_INPUTS = (
    "The inputs by name. Each is a reference: `north@3` or `north` (an input document, by default at the version that "
    "the project pins, else the latest), `run:<id>` (the result of a run of this project), `dataset:<alias>@<version>` "
    "(a datasource's records, or `merged`) or `model:<name>@<version>`; without a version the published one. A missing "
    "one is taken from the project's settings of the algorithm, else from the only input of a fitting kind that the "
    "project pins. Null: an optional input is left out, even if the project has one."
)
_MAX_SEED = 2**53 - 1


class ProjectAlgorithm(Document):
    """How a project runs an algorithm."""

    inputs: dict[str, str | None] = Field(default_factory=dict, description=_INPUTS)
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="Parameters that differ from the algorithm's defaults."
    )
    seed: int = Field(0, ge=0, le=_MAX_SEED, description="The seed of all random choices.")
    on_refresh: bool = Field(
        False,
        description="Whether each refresh of the project runs it, after the models that it reads. The project's SQL "
        "then reads its tables: `main` by the algorithm's name, others as `<algorithm>_<table>`.",
    )


class AlgorithmStart(Document):
    """A run of an algorithm to start."""

    inputs: dict[str, str | None] = Field(default_factory=dict, description=_INPUTS)
    parameters: dict[str, Any] = Field(
        default_factory=dict,
        description="Parameters; a missing one is taken from the project's settings of the algorithm, else it has its "
        "default.",
    )
    seed: int | None = Field(
        None, ge=0, le=_MAX_SEED, description="The seed of all random choices. Null: that of the project, else 0."
    )
    force: bool = Field(False, description="Compute again even if the project has a run with the same fingerprint.")
    comment: str | None = Field(None, max_length=500, description="A note that the run keeps.")


class ManualResult(Document):
    """A result that was made by hand, to be stored as a run."""

    result: dict[str, Any] = Field(description="The result's document, of the form that the algorithm's have.")
    inputs: dict[str, str | None] = Field(default_factory=dict, description=_INPUTS)
    parameters: dict[str, Any] = Field(default_factory=dict, description="The parameters that it was made for.")
    comment: str | None = Field(None, max_length=500, description="Who made it, and why.")
