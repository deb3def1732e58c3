"""The endpoint server of this process."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from sluice.container import Container
from sluice.projects.tables import published_tables
from sluice.reads.endpoints.cache import AnswerCache
from sluice.reads.endpoints.server import EndpointServer

_SERVERS: WeakKeyDictionary[Container, EndpointServer] = WeakKeyDictionary()


def endpoint_server(services: Container) -> EndpointServer:
    """The server for a container's endpoints; made once, so that its cache of answers serves later calls."""
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
