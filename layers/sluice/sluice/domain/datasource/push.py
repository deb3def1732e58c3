"""Records that programs post."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from sluice.domain.datasource.base import Arrival, Datasource, Disposition


class PushDatasource(Datasource):
    """A datasource whose records are posted: what waits when a run begins is its data."""

    KIND: ClassVar[str] = "push"
    ARRIVAL: ClassVar[Arrival] = "pushed"
    INSTEAD: ClassVar[str] = "post records instead"

    kind: Literal["push"]

    @model_validator(mode="after")
    def _check_format(self) -> Self:
        if self.format not in (None, "json", "jsonl"):
            raise ValueError("a push datasource takes json and jsonl; leave format out")
        return self

    def default_disposition(self) -> Disposition:
        """Records are added, by their key where they have one."""
        return "upsert" if self.primary_key else "append"
