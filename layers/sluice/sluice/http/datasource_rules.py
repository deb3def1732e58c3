"""What a datasource's document may say when it is written, beyond what its model checks; and how it is shown.

These rules are for writes only: a document that an earlier release accepted can still be read.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sluice.bootstrap import Platform
from sluice.catalog.definitions import Definition
from sluice.domain.base import json_pointer
from sluice.domain.datasource import Datasource
from sluice.domain.http_source import url_fault
from sluice.domain.identity import Principal
from sluice.errors import Invalid, SecretForbidden, SecretMissing
from sluice.http.views import view
from sluice.security.secret_use import Author, secrets_of

MASK = "********"
# The ends of names that hold a credential, without what separates their words; `api_key_2` and the like as well.
_CREDENTIAL = re.compile(
    r"(authorization|cookie|credential|signature|passwd|password|passphrase|secret|token|bearer|jwt"
    r"|(access|api|app|auth|client|functions|h?api|license|private|secret|service|session|subscription|user)key"
    r"|sessionid|session)(s|id|v)?$"
)
_SHORT_WORDS = frozenset({"auth", "pass", "pat", "pwd", "sid", "sig"})


def is_credential(name: str) -> bool:
    """Whether a header or query parameter of this name carries a credential."""
    letters = re.sub(r"[^a-z]+", "", name.lower())
    words = [word for word in re.split(r"[^a-z0-9]+", name.lower()) if word]
    return _CREDENTIAL.search(letters) is not None or bool(words and words[-1] in _SHORT_WORDS)


def require_writable(
    services: Platform, principal: Principal, document: Datasource, stored: Definition | None = None
) -> None:
    """Refuse a document that its author may not write.

    Raises:
        Invalid: it has a credential in the clear, an address that cannot be asked, or names a
            secret that it may not use.
    """
    require_safe(document)
    author = Author(principal.id, principal.role)
    for pointer, name in secrets_of(document).items():
        try:
            services.secret_use.require(name, document, author)
        except SecretMissing:
            continue  # an admin may set it later; until then the datasource's runs say that it is missing
        except SecretForbidden as error:
            raise Invalid(error.detail, [{"pointer": pointer, "message": error.detail}]) from None


def require_safe(document: Datasource) -> None:
    """Refuse a document with a credential in the clear, or an address that cannot be asked.

    Raises:
        Invalid: with the pointer to it.
    """
    if document.http is None:
        return
    fault = url_fault(document.http.url)
    if fault is not None:
        raise Invalid(f"The address cannot be used: {fault}.", [{"pointer": "/http/url", "message": fault}])
    named = [(json_pointer(("http", "headers", name)), name) for name in document.http.headers]
    named += [(json_pointer(("http", "params", name)), name) for name in document.http.params]
    query = urlsplit(document.http.url).query.replace(";", "&")
    named += [("/http/url", name) for name, _ in parse_qsl(query, keep_blank_values=True)]
    for pointer, name in named:
        if is_credential(name):
            message = (
                f"{name!r} looks like a credential, which everybody who sees the datasource could read; "
                "store its value as a secret and name that in `auth`."
            )
            raise Invalid(message, [{"pointer": pointer, "message": message}])


def shown_datasource(stored: Definition) -> dict[str, Any]:
    """A datasource as the API shows it; a credential that an earlier release accepted in a header is masked."""
    shown = view(stored)
    http = shown.get("http")
    if not http:
        return shown
    masked = {
        place: {name: MASK if is_credential(name) else value for name, value in (http.get(place) or {}).items()}
        for place in ("headers", "params")
    }
    return {**shown, "http": {**http, **masked}}
