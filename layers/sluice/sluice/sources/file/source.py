"""The source of kind `file`."""

from __future__ import annotations

from sluice.domain.datasource import Datasource
from sluice.domain.run import FetchIndex, Run
from sluice.sources.base import Call, NoUpstream, Services
from sluice.sources.file.drop import fetch_drop


class FileSource(NoUpstream):
    """Fetches the dropped file that a run was started for."""

    def fetch(self, run: Run, datasource: Datasource, services: Services, call: Call) -> FetchIndex | None:
        """Fetch the file as one page: see `Source.fetch`."""
        assert run.drop is not None, "a run of a file datasource is started by a drop"
        limit = services.settings.max_drop_bytes
        return fetch_drop(run, run.drop, datasource, services.s3, services.lake, services.pages, limit)


SOURCE = FileSource()
