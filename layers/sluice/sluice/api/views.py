"""Definitions as the API shows them."""

from __future__ import annotations

from typing import Any

from sluice.access.secret_use import Author
from sluice.catalog.definitions import Definition


def view(found: Definition) -> dict[str, Any]:
    """A definition as the API shows it: the document, and what the catalog knows about it."""
    known = {
        "etag": found.etag,
        "created_at": found.created_at,
        "updated_at": found.updated_at,
        "created_by": found.created_by,
    }
    return {**found.document, **known}


def author_of(stored: Definition) -> Author:
    """Who wrote a definition's present document."""
    return Author(stored.written_by, stored.written_by_role)
