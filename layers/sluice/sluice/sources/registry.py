"""The package of each kind of datasource.

The package's module `source` has a `SOURCE` that implements `sluice.sources.base.Source`. It is imported when a
datasource of the kind is first used, so that the drivers of one kind do not slow down the cold starts of others.
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
    "stream": "sluice.sources.stream",
}


def source_of(kind: str) -> Source:
    """Import and return the source of a kind, such as `http`."""
    source: Source = import_module(f"{PACKAGES[kind]}.source").SOURCE
    return source
