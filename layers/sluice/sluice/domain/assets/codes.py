"""Codes of sites and equipment, and ids of sensors."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from sluice.patterns import Pattern

CODE_PATTERN = Pattern(r"^[A-Za-z0-9-]{1,32}$", "use up to 32 letters, digits and hyphens, such as PUMP-1")
SENSOR_ID_PATTERN = Pattern(
    r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$",
    "use up to 64 letters, digits, -, _, . and :, and a letter or digit at the beginning, such as pump-1.temperature",
)
# The most characters of a code or id.
MAX_NAME = 64
# Paths such as `/sites/operations/cost` and `/equipment/import` would hide an asset with this name.
RESERVED_NAMES = frozenset({"activate", "deactivate", "import", "operations"})


def _check_name(name: str) -> str:
    if name in RESERVED_NAMES:
        raise ValueError(f"{name!r} is reserved, since the API has a path of this name; choose another one")
    return name


Code = Annotated[str, CODE_PATTERN, AfterValidator(_check_name)]
SensorId = Annotated[str, SENSOR_ID_PATTERN, AfterValidator(_check_name)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=200)]


def is_code(text: str) -> bool:
    """Whether the text is a valid code of a site or of equipment."""
    return CODE_PATTERN.matches(text) and text not in RESERVED_NAMES


def is_sensor_id(text: str) -> bool:
    """Whether the text is a valid id of a sensor."""
    return SENSOR_ID_PATTERN.matches(text) and text not in RESERVED_NAMES
