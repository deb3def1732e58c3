"""Files that are dropped into the inbox, or uploaded."""

from __future__ import annotations

from typing import ClassVar, Literal

from sluice.domain.datasource.base import Arrival, Datasource


class FileDatasource(Datasource):
    """A datasource whose data are files: each one is a run."""

    KIND: ClassVar[str] = "file"
    ARRIVAL: ClassVar[Arrival] = "dropped"
    INSTEAD: ClassVar[str] = "drop a file instead"

    kind: Literal["file"]
