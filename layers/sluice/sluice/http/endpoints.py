"""The server of endpoints, one for each process."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from sluice.bootstrap import Platform
from sluice.endpoints.cache import AnswerCache
from sluice.endpoints.server import EndpointServer
from sluice.runs.parts import published_tables

_SERVERS: WeakKeyDictionary[Platform, EndpointServer] = WeakKeyDictionary()


def endpoint_server(services: Platform) -> EndpointServer:
    """The server that remembers what this process has answered."""
    server = _SERVERS.get(services)
    if server is None:
        server = EndpointServer(
            services.definitions,
            services.datasets,
            services.lake,
            services.sandbox,
            services.settings,
            AnswerCache(services.locks, services.lake, services.settings.endpoint_cache_bytes),
            lambda project, as_of=None: published_tables(services, project, as_of),
        )
        _SERVERS[services] = server
    return server
