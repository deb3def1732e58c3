"""Which secrets a datasource may use: a secret's hosts and projects say where its value may go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from sluice.catalog.assignments import Assignments
from sluice.catalog.definitions import Definition, Definitions
from sluice.domain.datasource import Datasource
from sluice.domain.identity import Role
from sluice.errors import SecretForbidden, SecretMissing
from sluice.security.secrets import Secrets

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Author:
    """Who wrote a datasource's document; null for one that a release before 0.3 stored."""

    id: str | None
    role: Role | None

    @property
    def is_admin(self) -> bool:
        """Whether an admin wrote it."""
        return self.role == "admin"


def secrets_of(datasource: Datasource) -> dict[str, str]:
    """The names of the secrets that a datasource uses, by the JSON Pointers to them."""
    auth = datasource.http.auth.model_dump() if datasource.http is not None else {}
    return {"/http/auth/secret": auth["secret"]} if "secret" in auth else {}


def host_of(datasource: Datasource) -> tuple[str, int]:
    """The host and port that get a datasource's secrets."""
    parts = urlsplit(datasource.http.url if datasource.http is not None else "")
    return (parts.hostname or "").rstrip("."), parts.port or _PORTS.get(parts.scheme, 0)


class SecretUse:
    """Decides whether a datasource may use a secret, when it is written, tried, and fetched."""

    def __init__(self, secrets: Secrets, definitions: Definitions, assignments: Assignments) -> None:
        self._secrets = secrets
        self._definitions = definitions
        self._assignments = assignments

    def reader(self, datasource: Datasource, author: Author) -> Callable[[str], str]:
        """What gives the values of secrets to one datasource.

        The function raises `SecretForbidden` for a secret that the datasource may not use, and
        `SecretMissing` for one that has no value.
        """

        def read(name: str) -> str:
            self.require(name, datasource, author)
            return self._secrets.value(name)

        return read

    def require(self, name: str, datasource: Datasource, author: Author, assigned_to: str | None = None) -> None:
        """Refuse a secret that a datasource may not use.

        Args:
            author: who writes the document, or wrote the stored one.
            assigned_to: a project that the datasource is about to be assigned to.

        Raises:
            SecretForbidden: whoever is no admin is not told whether the secret exists.
            SecretMissing: an admin's datasource names a secret that does not exist.
        """
        secret = self._definitions.find("secret", name)
        if secret is None and author.is_admin:
            raise SecretMissing(f"The secret {name!r} has no value; set it with PUT /v1/secrets/{name}.")
        reason = self._reason(secret, datasource, author, assigned_to) if secret is not None else "unknown"
        if reason is None:
            return
        host, _ = host_of(datasource)
        if not author.is_admin:
            reason = (
                f"either it does not exist, or its hosts do not name {host}, "
                "or its projects are not those of this datasource"
            )
        raise SecretForbidden(
            f"This datasource may not use the secret {name!r}: {reason}. "
            f"An admin can allow it with `hosts` and `projects` of PUT /v1/secrets/{name}."
        )

    def _reason(
        self, secret: Definition, datasource: Datasource, author: Author, assigned_to: str | None
    ) -> str | None:
        """Why a datasource may not use a secret; null where it may."""
        hosts, projects = secret.document.get("hosts"), secret.document.get("projects")
        host, port = host_of(datasource)
        if hosts is None and not author.is_admin:
            return "it names no hosts, so only datasources that an admin wrote last may use it"
        if hosts is not None and not any(_is_host(named, host, port) for named in hosts):
            return f"its hosts do not name {host}"
        if projects is None:
            return None
        used = {one.project for one in self._assignments.of_datasource(datasource.slug)}
        outside = sorted((used | ({assigned_to} if assigned_to else set())) - set(projects))
        if outside:
            return f"its projects do not name {outside[0]!r}, which the datasource is part of"
        if author.is_admin or any(self._owns(author, project) for project in projects):
            return None
        return "none of its projects belongs to who wrote the datasource"

    def _owns(self, author: Author, project: str) -> bool:
        found = self._definitions.find("project", project)
        return found is not None and found.created_by == author.id


def _is_host(named: str, host: str, port: int) -> bool:
    """Whether a secret's host, with a port or without, is the one that a request goes to."""
    parts = urlsplit(f"//{named}")
    return _ascii(parts.hostname or "") == _ascii(host) and parts.port in (None, port)


def _ascii(host: str) -> str:
    """A host name in the form that DNS knows."""
    host = host.rstrip(".").lower()
    if host.isascii():
        return host
    import idna  # only for names in other scripts

    try:
        return idna.encode(host).decode()
    except idna.IDNAError:
        return host
