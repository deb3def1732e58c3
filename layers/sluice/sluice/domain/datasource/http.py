"""HTTP APIs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field

from sluice.domain.base import json_pointer
from sluice.domain.credential_names import MASK, is_credential
from sluice.domain.datasource.base import Datasource
from sluice.domain.datasource.http_source import HttpSource, url_fault
from sluice.errors import Invalid

_PORTS = {"http": 80, "https": 443}


class HttpDatasource(Datasource):
    """A datasource that requests an HTTP API, page by page."""

    KIND: ClassVar[str] = "http"

    kind: Literal["http"] = Field(description="`http`: runs request an HTTP API.")
    http: HttpSource = Field(description="The requests to send.")

    def secrets(self) -> dict[str, str]:
        """The secret that `auth` names."""
        auth = self.http.auth.model_dump()
        return {"/http/auth/secret": auth["secret"]} if "secret" in auth else {}

    def host(self) -> tuple[str, int]:
        """The host and port of the URL."""
        parts = urlsplit(self.http.url)
        return (parts.hostname or "").rstrip("."), parts.port or _PORTS.get(parts.scheme, 0)

    def require_safe(self) -> None:
        """Refuse a plain-text credential, or a URL that cannot be requested.

        Raises:
            Invalid: with a pointer to the field.
        """
        fault = url_fault(self.http.url)
        if fault is not None:
            raise Invalid(f"The URL cannot be used: {fault}.", [{"pointer": "/http/url", "message": fault}])
        named_values = [(json_pointer(("http", "headers", name)), name) for name in self.http.headers]
        named_values += [(json_pointer(("http", "params", name)), name) for name in self.http.params]
        query = urlsplit(self.http.url).query.replace(";", "&")
        named_values += [("/http/url", name) for name, _ in parse_qsl(query, keep_blank_values=True)]
        for pointer, name in named_values:
            if is_credential(name):
                message = (
                    f"{name!r} looks like a credential, which others who work with the datasource could read. "
                    "Store the value as a secret and name that secret in `auth`."
                )
                raise Invalid(message, [{"pointer": pointer, "message": message}])

    @classmethod
    def shown(cls, document: dict[str, Any], may_update: Callable[[], bool]) -> dict[str, Any]:
        """The document as API responses contain it.

        Credentials that an earlier release accepted are masked, and the values of all headers for who may not change
        the datasource: they can be credentials of any name.
        """
        view = super().shown(document, may_update)
        http = view["http"]
        headers, params = http.get("headers") or {}, http.get("params") or {}
        hides_headers = bool(headers) and not may_update()
        masked = {
            "headers": {name: MASK if hides_headers or is_credential(name) else headers[name] for name in headers},
            "params": {name: MASK if is_credential(name) else params[name] for name in params},
        }
        return {**view, "http": {**http, **masked}}
