"""Secrets by name: SSM SecureString parameters, written through the API and never read back."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from sluice.aws import translated
from sluice.catalog.definitions import Definition, Definitions
from sluice.domain.names import now, rfc3339
from sluice.errors import Conflict, PreconditionFailed, SecretMissing, Unavailable

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
    """The secrets' names in the catalog, beside their values in SSM."""

    def __init__(self, secrets_: Secrets, definitions: Definitions) -> None:
        self._secrets = secrets_
        self._definitions = definitions

    def put(self, name: str, value: str, by: str) -> tuple[Definition, bool]:
        """Set a value; the name's definition, and whether the name is new."""
        self._secrets.put(name, value)
        document = {"set_at": rfc3339(now()), "set_by": by}
        for _ in range(_TRIES):
            found = self._definitions.find("secret", name)
            try:
                if found is None:
                    return self._definitions.create("secret", name, document, by), True
                return self._definitions.replace(found, document), False
            except (Conflict, PreconditionFailed):
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
