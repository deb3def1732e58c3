"""Which secrets a datasource may use: a secret's hosts and projects say where its value may go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from sluice.access.secrets import Secrets
from sluice.catalog.assignments import Assignments
from sluice.catalog.definitions import Definition, Definitions
from sluice.domain.datasource import Datasource
from sluice.domain.identity import Role
from sluice.errors import SecretForbidden, SecretMissing


@dataclass(frozen=True)
class Author:
    """Who wrote a datasource's document; null for one that a release before 0.3 stored."""

    id: str | None
    role: Role | None

    @property
    def is_admin(self) -> bool:
        """Whether an admin wrote it."""
        return self.role == "admin"


class SecretUse:
    """Decides whether a datasource may use a secret, when it is written, tried, and fetched."""

    def __init__(self, secrets: Secrets, definitions: Definitions, assignments: Assignments) -> None:
        self._secrets = secrets
        self._definitions = definitions
        self._assignments = assignments

    def reader(self, datasource: Datasource, author: Author, *, tells: bool = True) -> Callable[[str], str]:
        """What gives the values of secrets to one datasource.

        Args:
            tells: whether whoever reads the errors may know why a secret cannot be used.

        The function raises `SecretForbidden` for a secret that the datasource may not use, and
        `SecretMissing` for one that has no value.
        """

        def read(name: str) -> str:
            self.require(name, datasource, author, tells=tells)
            value = self._secrets.value(name)
            if datasource.SECRETS_NAME_HOSTS:
                self._require_hosts(name, value, datasource)
            return value

        return read

    def require(
        self,
        name: str,
        datasource: Datasource,
        author: Author,
        assigned_to: Definition | None = None,
        *,
        tells: bool = True,
    ) -> None:
        """Refuse a secret that a datasource may not use.

        Args:
            author: who writes the document, or wrote the stored one.
            assigned_to: a project that the datasource is about to be assigned to.
            tells: whether whoever reads the error may know why.

        Raises:
            SecretForbidden: whoever is no admin is not told whether the secret exists.
            SecretMissing: an admin's datasource names a secret that does not exist.
        """
        secret = self._definitions.find("secret", name)
        tells = tells and author.is_admin
        if secret is None and tells:
            raise SecretMissing(f"The secret {name!r} has no value; set it with PUT /v1/secrets/{name}.")
        reason = self._reason(secret, datasource, author, assigned_to) if secret is not None else "unknown"
        if reason is None:
            return
        host, _ = datasource.host()
        if not tells:
            reason = (
                f"either it does not exist, or its hosts do not name {host}, "
                "or its projects are not those of this datasource"
            )
        raise SecretForbidden(
            f"This datasource may not use the secret {name!r}: {reason}. "
            f"An admin can allow it with `hosts` and `projects` of PUT /v1/secrets/{name}."
        )

    def _require_hosts(self, name: str, value: str, datasource: Datasource) -> None:
        """Refuse a secret whose value names another host than its hosts do.

        Raises:
            SecretForbidden: it does; which host the value names is not told.
        """
        secret = self._definitions.find("secret", name)
        hosts = secret.document.get("hosts") if secret is not None else None
        if hosts is None:
            return
        for host, port in datasource.hosts_in(value):
            if not any(_is_host(named, host, port) for named in hosts):
                raise SecretForbidden(
                    f"The value of the secret {name!r} names a host that its hosts do not. "
                    f"An admin can allow it with `hosts` of PUT /v1/secrets/{name}."
                )

    def _reason(
        self, secret: Definition, datasource: Datasource, author: Author, assigned_to: Definition | None
    ) -> str | None:
        """Why a datasource may not use a secret; null where it may."""
        hosts = secret.document.get("hosts")
        host, port = datasource.host()
        if hosts is None and not author.is_admin:
            return "it names no hosts, so only datasources that an admin wrote last may use it"
        if datasource.SECRETS_NAME_HOSTS:
            hosts = None  # they are compared with the value, when it is read
        if hosts is not None and not any(_is_host(named, host, port) for named in hosts):
            return f"its hosts do not name {host}"
        if secret.document.get("projects") is None:
            return None
        return self._reason_of_projects(secret, datasource, author, assigned_to)

    def _reason_of_projects(
        self, secret: Definition, datasource: Datasource, author: Author, assigned_to: Definition | None
    ) -> str | None:
        """Why a secret's projects do not allow a use; null where they do."""
        named = [self._definitions.find("project", slug) for slug in secret.document["projects"]]
        allowed = {project.name: project for project in named if project and is_named(secret, project)}
        used = {assigned.project for assigned in self._assignments.of_datasource(datasource.slug)}
        outside = sorted((used | ({assigned_to.name} if assigned_to else set())) - set(allowed))
        if outside:
            return f"its projects do not name {outside[0]!r}, which the datasource is part of"
        if author.is_admin or any(project.created_by == author.id for project in allowed.values()):
            return None
        return "none of its projects belongs to who wrote the datasource"

    def require_for_project(self, name: str, project: Definition) -> None:
        """Refuse to bring data that was fetched with a secret into a project that the secret does not name.

        Raises:
            SecretForbidden: the secret names other projects only.
        """
        secret = self._definitions.find("secret", name)
        if secret is None or secret.document.get("projects") is None or is_named(secret, project):
            return
        raise SecretForbidden(
            f"The datasource holds data that was fetched with the secret {name!r}, whose projects do not name "
            f"{project.name!r}. An admin can allow it with `projects` of PUT /v1/secrets/{name}."
        )


def is_named(secret: Definition, project: Definition) -> bool:
    """Whether a secret's projects name this project: the one of that slug when the secret was set, not a later one."""
    created = (secret.document.get("project_created_at") or {}).get(project.name)
    return project.name in secret.document["projects"] and created == project.created_at


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
