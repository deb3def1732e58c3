"""Datasources that are HTTP APIs."""

from __future__ import annotations

import asyncio
from functools import lru_cache

from sluice.domain.datasource import Datasource, HttpDatasource
from sluice.domain.run import FetchIndex, Run
from sluice.sources.base import Call, Checked, Look, Secret, Services
from sluice.sources.http.client import SourceClient


class HttpApiSource:
    """Asks an API for its pages."""

    def fetch(self, run: Run, datasource: Datasource, services: Services, call: Call) -> FetchIndex | None:
        """All pages of the API."""
        return _runner().run(_fetch(run, _http(datasource), services, call))

    def check(self, datasource: Datasource, services: Services, secret: Secret) -> Checked:
        """Ask for the first page."""
        from sluice.sources.http.probe import Probe

        return Probe(_http(datasource), services.settings, secret, services.source_transport).check()

    def preview(self, datasource: Datasource, services: Services, secret: Secret, most: int, look: Look) -> int:
        """Look at the first pages."""
        from sluice.sources.http.probe import Probe

        return Probe(_http(datasource), services.settings, secret, services.source_transport).preview(most, look)


def _http(datasource: Datasource) -> HttpDatasource:
    assert isinstance(datasource, HttpDatasource)
    return datasource


@lru_cache(maxsize=1)
def _runner() -> asyncio.Runner:
    """One event loop per process: an HTTP client must not outlive the loop it was made in."""
    return asyncio.Runner()


async def _fetch(run: Run, datasource: HttpDatasource, services: Services, call: Call) -> FetchIndex:
    from sluice.sources.http.fetcher import HttpFetcher
    from sluice.sources.http.requester import Fetching

    settings = services.settings
    client = SourceClient(services.source_transport(), settings.max_page_bytes)
    try:
        stores = (services.lake, services.pages, services.runs)
        tools = Fetching(client, *stores, settings, call.secret, call.seconds_left, call.count)
        return await HttpFetcher(run, datasource, tools).fetch()
    finally:
        await client.aclose()


SOURCE = HttpApiSource()
