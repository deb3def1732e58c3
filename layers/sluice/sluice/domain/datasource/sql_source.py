"""How a SQL database is queried: server or file, credentials, and the SELECT statement."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from sluice.domain.base import Document, FieldError
from sluice.domain.datasource.http_source import url_fault
from sluice.domain.names import SecretName, SqlName
from sluice.domain.sql_query import MAX_CHARACTERS
from sluice.domain.sql_statement import parameters_of, require_select
from sluice.patterns import PRINTABLE, Pattern

PORTS = {"postgresql": 5432, "mysql": 3306}


def _check_host(host: str) -> str:
    fault = url_fault(f"//{f'[{host}]' if ':' in host else host}")
    if fault is not None:
        raise ValueError(fault)
    return host


def _check_certificate(text: str) -> str:
    from ssl import SSLError, create_default_context  # 15 ms to import, and few documents have a certificate

    try:
        create_default_context(cadata=text)
    except (SSLError, ValueError, TypeError):  # a TypeError for characters that are not ASCII
        raise ValueError("ca_certificate is not a PEM certificate") from None
    return text


Host = Annotated[
    str,
    StringConstraints(min_length=1, max_length=253),
    Pattern(r"^[^\s/?#@\[\]]+$", "give the name or address of a host, such as db.example.com, and nothing else"),
    AfterValidator(_check_host),
]
DatabaseName = Annotated[str, StringConstraints(min_length=1, max_length=128), PRINTABLE]
InboxKey = Annotated[str, StringConstraints(min_length=1, max_length=1024), PRINTABLE]
StatementText = Annotated[str, StringConstraints(min_length=1, max_length=MAX_CHARACTERS)]
Certificate = Annotated[str, StringConstraints(min_length=1, max_length=500_000), AfterValidator(_check_certificate)]
ParameterText = Annotated[str, StringConstraints(max_length=10_000)]


class SqlSource(Document):
    """How a SQL database is queried: a PostgreSQL, MySQL or MariaDB server, or a SQLite file in the inbox."""

    engine: Literal["postgresql", "mysql", "sqlite"] = Field(
        description="The kind of database; `mysql` also means MariaDB."
    )
    host: Host | None = Field(
        None,
        description="The host name or IP address of the server. Required for PostgreSQL and MySQL; null for SQLite.",
    )
    port: Annotated[int, Field(ge=1, le=65535)] | None = Field(
        None, description="Null: 5432 for PostgreSQL, 3306 for MySQL."
    )
    database: DatabaseName | None = Field(None, description="The name of the database on the server. Null for SQLite.")
    user: SecretName | None = Field(None, description="The name of the secret that holds the user's name.")
    password: SecretName | None = Field(None, description="The name of the secret that holds the password.")
    tls: bool = Field(
        True, description="Whether to encrypt the connection. The run fails if the server does not support TLS."
    )
    verify_certificate: bool = Field(
        True,
        description="Whether the server's certificate must be valid for `host`; false: any certificate is accepted.",
    )
    ca_certificate: Certificate | None = Field(
        None,
        description="The trusted certificate authorities as PEM; null: the public ones.",
    )
    key: InboxKey | None = Field(
        None,
        description="The key of the SQLite file in the inbox, such as `orders/orders.db`; it begins with the "
        "datasource's own slug. Null for servers.",
    )
    query: StatementText = Field(description="One SELECT in the engine's own SQL; parameters are written `$name`.")
    parameters: dict[SqlName, ParameterText | bool | int | float | None] = Field(
        default_factory=dict, description="The values of the parameters, which the driver binds."
    )
    fetch_rows: Annotated[int, Field(ge=1, le=1_000_000)] = Field(10_000, description="The most rows of a raw page.")
    statement_timeout_seconds: Annotated[int, Field(ge=1, le=900)] = Field(
        600, description="The most seconds that the statement may run, including reading its rows."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.engine == "sqlite":
            self._check_file()
        else:
            self._check_server()
        try:
            require_select(self.query, self.engine)
        except ValueError as error:
            raise FieldError(str(error), "query") from None
        self._check_parameters()
        return self

    def _check_file(self) -> None:
        server_fields = [
            name for name in ("host", "port", "database", "user", "password") if getattr(self, name) is not None
        ]
        if server_fields:
            raise FieldError(f"the engine sqlite does not use {server_fields[0]}; remove it", server_fields[0])
        if self.key is None:
            raise FieldError("the engine sqlite needs the key of a file in the inbox", "key")

    def _check_server(self) -> None:
        missing = [name for name in ("host", "database", "user") if getattr(self, name) is None]
        if missing:
            raise FieldError(f"the engine {self.engine} needs {missing[0]}", missing[0])
        if self.key is not None:
            raise FieldError("only the engine sqlite reads a file in the inbox", "key")
        if not self.tls and (self.ca_certificate is not None or not self.verify_certificate):
            raise FieldError("verify_certificate and ca_certificate need tls", "tls")

    def _check_parameters(self) -> None:
        used = parameters_of(self.query, self.engine)
        missing = [name for name in used if name not in self.parameters]
        if missing:
            raise FieldError(f"the query uses ${missing[0]}, which has no value in parameters", "parameters")
        unused = [name for name in self.parameters if name not in used]
        if unused:
            raise FieldError(f"the query does not use the parameter {unused[0]}", "parameters", unused[0])

    @property
    def address(self) -> tuple[str, int]:
        """The host and port to connect to; an empty host for a file."""
        return self.host or "", self.port or PORTS.get(self.engine, 0)

    @property
    def secrets(self) -> dict[str, str]:
        """The names of the secrets, by the fields that name them."""
        names = {"user": self.user, "password": self.password}
        return {field: name for field, name in names.items() if name is not None}
