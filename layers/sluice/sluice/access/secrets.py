"""Secrets by name: SSM SecureString parameters, written through the API and never read back."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from sluice.aws import translated
from sluice.catalog.definitions import Definition, Definitions
from sluice.domain.names import now, rfc3339
from sluice.errors import AlreadyExists, Invalid, PreconditionFailed, SecretMissing, Unavailable

_TRIES = 20

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


class Secrets:
    """The parameters below `/{stack}/{workspace}/`."""

    def __init__(self, ssm: SSMClient, stack: str, workspace: str) -> None:
        self._ssm = ssm
        self._path = f"/{stack}/{workspace}"

    def _name(self, name: str) -> str:
        return f"{self._path}/secrets/{name}"

    def put(self, name: str, value: str) -> None:
        """Set a secret's value."""
        with translated():
            self._ssm.put_parameter(Name=self._name(name), Value=value, Type="SecureString", Overwrite=True)

    def delete(self, name: str) -> None:
        """Forget a secret; forgetting it twice is fine."""
        with translated():
            try:
                self._ssm.delete_parameter(Name=self._name(name))
            except self._ssm.exceptions.ParameterNotFound:
                return

    def value(self, name: str) -> str:
        """A secret's value, for a request to an upstream.

        Raises:
            SecretMissing: it was never set.
        """
        found = self._read(self._name(name))
        if found is None:
            raise SecretMissing(f"The secret {name!r} has no value; set it with PUT /v1/secrets/{name}.")
        return found

    def signing_key(self) -> bytes:
        """The key that signs cursors, made when it is first needed."""
        name = f"{self._path}/internal/signing-key"
        found = self._read(name)
        if found is None:
            with translated():
                try:
                    value = secrets.token_hex(32)
                    self._ssm.put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=False)
                except self._ssm.exceptions.ParameterAlreadyExists:
                    pass  # another process was first: its key is the one
            found = self._read(name)
        if found is None:
            raise Unavailable("The key that signs cursors cannot be read yet; try again.")
        return bytes.fromhex(found)

    def _read(self, name: str) -> str | None:
        with translated():
            try:
                return self._ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
            except self._ssm.exceptions.ParameterNotFound:
                return None


class SecretsRegistry:
    """The secrets' names in the catalog with where each may go, beside their values in SSM."""

    def __init__(self, secrets_: Secrets, definitions: Definitions) -> None:
        self._secrets = secrets_
        self._definitions = definitions

    def put(
        self, name: str, value: str, by: str, hosts: list[str] | None, projects: list[str] | None
    ) -> tuple[Definition, bool]:
        """Set a value and where it may go.

        Where that changes, the secret is closed for the moment between the two writes, so that
        neither value ever goes where only the other one may.

        Args:
            hosts: the only hosts that it is sent to; null: those that an admin's datasources name.
            projects: the only projects whose datasources may use it; null: all.

        Returns:
            The secret's definition, and whether it is new.

        Raises:
            Invalid: there is no project of one of the names.
        """
        created = {slug: self._project(slug, index).created_at for index, slug in enumerate(projects or [])}
        allowed: dict[str, Any] = {"hosts": hosts, "projects": projects, "project_created_at": created}
        stored = self._definitions.find("secret", name)
        if stored is not None and {key: stored.document.get(key) for key in allowed} != allowed:
            self._note(name, {**allowed, "hosts": []}, by)
        self._secrets.put(name, value)
        return self._note(name, allowed, by)

    def _project(self, slug: str, index: int) -> Definition:
        found = self._definitions.find("project", slug)
        if found is None:
            message = f"There is no project {slug!r}."
            raise Invalid(message, [{"pointer": f"/projects/{index}", "message": message}])
        return found

    def _note(self, name: str, allowed: dict[str, Any], by: str) -> tuple[Definition, bool]:
        document = {"set_at": rfc3339(now()), "set_by": by, **allowed}
        for _ in range(_TRIES):
            stored = self._definitions.find("secret", name)
            try:
                if stored is None:
                    return self._definitions.create("secret", name, document, by), True
                return self._definitions.replace(stored, document), False
            except (AlreadyExists, PreconditionFailed):
                continue  # somebody else has set it meanwhile
        raise Unavailable("The secret keeps changing; try again.")

    def delete(self, name: str) -> None:
        """Forget a secret.

        Raises:
            NotFound: there is none of that name.
        """
        found = self._definitions.get("secret", name)
        self._secrets.delete(name)
        self._definitions.delete(found)
