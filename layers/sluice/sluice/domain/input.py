"""Inputs of algorithms: versioned documents, and the versions that a project pins."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from sluice.domain.base import Document, Record
from sluice.domain.names import Slug

# `/inputs/templates` is a path of its own.
RESERVED_SLUGS = frozenset(["templates"])

Comment = Annotated[str, StringConstraints(max_length=2_000)]
VersionNumber = Annotated[int, Field(ge=1)]


class InputRequest(Document):
    """A new version of an input."""

    kind: str | None = Field(
        None,
        description="The kind, such as `topology` or `document`; it never changes. Null: that of the input, and "
        "`document` for a new one.",
    )
    document: dict[str, Any] = Field(description="The document; the kind has the rules for it.")
    comment: Comment | None = Field(None, description="What this version changes, and why.")


class NewInput(InputRequest):
    """A new input."""

    slug: Slug = Field(description="The id in URLs; it never changes.")


class RestoreRequest(Document):
    """Which version of an input to restore."""

    version: VersionNumber | None = Field(
        None, description="The version whose document becomes the newest one. Null: the latest."
    )
    comment: Comment | None = Field(None, description="Why it is restored. Null: `Restored version N.`")


class PinRequest(Document):
    """Which version of an input the runs of a project take."""

    version: VersionNumber | None = Field(None, description="The version. Null: always the latest.")


class InputVersion(Record):
    """One version of an input, which never changes, besides the note of its deletion."""

    number: int = Field(description="The number of the version, from 1.")
    comment: str | None = Field(description="What the version changes, and why. Null: nothing was said.")
    hash: str = Field(description="The SHA-256 of the document as compact JSON, in hexadecimal.")
    size: int = Field(description="The size of the document as compact JSON, in bytes.")
    warnings: list[str] = Field(description="What to look at although the document is valid, as sentences.")
    restored_from: int | None = Field(description="The version that it restores. Null: it was written anew.")
    created_at: str = Field(description="When it was written, RFC 3339 in UTC.")
    created_by: str = Field(description="The principal that wrote it: `key/{id}`, or the subject of a token.")
    deleted_at: str | None = Field(
        None, description="When the input was deleted while this version was its latest. Null: it was not."
    )
    deleted_by: str | None = Field(None, description="The principal that deleted the input. Null: nobody did.")
