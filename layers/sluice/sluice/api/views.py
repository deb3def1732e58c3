"""Definitions as the API shows them."""

from __future__ import annotations

from typing import Any

from sluice.access.secret_use import Author
from sluice.catalog.definitions import Definition


def definition_view(definition: Definition) -> dict[str, Any]:
    """A definition as the API shows it: the document, its ETag, and when and by whom it was created."""
    metadata = {
        "etag": definition.etag,
        "created_at": definition.created_at,
        "updated_at": definition.updated_at,
        "created_by": definition.created_by,
    }
    return {**definition.document, **metadata}


def author_of(stored: Definition) -> Author:
    """The principal that wrote a definition's present document."""
    return Author(stored.written_by, stored.written_by_role)
