"""MongoDB: the documents of one collection are the records."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from sluice.domain.datasource.base import Datasource
from sluice.domain.datasource.mongo_source import MongoSource, hosts_of


class MongoDatasource(Datasource):
    """A datasource that reads a collection of a MongoDB database."""

    KIND: ClassVar[str] = "mongo"
    SECRETS_NAME_HOSTS: ClassVar[bool] = True

    kind: Literal["mongo"] = Field(description="`mongo`: runs read a collection of MongoDB.")
    mongo: MongoSource = Field(description="The documents to read.")

    @model_validator(mode="after")
    def _check_form(self) -> Self:
        if self.format is not None:
            raise ValueError("a mongo datasource has no format; omit it")
        return self

    def secrets(self) -> dict[str, str]:
        """The secret with the URI."""
        return {"/mongo/uri": self.mongo.uri}

    def hosts_in(self, value: str) -> list[tuple[str, int]]:
        """The hosts in a URI."""
        return hosts_of(value)
