"""Restricting data that was fetched with a secret to the projects that the secret names."""

from __future__ import annotations

from sluice.catalog.definitions import Definition
from sluice.container import Container
from sluice.domain.dataset_id import DatasetId
from sluice.domain.datasource import Datasource
from sluice.errors import Conflict, SecretForbidden


def require_secrets_allow(services: Container, datasource: Definition, project: Definition) -> None:
    """Refuse to assign a datasource to a project that one of its secrets does not allow.

    Data that was already fetched counts too: the published version and every version that it
    appends to, each with the document that fetched it.

    Args:
        datasource: the stored datasource.
        project: the stored project that it is to be assigned to.

    Raises:
        Conflict: the datasource uses such a secret, or has data that was fetched with one.
    """
    # Most workspaces restrict no secret to projects; then no manifest has to be read.
    if all(secret.document.get("projects") is None for secret in services.definitions.all("secret")):
        return
    names = set(Datasource.model_validate(datasource.document).secrets().values())
    names |= _secrets_of_published_data(services, datasource.name)
    try:
        for name in sorted(names):
            services.secret_use.require_for_project(name, project)
    except SecretForbidden as error:
        raise Conflict(error.detail) from None


def _secrets_of_published_data(services: Container, slug: str) -> set[str]:
    """The names of the secrets by which the published version, and those that it builds on, were fetched."""
    names: set[str] = set()
    pointer = services.datasets.pointer(DatasetId.of_datasource(slug))
    if pointer.published is None:
        return names
    key: str | None = services.datasets.version(pointer.dataset, pointer.published).manifest_key
    # An append or upsert version has records that earlier documents of the datasource have fetched.
    while key is not None:
        manifest = services.lake.manifest(key)
        auth = ((manifest.spec.get("datasource") or {}).get("http") or {}).get("auth") or {}
        if auth.get("secret"):
            names.add(auth["secret"])
        key = manifest.previous
    return names
