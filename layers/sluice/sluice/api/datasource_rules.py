"""Checks of a datasource's document that its model cannot make, and the datasource as the API shows it.

The checks apply to writes only: a document that an earlier release accepted can still be read.
"""

from __future__ import annotations

from typing import Any

from sluice.access.policy import decide, require_role
from sluice.access.secret_use import Author
from sluice.api.views import definition_view
from sluice.catalog.definitions import Definition
from sluice.container import Container
from sluice.domain.datasource import Datasource
from sluice.domain.identity import Principal
from sluice.errors import Invalid, SecretForbidden, SecretMissing
from sluice.projects.visibility import resource_of


def require_writable(
    services: Container, principal: Principal, document: Datasource, stored: Definition | None = None
) -> None:
    """Refuse a document that its author may not write.

    Args:
        principal: the author.
        document: the new document.
        stored: the present definition; null for a new datasource.

    Raises:
        Forbidden: the author may not read what the datasource's runs read.
        Invalid: it has a credential in plain text, an address that datasources may not call, or names
            a secret that it may not use.
    """
    if document.NEEDS is not None:
        require_role(principal, document.NEEDS)
    document.require_safe()
    author = Author(principal.id, principal.role)
    for pointer, name in document.secrets().items():
        try:
            services.secret_use.require(name, document, author)
        except SecretMissing:
            continue  # an admin can set it later; until then the datasource's runs fail with `secret-missing`
        except SecretForbidden as error:
            raise Invalid(error.detail, [{"pointer": pointer, "message": error.detail}]) from None


def datasource_view(services: Container, principal: Principal, stored: Definition) -> dict[str, Any]:
    """A datasource as the API shows it to a principal.

    Credentials that an earlier release stored are masked, and the values of headers for who may not change it.
    """

    def may_update() -> bool:
        return decide(principal, "datasource.update", resource_of(services, principal, stored)) == "allowed"

    return Datasource.KINDS[stored.document["kind"]].shown(definition_view(stored), may_update)
