"""Secrets: SSM SecureString parameters, written through the API and never shown by it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from sluice.aws import translated
from sluice.catalog.definitions import Definition, Definitions
from sluice.domain.datasource import Datasource
from sluice.domain.names import now, rfc3339
from sluice.errors import AlreadyExists, Invalid, PreconditionFailed, SecretMissing, Unavailable

_ATTEMPTS = 20

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


class Secrets:
    """The values of secrets: SSM parameters below `/{stack}/{workspace}/`.

    Args:
        folder: what the secrets are for: `secrets` for those of datasources, `webhooks` for those that sign.
    """

    def __init__(self, ssm: SSMClient, stack: str, workspace: str, folder: str = "secrets") -> None:
        self._ssm = ssm
        self._path = f"/{stack}/{workspace}"
        self._folder = folder

    def _name(self, name: str) -> str:
        return f"{self._path}/{self._folder}/{name}"

    def put(self, name: str, value: str) -> None:
        """Set a secret's value, whether or not it has one.

        Args:
            name: without the path.
        """
        with translated():
            self._ssm.put_parameter(Name=self._name(name), Value=value, Type="SecureString", Overwrite=True)

    def delete(self, name: str) -> None:
        """Delete a secret's value; a second call changes nothing."""
        with translated():
            try:
                self._ssm.delete_parameter(Name=self._name(name))
            except self._ssm.exceptions.ParameterNotFound:
                return

    def value(self, name: str) -> str:
        """A secret's value.

        Raises:
            SecretMissing: it has no value.
        """
        value = self._read(self._name(name))
        if value is None:
            raise SecretMissing(f"There is no secret {name!r}; set it in the console or with PUT /v1/secrets/{name}.")
        return value

    def signing_key(self) -> bytes:
        """The key that signs cursors and links; it is created when it is first needed."""
        name = f"{self._path}/internal/signing-key"
        key = self._read(name)
        if key is None:
            with translated():
                # Several functions may create the key at the same time; without Overwrite, only one succeeds.
                try:
                    value = secrets.token_hex(32)
                    self._ssm.put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=False)
                except self._ssm.exceptions.ParameterAlreadyExists:
                    pass  # another process created it first; all processes must use that one
            key = self._read(name)
        if key is None:
            raise Unavailable("The key that signs cursors cannot be read yet; try again.")
        return bytes.fromhex(key)

    def _read(self, name: str) -> str | None:
        with translated():
            try:
                return self._ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
            except self._ssm.exceptions.ParameterNotFound:
                return None


class SecretsRegistry:
    """The catalog's entries of secrets (name, hosts, projects), kept together with their values in SSM."""

    def __init__(self, secrets_: Secrets, definitions: Definitions) -> None:
        self._secrets = secrets_
        self._definitions = definitions

    def put(
        self, name: str, value: str, by: str, hosts: list[str] | None, projects: list[str] | None
    ) -> tuple[Definition, bool]:
        """Set a secret's value, hosts and projects.

        Args:
            by: the principal that sets it.
            hosts: the only hosts that the value is sent to; null for those that an admin's datasources name.
            projects: the only projects whose datasources may use it; null for all projects.

        Returns:
            The secret's definition, and whether it is new.

        Raises:
            Invalid: a project does not exist.
            Unavailable: other requests keep changing the secret.
        """
        created = {slug: self._project(slug, index).created_at for index, slug in enumerate(projects or [])}
        allowed: dict[str, Any] = {"hosts": hosts, "projects": projects, "project_created_at": created}
        stored = self._definitions.find("secret", name)
        if stored is not None and {key: stored.document.get(key) for key in allowed} != allowed:
            # SSM and DynamoDB have no common transaction. Without hosts nothing may use the secret, so
            # between the two writes neither value can be sent where only the other one is allowed.
            self._write_entry(name, {**allowed, "hosts": []}, by)
        self._secrets.put(name, value)
        return self._write_entry(name, allowed, by)

    def _project(self, slug: str, index: int) -> Definition:
        project = self._definitions.find("project", slug)
        if project is None:
            message = f"There is no project {slug!r}."
            raise Invalid(message, [{"pointer": f"/projects/{index}", "message": message}])
        return project

    def _write_entry(self, name: str, allowed: dict[str, Any], by: str) -> tuple[Definition, bool]:
        document = {"set_at": rfc3339(now()), "set_by": by, **allowed}
        for _ in range(_ATTEMPTS):
            stored = self._definitions.find("secret", name)
            try:
                if stored is None:
                    return self._definitions.create("secret", name, document, by), True
                return self._definitions.replace(stored, document), False
            except (AlreadyExists, PreconditionFailed):
                continue  # another request has changed it; read it again
        raise Unavailable("The secret keeps being changed by other requests; try again.")

    def users(self) -> dict[str, list[str]]:
        """The slugs of the datasources that name each secret."""
        users: dict[str, list[str]] = {}
        for definition in self._definitions.all("datasource"):
            for name in Datasource.model_validate(definition.document).secrets().values():
                users.setdefault(name, []).append(definition.name)
        return users

    def delete(self, name: str) -> None:
        """Delete a secret: its value first, so that no value is left without an entry.

        Raises:
            NotFound: there is no such secret.
        """
        entry = self._definitions.get("secret", name)
        self._secrets.delete(name)
        self._definitions.delete(entry)
