"""Datasources whose data are files that were dropped."""

from __future__ import annotations

from sluice.domain.datasource import Datasource
from sluice.domain.run import FetchIndex, Run
from sluice.sources.base import Call, NothingToAsk, Services
from sluice.sources.file.drop import fetch_drop


class FileSource(NothingToAsk):
    """Fetches the file that a run was started for."""

    def fetch(self, run: Run, datasource: Datasource, services: Services, call: Call) -> FetchIndex | None:
        """The file, as one page."""
        assert run.drop is not None, "a run of a file datasource is started by a drop"
        limit = services.settings.max_drop_bytes
        return fetch_drop(run, run.drop, datasource, services.s3, services.lake, services.pages, limit)


SOURCE = FileSource()
