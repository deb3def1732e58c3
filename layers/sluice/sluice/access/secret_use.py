"""Which secrets a datasource may use: a secret's `hosts` and `projects` restrict where its value goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from sluice.access.secrets import Secrets
from sluice.catalog.assignments import Assignments
from sluice.catalog.definitions import Definition, Definitions
from sluice.domain.datasource import Datasource
from sluice.domain.identity import Role
from sluice.errors import SecretForbidden, SecretMissing, SecretUnusable


@dataclass(frozen=True)
class Author:
    """Who wrote a datasource's document; both fields are null if a release before 0.3 stored it."""

    id: str | None
    role: Role | None

    @property
    def is_admin(self) -> bool:
        """Whether the author was an admin at that time."""
        return self.role == "admin"


class SecretUse:
    """Decides whether a datasource may use a secret, when it is written, tried, and fetched."""

    def __init__(self, secrets: Secrets, definitions: Definitions, assignments: Assignments) -> None:
        self._secrets = secrets
        self._definitions = definitions
        self._assignments = assignments

    def reader(self, datasource: Datasource, author: Author, *, explain: bool = True) -> Callable[[str], str]:
        """The function by which one datasource reads its secrets.

        Args:
            author: who wrote the datasource's document.
            explain: whether the reader of the errors may learn why a secret cannot be used.

        Returns:
            A function from a secret's name to its value. It raises `SecretForbidden` for a secret that
            the datasource may not use or whose value names a host outside its `hosts`, `SecretUnusable`
            for one whose value should name hosts and does not, and `SecretMissing` for one without a value.
        """

        def read(name: str) -> str:
            self.require(name, datasource, author, explain=explain)
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
        explain: bool = True,
    ) -> None:
        """Refuse a secret that a datasource may not use.

        Args:
            name: the secret.
            author: who writes the document, or wrote the stored one.
            assigned_to: a project that the datasource is about to be assigned to.
            explain: whether the reader of the error may learn why.

        Raises:
            SecretForbidden: the use is not allowed. Unless an admin reads it, the text is the same whether
                the secret exists or not, so that names cannot be probed.
            SecretMissing: an admin's datasource names a secret that does not exist.
        """
        secret = self._definitions.find("secret", name)
        explain = explain and author.is_admin
        if secret is None and explain:
            raise SecretMissing(f"There is no secret {name!r}; set it in the console or with PUT /v1/secrets/{name}.")
        reason = self._reason(secret, datasource, author, assigned_to) if secret is not None else "unknown"
        if reason is None:
            return
        host, port = datasource.host()
        if not explain:
            # A kind whose secrets name the hosts has none of its own.
            hosts = f"or its hosts do not include {host}:{port}, " if host else "or it names no hosts, "
            reason = f"either it does not exist, {hosts}or its projects do not include those of this datasource"
        raise SecretForbidden(
            f"This datasource may not use the secret {name!r}: {reason}. "
            f"An admin can allow it with `hosts` and `projects` of PUT /v1/secrets/{name}."
        )

    def _require_hosts(self, name: str, value: str, datasource: Datasource) -> None:
        """Refuse a secret whose value names a host that its `hosts` do not include.

        Args:
            name: the secret.
            value: its value, such as a connection URI.

        Raises:
            SecretForbidden: a host is not included; the text does not tell which, as that is part of the value.
            SecretUnusable: the value names no host.
        """
        secret = self._definitions.find("secret", name)
        hosts = secret.document.get("hosts") if secret is not None else None
        if hosts is None:
            return
        named = datasource.hosts_in(value)
        if not named:
            raise SecretUnusable(
                f"The value of the secret {name!r} is not a valid connection URI, so its hosts cannot be compared "
                "with those of the secret."
            )
        for host, port in named:
            if not any(_matches_host(allowed, host, port) for allowed in hosts):
                raise SecretForbidden(
                    f"The value of the secret {name!r} names a host that its hosts do not include. "
                    f"An admin can allow it with `hosts` of PUT /v1/secrets/{name}."
                )

    def _reason(
        self, secret: Definition, datasource: Datasource, author: Author, assigned_to: Definition | None
    ) -> str | None:
        """Why a datasource may not use a secret; null where it may."""
        hosts = secret.document.get("hosts")
        host, port = datasource.host()
        if hosts is None and not author.is_admin:
            return "it names no hosts, so only a datasource that an admin wrote last may use it"
        if datasource.SECRETS_NAME_HOSTS:
            hosts = None  # `_require_hosts` compares them with the value, once it is read
        if hosts is not None and not any(_matches_host(allowed, host, port) for allowed in hosts):
            return f"its hosts do not include {host}:{port}"
        if secret.document.get("projects") is None:
            return None
        return self._reason_of_projects(secret, datasource, author, assigned_to)

    def _reason_of_projects(
        self, secret: Definition, datasource: Datasource, author: Author, assigned_to: Definition | None
    ) -> str | None:
        """Why a secret's projects do not allow a use; null where they do."""
        projects = [self._definitions.find("project", slug) for slug in secret.document["projects"]]
        allowed = {project.name: project for project in projects if project and names_project(secret, project)}
        used = {assignment.project for assignment in self._assignments.of_datasource(datasource.slug)}
        outside = sorted((used | ({assigned_to.name} if assigned_to else set())) - set(allowed))
        if outside:
            return f"its projects do not include {outside[0]!r}, which the datasource is assigned to"
        if author.is_admin or any(project.created_by == author.id for project in allowed.values()):
            return None
        return "none of its projects is owned by the author of the datasource"

    def require_for_project(self, name: str, project: Definition) -> None:
        """Refuse data that was fetched with a secret in a project that the secret does not name.

        Args:
            name: the secret.

        Raises:
            SecretForbidden: the secret names other projects only.
        """
        secret = self._definitions.find("secret", name)
        if secret is None or secret.document.get("projects") is None or names_project(secret, project):
            return
        raise SecretForbidden(
            f"The datasource holds data that was fetched with the secret {name!r}, whose projects do not include "
            f"{project.name!r}. An admin can allow it with `projects` of PUT /v1/secrets/{name}."
        )


def names_project(secret: Definition, project: Definition) -> bool:
    """Whether a secret's projects include this project.

    The secret keeps when each project was created, so a later project of the same slug is not included.
    """
    created = (secret.document.get("project_created_at") or {}).get(project.name)
    return project.name in secret.document["projects"] and created == project.created_at


def _matches_host(allowed: str, host: str, port: int) -> bool:
    """Whether a request's host and port are allowed by one of a secret's hosts; without a port, any port is."""
    parts = urlsplit(f"//{allowed}")
    return _ascii(parts.hostname or "") == _ascii(host) and parts.port in (None, port)


def _ascii(host: str) -> str:
    """A host name in the form that DNS uses: lower case, IDNA, without a final dot."""
    host = host.rstrip(".").lower()
    if host.isascii():
        return host
    import idna  # 20 ms of import, only for names outside ASCII

    try:
        return idna.encode(host).decode()
    except idna.IDNAError:
        return host
