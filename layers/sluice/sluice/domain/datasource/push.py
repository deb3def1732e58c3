"""Records that clients post."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from sluice.domain.datasource.base import Arrival, Datasource, Disposition


class PushDatasource(Datasource):
    """A datasource whose records are posted. A run ingests the batches that are waiting when it starts."""

    KIND: ClassVar[str] = "push"
    ARRIVAL: ClassVar[Arrival] = "pushed"
    INSTEAD: ClassVar[str] = "post records instead"

    kind: Literal["push"] = Field(description="`push`: clients post the records.")

    @model_validator(mode="after")
    def _check_format(self) -> Self:
        if self.format not in (None, "json", "jsonl"):
            raise ValueError("a push datasource accepts json and jsonl; omit format")
        return self

    def default_disposition(self) -> Disposition:
        """Posted records are upserted by the primary key, or appended if there is none."""
        return "upsert" if self.primary_key else "append"
