"""SQL databases: one statement, whose rows are the records."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from sluice.domain.datasource.base import Datasource
from sluice.domain.datasource.sql_source import SqlSource


class SqlDatasource(Datasource):
    """A datasource that is a query of a database server, or of a SQLite file in the inbox."""

    KIND: ClassVar[str] = "sql"
    KEEPS_DROPS: ClassVar[bool] = True

    kind: Literal["sql"]
    sql: SqlSource

    @model_validator(mode="after")
    def _check_file(self) -> Self:
        if self.format is not None:
            raise ValueError("a sql datasource has rows of its own form; leave format out")
        if self.sql.key is not None and not self.sql.key.startswith(f"{self.slug}/"):
            raise ValueError(f"the file of a sql datasource lies in its own folder of the inbox: {self.slug}/…")
        return self

    def secrets(self) -> dict[str, str]:
        """Those of the user's name and of the password."""
        return {f"/sql/{field}": name for field, name in self.sql.secrets.items()}

    def host(self) -> tuple[str, int]:
        """The database server."""
        return self.sql.address
