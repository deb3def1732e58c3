"""Sensors of equipment, and the limits of their values."""

from __future__ import annotations

from itertools import combinations
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from sluice.domain.assets.codes import Code, Label, SensorId
from sluice.domain.base import Document, FieldError

Value = Annotated[float, Field(allow_inf_nan=False)]
# From the lowest to the highest.
LIMIT_NAMES = ("low_low", "low", "high", "high_high")
# A sensor that is silent for longer than a year is not watched for missing data.
MAX_MISSING_AFTER_SECONDS = 31_622_400


class Limits(Document):
    """When a sensor's values raise alarms. Null: never."""

    low_low: Value | None = Field(None, description="A value below it is critically low. In the sensor's unit.")
    low: Value | None = Field(None, description="A value below it is low. In the sensor's unit.")
    high: Value | None = Field(None, description="A value above it is high. In the sensor's unit.")
    high_high: Value | None = Field(None, description="A value above it is critically high. In the sensor's unit.")
    deadband: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = Field(
        None,
        description="How far a value must come back past a limit before its alarm ends, so that a value that moves "
        "about the limit raises one alarm. In the sensor's unit. Null: 0.",
    )
    missing_after_seconds: Annotated[int, Field(ge=1, le=MAX_MISSING_AFTER_SECONDS)] | None = Field(
        None, description="An alarm is raised if no reading arrives for so many seconds. Null: silence raises none."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = [(name, getattr(self, name)) for name in LIMIT_NAMES if getattr(self, name) is not None]
        for (lower, lower_value), (upper, upper_value) in combinations(given, 2):
            if lower_value > upper_value:
                message = f"{upper} ({upper_value:g}) is below {lower} ({lower_value:g}); limits go from low to high"
                raise FieldError(message, upper)
        return self


class Sensor(Document):
    """A sensor of a piece of equipment: what it measures, and the limits of its values."""

    id: SensorId = Field(description="The id in URLs and readings; it never changes.")
    equipment: Code = Field(description="The code of the equipment that it belongs to.")
    metric: Label = Field(description="What it measures, such as `temperature`.")
    unit: Annotated[str, StringConstraints(max_length=50)] | None = Field(
        None, description="The unit of its values, such as `°C`. Null: they have none."
    )
    limits: Limits = Field(default_factory=Limits, description="When its values raise alarms.")
