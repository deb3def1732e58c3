"""What a datasource's document may say when it is written, beyond what its model checks; and how it is shown.

These rules are for writes only: a document that an earlier release accepted can still be read.
"""

from __future__ import annotations

from typing import Any

from sluice.access.secret_use import Author
from sluice.api.views import view
from sluice.catalog.definitions import Definition
from sluice.container import Container
from sluice.domain.datasource import Datasource
from sluice.domain.identity import Principal
from sluice.errors import Invalid, SecretForbidden, SecretMissing


def require_writable(
    services: Container, principal: Principal, document: Datasource, stored: Definition | None = None
) -> None:
    """Refuse a document that its author may not write.

    Raises:
        Invalid: it has a credential in the clear, an address that cannot be asked, or names a
            secret that it may not use.
    """
    document.require_safe()
    author = Author(principal.id, principal.role)
    for pointer, name in document.secrets().items():
        try:
            services.secret_use.require(name, document, author)
        except SecretMissing:
            continue  # an admin may set it later; until then the datasource's runs say that it is missing
        except SecretForbidden as error:
            raise Invalid(error.detail, [{"pointer": pointer, "message": error.detail}]) from None


def shown_datasource(stored: Definition) -> dict[str, Any]:
    """A datasource as the API shows it."""
    return Datasource.KINDS[stored.document["kind"]].shown(view(stored))
