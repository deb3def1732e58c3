"""What a run of an algorithm was asked to do, and how far its restarts are."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from pydantic import Field

from sluice.domain.base import Record
from sluice.domain.dataset_id import DatasetId


class InputUse(Record):
    """One input of a run, at one version."""

    reference: str = Field(
        description="The exact reference: `name@version`, `run:<id>`, `dataset:<alias>@<version>` or "
        "`model:<name>@<version>`; a table of a refresh that is not published yet has no version."
    )
    kind: str = Field(description="The kind of an input document, `run:<algorithm>`, or `table`.")
    hash: str = Field(description="The hash of the content.")
    input: str | None = Field(None, description="The slug of an input document. Null: another kind.")
    version: int | None = Field(None, description="The version of the document or table. Null: a run has none.")
    run: str | None = Field(None, description="The run whose result it is. Null: another kind.")
    dataset: DatasetId | None = Field(None, description="The dataset of a table. Null: another kind.")
    # Internal: where a table is, since one of a refresh has no version yet.
    manifest_key: str | None = None


HIDDEN_INPUT_FIELDS = {"manifest_key"}


class AlgorithmRequest(Record):
    """Everything that decides the result of a run of an algorithm."""

    inputs: dict[str, InputUse] = Field(default_factory=dict, description="The inputs by their names.")
    parameters: dict[str, Any] = Field(default_factory=dict, description="All parameters, with their defaults.")
    seed: int = Field(0, description="The seed of all random choices.")
    layer: str = Field("", description="The layer with the algorithm's packages, whose function computes.")
    code: str | None = Field(
        None, description="The hash of the algorithm's source. Null: the result was not computed here."
    )
    packages: dict[str, str] = Field(
        default_factory=dict, description="The versions of the packages that decide the result, by name."
    )
    comment: str | None = Field(None, description="What the person who started it noted. Null: nothing.")

    def fingerprint(self, algorithm: str) -> str:
        """Hash everything that decides the result: equal fingerprints mean equal bytes.

        Returns:
            `sha256:` and 64 hexadecimal digits.
        """
        decisive = {
            "algorithm": algorithm,
            "code": self.code,
            "packages": self.packages,
            "inputs": {name: [use.kind, use.hash] for name, use in self.inputs.items()},
            "parameters": self.parameters,
            "seed": self.seed,
        }
        return "sha256:" + hashlib.sha256(orjson.dumps(decisive, option=orjson.OPT_SORT_KEYS)).hexdigest()


class Subtasks(Record):
    """How many of a run's restarts are in which state."""

    total: int = Field(0, description="How many restarts the run has.")
    pending: int = Field(0, description="How many have not begun.")
    running: int = Field(0, description="How many are being solved.")
    retried: int = Field(0, description="How many were begun more than once, whatever their state.")
    succeeded: int = Field(0, description="How many are solved.")
    failed: int = Field(0, description="How many have failed, and are tried again or end the run.")


class StoredFile(Record):
    """A file of a result in the lake."""

    key: str
    sha256: str
    bytes: int


class StoredResult(Record):
    """What a run of an algorithm has stored, written when all of it is in the lake."""

    algorithm: str
    request: AlgorithmRequest
    fingerprint: str
    document: StoredFile
    tables: dict[str, str] = Field(default_factory=dict, description="The keys of the tables' manifests, by name.")
    files: dict[str, StoredFile] = Field(default_factory=dict)
    warnings: list[str] = Field(default_factory=list)
    restarts: int = 1
    selected: int = Field(0, description="The number of the restart that was selected.")
