"""Datasources whose records are posted."""

from __future__ import annotations

from sluice.domain.datasource import Datasource
from sluice.domain.run import FetchIndex, Run
from sluice.sources.base import Call, NothingToAsk, Services
from sluice.sources.push.batches import fetch_pushed


class PushSource(NothingToAsk):
    """Takes the batches that wait for a run."""

    def fetch(self, run: Run, datasource: Datasource, services: Services, call: Call) -> FetchIndex | None:
        """What waits, each batch as a page."""
        return fetch_pushed(run, datasource, services.batches, services.pages)


SOURCE = PushSource()
