"""Readings of sensors as a dataset."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from sluice.domain.assets.codes import Code, Label, SensorId
from sluice.domain.base import Document
from sluice.domain.datasource.base import ColumnName, Datasource, Disposition

MAX_DAYS = 3660


class StreamSelection(Document):
    """Which readings become records: those of the sensors that match every list that is given."""

    resolution: Literal["raw", "1m", "1h", "1d"] = Field(
        "1h",
        description="`raw`: a record for each reading, with `value` and `quality`. `1m`, `1h`, `1d`: one for each "
        "minute, hour or day that has readings, with `avg`, `min`, `max`, `sum`, `count` and `last`.",
    )
    days: Annotated[int, Field(ge=1, le=MAX_DAYS)] = Field(
        7,
        description="A run reads the readings of so many whole days before today, and those of today. Earlier records "
        "stay in the dataset as they are.",
    )
    sites: list[Code] | None = Field(None, description="Only sensors at these sites. Null: at any.")
    equipment: list[Code] | None = Field(None, description="Only sensors of this equipment. Null: of any.")
    metrics: list[Label] | None = Field(None, description="Only sensors that measure one of these. Null: any metric.")
    sensors: list[SensorId] | None = Field(None, description="Only these sensors. Null: any.")


class StreamDatasource(Datasource):
    """A datasource whose records are readings of sensors, as they were sent or rolled up; `time` is a timestamp."""

    KIND: ClassVar[str] = "stream"
    NEEDS: ClassVar[str | None] = "reading.read"

    kind: Literal["stream"] = Field(description="`stream`: runs read the readings of sensors.")
    stream: StreamSelection = Field(default_factory=StreamSelection, description="Which readings.")
    primary_key: list[ColumnName] | None = Field(
        default_factory=lambda: ["sensor", "time"],
        description="The columns that identify a record. Null: records have no identity, and each run adds its own.",
    )

    @model_validator(mode="after")
    def _type_times(self) -> Self:
        if self.fields is None and self.declared_type("time") is None:
            self.types = {"time": "timestamp", **self.types}
        return self

    def default_disposition(self) -> Disposition:
        """Records replace those of the same sensor and time, so that late readings correct them."""
        return "upsert" if self.primary_key else "append"
