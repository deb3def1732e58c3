"""Secrets as they are written: a value, and where it may be sent."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints

from sluice.domain.base import Document
from sluice.domain.datasource.http_source import url_fault
from sluice.domain.names import Slug
from sluice.patterns import Pattern


def _check_host(host: str) -> str:
    fault = url_fault(f"https://{host}/")
    if fault is not None:
        raise ValueError(fault)
    _ = urlsplit(f"//{host}").port  # raises ValueError for a port above 65535
    return host


Host = Annotated[
    str,
    StringConstraints(min_length=1, max_length=259),
    Pattern(
        r"^(\[[0-9a-fA-F:.]+\]|[^\s/?#@:\[\]]+)(:[0-9]{1,5})?$",
        "give a host with or without a port, such as api.example.com, and nothing else of an address",
    ),
    AfterValidator(_check_host),
]


class SecretValue(Document):
    """A secret's value, and where it may be sent."""

    value: Annotated[str, StringConstraints(min_length=1, max_length=4096)] = Field(
        description="The secret itself: a password, key, token or URI. It can never be read back."
    )
    hosts: Annotated[list[Host], Field(min_length=1, max_length=100)] | None = Field(
        None,
        description="The only hosts that the value is sent to, with a port or without. Null: only datasources that an "
        "admin wrote last may use it.",
    )
    projects: Annotated[list[Slug], Field(min_length=1, max_length=100)] | None = Field(
        None,
        description="The only projects that data fetched with it may enter; besides admins, only their owners may "
        "write a datasource that uses it. Null: all projects.",
    )
