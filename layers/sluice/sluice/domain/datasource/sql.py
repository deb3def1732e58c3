"""SQL databases: the rows of one SELECT statement are the records."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from sluice.domain.base import FieldError
from sluice.domain.datasource.base import Datasource
from sluice.domain.datasource.sql_source import SqlSource


class SqlDatasource(Datasource):
    """A datasource that queries a database server, or a SQLite file in the inbox."""

    KIND: ClassVar[str] = "sql"
    KEEPS_DROPS: ClassVar[bool] = True
    FLATTENS: ClassVar[bool] = False  # the statement's columns are the dataset's

    kind: Literal["sql"] = Field(description="`sql`: runs query a database.")
    sql: SqlSource = Field(description="The database, and the statement to run.")

    @model_validator(mode="after")
    def _check_file(self) -> Self:
        if self.format is not None:
            raise FieldError("a sql datasource has no format; omit it", "format")
        if self.sql.key is not None and not self.sql.key.startswith(f"{self.slug}/"):
            message = f"the file of a sql datasource must be in its own inbox folder: {self.slug}/…"
            raise FieldError(message, "sql", "key")
        return self

    def secrets(self) -> dict[str, str]:
        """The secrets with the user name and the password."""
        return {f"/sql/{field}": name for field, name in self.sql.secrets.items()}

    def host(self) -> tuple[str, int]:
        """The database server."""
        return self.sql.address

    def inbox_key(self) -> str | None:
        """The key of the SQLite file."""
        return self.sql.key
