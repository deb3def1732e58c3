"""Inputs in blueprints: YAML or JSON files, perhaps with the document in a file beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import orjson
from pydantic import Field, model_validator

from sluice.domain.base import Document, FieldError
from sluice.domain.input import Comment
from sluice.domain.json_text import loads
from sluice.errors import Invalid
from sluice.inputs.check import check_workbook, kind_of
from sluice.settings import Settings


class InputFile(Document):
    """An input as a blueprint describes it."""

    kind: str = Field(description="The kind, such as `topology`, `traffic_matrix`, `clusters` or `document`.")
    comment: Comment | None = Field(
        None, description="The comment of the version that an apply creates; a change of it alone creates none."
    )
    document: dict[str, Any] | None = Field(None, description="The document. Null: it is in `file`.")
    file: str | None = Field(
        None, description="The name of a file with the document beside this one: JSON, or a workbook (`.xlsx`)."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.document is None) == (self.file is None):
            raise FieldError("write the document here or the name of its file, not both", "document")
        return self


class DocumentError(Exception):
    """The file with an input's document cannot be read; the argument is the list of sentences that say why."""


def read_document(path: Path, kind: str) -> Any:
    """The document in a JSON file or a workbook.

    Args:
        path: the file.
        kind: the kind of the input.

    Raises:
        DocumentError: the file cannot be read, or the workbook has errors.
    """
    if path.suffix not in (".json", ".xlsx"):
        raise DocumentError([f"the file {path.name} is neither .json nor .xlsx"])
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DocumentError([f"the file {path.name} cannot be read: {error.strerror}"]) from None
    if path.suffix == ".json":
        try:
            return loads(content)
        except orjson.JSONDecodeError as error:
            raise DocumentError([f"the file {path.name} is not JSON: {error}"]) from None
    try:
        checked = check_workbook(kind_of(kind), content, Settings())
    except Invalid as invalid:
        raise DocumentError([f"the file {path.name}: {invalid.detail}"]) from None
    if checked.errors:
        raise DocumentError(
            [
                f"the file {path.name}, {error['sheet']} {error['cell'] or ''}: {error['message']}"
                for error in checked.errors
            ]
        )
    return checked.document
