"""The source of kind `push`."""

from __future__ import annotations

from sluice.domain.datasource import Datasource
from sluice.domain.run import FetchIndex, Run
from sluice.sources.base import Call, NoUpstream, Services
from sluice.sources.push.batches import fetch_batches


class PushSource(NoUpstream):
    """Fetches the batches of pushed records that wait for a run."""

    def fetch(self, run: Run, datasource: Datasource, services: Services, call: Call) -> FetchIndex | None:
        """Fetch each waiting batch as a page: see `Source.fetch`."""
        return fetch_batches(run, datasource, services.batches, services.pages)


SOURCE = PushSource()
