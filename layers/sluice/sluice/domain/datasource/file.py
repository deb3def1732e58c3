"""Files that are dropped into the inbox or uploaded."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from sluice.domain.datasource.base import Arrival, Datasource


class FileDatasource(Datasource):
    """A datasource of files. Each file is ingested by a run of its own."""

    KIND: ClassVar[str] = "file"
    ARRIVAL: ClassVar[Arrival] = "dropped"
    INSTEAD: ClassVar[str] = "drop a file instead"

    kind: Literal["file"] = Field(
        description="`file`: each file that is dropped into the inbox, or uploaded, starts a run."
    )
