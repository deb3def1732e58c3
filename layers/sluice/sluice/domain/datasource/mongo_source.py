"""How MongoDB is queried: the secret with the URI, the collection, and a filter."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self
from urllib.parse import unquote

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from sluice.domain.base import Document
from sluice.domain.datasource.mongo_query import check_query
from sluice.domain.datasource.sql_source import Certificate
from sluice.domain.names import SecretName
from sluice.patterns import Pattern

PORT = 27017
# `#`, and `?` before `@`, are refused: parsers differ in whether the host ends there.
_URI = re.compile(r"mongodb(?:\+srv)?://(?:[^/?#]*@)?(?P<hosts>[^/?#@]+)(?:/.*|\?[^@]*)?", re.DOTALL)
_HOST = re.compile(r"(\[[^\[\]]+\]|[^:\[\]]+)(?::(\d{1,5}))?")

DATABASE_PATTERN = Pattern(r'^[^\x00-\x20/\\."$*<>:|?]+$', 'leave out spaces and / \\ . " $ * < > : | ?')
DatabaseName = Annotated[str, StringConstraints(min_length=1, max_length=63), DATABASE_PATTERN]
COLLECTION_PATTERN = Pattern(r"^[^\x00$]+$", "leave out $ and null characters")
CollectionName = Annotated[str, StringConstraints(min_length=1, max_length=255), COLLECTION_PATTERN]
Query = Annotated[dict[str, Any], AfterValidator(check_query)]


class MongoSource(Document):
    """How MongoDB is queried: the documents of one collection that match a filter, in the order of `_id`."""

    uri: SecretName = Field(
        description="The name of the secret that holds the URI, `mongodb://…` or `mongodb+srv://…`."
    )
    database: DatabaseName = Field(description="The name of the database.")
    collection: CollectionName = Field(description="The name of the collection, or of a view.")
    filter: Query = Field(
        default_factory=dict, description="Which documents to read: a MongoDB query as Extended JSON."
    )
    projection: Query | None = Field(
        None,
        description="Which fields to read; null: all. `_id` is excluded unless the projection includes it with `1`.",
    )
    ca_certificate: Certificate | None = Field(
        None,
        description="The trusted certificate authorities as PEM; null: the public ones.",
    )
    page_documents: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        10_000, description="The most documents of a raw page."
    )
    max_time_seconds: Annotated[int, Field(ge=1, le=840)] = Field(
        600,
        description="The most seconds that the server may work for one cursor; each call of the run opens a new one.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.collection.startswith(".") or self.collection.endswith(".") or ".." in self.collection:
            raise ValueError("a collection name must not begin or end with a dot, or have two dots in a row")
        for key, value in (self.projection or {}).items():
            if key.startswith("_id.") or (key == "_id" and value not in (0, 1)):
                raise ValueError("_id in the projection must be 1 or 0")
        return self

    @property
    def keeps_id(self) -> bool:
        """Whether the records have an `_id`."""
        return bool((self.projection or {}).get("_id"))


def hosts_of(uri: str) -> list[tuple[str, int]]:
    """The hosts in a MongoDB URI, in lower case, with their ports; empty if the text is not such a URI.

    The password may contain any character, so general parsers of URLs do not fit: they raise errors that quote it.
    """
    match = _URI.fullmatch(uri.strip())
    if match is None:
        return []
    hosts = []
    for text in match["hosts"].split(","):
        host = _HOST.fullmatch(unquote(text))
        if host is None:
            return []
        hosts.append((host[1].strip("[]").lower(), int(host[2] or PORT)))
    return hosts
