"""The package of each kind of datasource.

Its module `source` has a `SOURCE` that does what `sluice.sources.base.Source` says. It is imported when a
datasource of the kind is fetched or tried: what one kind needs is no part of the others' cold starts.
"""

from __future__ import annotations

from importlib import import_module

from sluice.sources.base import Source

PACKAGES = {
    "http": "sluice.sources.http",
    "file": "sluice.sources.file",
    "push": "sluice.sources.push",
    "sql": "sluice.sources.sql",
    "mongo": "sluice.sources.mongo",
}


def source_of(kind: str) -> Source:
    """What fetches and tries datasources of a kind."""
    source: Source = import_module(f"{PACKAGES[kind]}.source").SOURCE
    return source
