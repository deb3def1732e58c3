"""The source of kind `http`."""

from __future__ import annotations

import asyncio
from functools import lru_cache

from sluice.domain.datasource import Datasource, HttpDatasource
from sluice.domain.run import FetchIndex, Run
from sluice.sources.base import Call, CheckResult, PageVisitor, Secret, Services
from sluice.sources.http.client import SourceClient


class HttpApiSource:
    """Fetches the pages of an HTTP API."""

    def fetch(self, run: Run, datasource: Datasource, services: Services, call: Call) -> FetchIndex | None:
        """Fetch all pages: see `Source.fetch`."""
        return _runner().run(_fetch(run, _http(datasource), services, call))

    def check(self, datasource: Datasource, services: Services, secret: Secret) -> CheckResult:
        """Request the first page: see `Source.check`."""
        from sluice.sources.http.probe import Probe

        return Probe(_http(datasource), services.settings, secret, services.source_transport).check()

    def preview(
        self, datasource: Datasource, services: Services, secret: Secret, max_pages: int, visit: PageVisitor
    ) -> int:
        """Request the first pages: see `Source.preview`."""
        from sluice.sources.http.probe import Probe

        return Probe(_http(datasource), services.settings, secret, services.source_transport).preview(max_pages, visit)


def _http(datasource: Datasource) -> HttpDatasource:
    assert isinstance(datasource, HttpDatasource)
    return datasource


@lru_cache(maxsize=1)
def _runner() -> asyncio.Runner:
    """Return the event loop of this process: a client's connections cannot be used in another loop.

    `asyncio.run` would close its loop after the first call of a process.
    """
    return asyncio.Runner()


async def _fetch(run: Run, datasource: HttpDatasource, services: Services, call: Call) -> FetchIndex:
    from sluice.sources.http.fetcher import HttpFetcher
    from sluice.sources.http.requester import FetchContext

    settings = services.settings
    client = SourceClient(services.source_transport(), settings.max_page_bytes)
    try:
        stores = (services.lake, services.pages, services.runs)
        tools = FetchContext(client, *stores, settings, call.secret, call.seconds_left, call.count)
        return await HttpFetcher(run, datasource, tools).fetch()
    finally:
        await client.aclose()


SOURCE = HttpApiSource()
