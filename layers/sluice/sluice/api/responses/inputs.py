"""Responses about inputs of algorithms, their versions and pins."""

from __future__ import annotations

from typing import Any

from pydantic import Field, JsonValue

from sluice.api.responses.base import (
    CreatedAt,
    CreatedBy,
    ETag,
    NextCursor,
    ProjectSlug,
    Response,
    UpdatedAt,
    list_model,
    record_model,
)
from sluice.domain.input import InputVersion

_METADATA: dict[str, Any] = {
    "slug": (str, Field(description="The id in URLs; it never changes.")),
    "kind": (str, Field(description="The kind, which has the rules for the document; it never changes.")),
    "version": (int, Field(description="The number of this version, from 1.")),
    "created_at": (CreatedAt, ...),
    "created_by": (CreatedBy, ...),
    "updated_at": (UpdatedAt, ...),
    "updated_by": (str, Field(description="The principal that wrote this version.")),
    "deleted_at": (str | None, Field(description="When it was deleted, RFC 3339 in UTC. Null: it is not.")),
    "etag": (ETag, ...),
}
InputSummaryView: Any = record_model(
    "InputSummaryView",
    InputVersion,
    ("number", "created_at", "created_by", "deleted_by"),
    about="An input without its document.",
    **_METADATA,
)
InputSummaryViewList: Any = list_model(InputSummaryView)
InputView: Any = record_model(
    "InputView",
    InputVersion,
    ("number", "created_at", "created_by", "deleted_by"),
    about="One version of an input.",
    document=(
        dict[str, JsonValue] | None,
        Field(description="The document. Null in the answer to a write if it is too large to be inline; GET has it."),
    ),
    **_METADATA,
)
InputVersionView: Any = record_model("InputVersionView", InputVersion, about="What is known of a version of an input.")
InputVersionViewList: Any = list_model(InputVersionView)


class InputImportView(Response):
    """What was read from a workbook that has no errors."""

    slug: str = Field(description="The slug of the input.")
    kind: str = Field(description="The kind of the input.")
    stored: bool = Field(description="Whether the document is stored now; false with `check=true`.")
    version: int | None = Field(
        description="The version with this document: a new one, unless the latest had it already. Null with "
        "`check=true`."
    )
    document: dict[str, JsonValue] | None = Field(
        description="The document. Null if it was stored and is too large to be inline; GET has it."
    )
    warnings: list[str] = Field(description="What to look at although the document is valid, as sentences.")


class InputChange(Response):
    """One difference between two versions of an input."""

    change: str = Field(
        description="`changed`, `added` or `removed` (a value), `moved` (an element has another place in its list) or "
        "`reordered` (the keys of an object are in another order)."
    )
    pointer: str | None = Field(description="The JSON Pointer in the newer document. Null: it was removed.")
    old_pointer: str | None = Field(description="The JSON Pointer in the older document. Null: it was added.")
    label: str = Field(
        description="The pointer for people: with names, such as those of nodes, in place of the indexes of lists."
    )
    old: JsonValue = Field(description="The older value, or order of keys; null if there is none.")
    new: JsonValue = Field(description="The newer value, or order of keys; null if there is none.")


class InputDiff(Response):
    """The differences between two versions of an input."""

    items: list[InputChange] = Field(description="The differences of this page, in the order of the newer document.")
    next: NextCursor
    from_: int = Field(alias="from", description="The older version.")
    to: int = Field(description="The newer version.")
    truncated: bool = Field(description="Whether differences beyond `MAX_INPUT_CHANGES` are left out.")


class PinView(Response):
    """An input that a project pins."""

    project: ProjectSlug
    input: str = Field(description="The slug of the input.")
    kind: str = Field(description="The kind of the input.")
    version: int | None = Field(description="The version that is pinned. Null: always the latest.")
    current: int = Field(description="The version that a run takes now.")
    hash: str = Field(description="The SHA-256 of the document that a run takes now, in hexadecimal.")
    comment: str | None = Field(description="The comment of the version that a run takes now. Null: it has none.")
    latest: int = Field(description="The latest version of the input.")
    deleted: bool = Field(description="Whether the input is deleted; the project can still use it.")
    etag: ETag
    created_at: CreatedAt
    created_by: CreatedBy


PinViewList: Any = list_model(PinView)
