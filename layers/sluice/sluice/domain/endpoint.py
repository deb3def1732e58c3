"""Published endpoints of a project: a query with typed parameters under a URL of its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from sluice.domain.base import Document
from sluice.domain.datasource import Description
from sluice.domain.names import SqlName, parse_time
from sluice.domain.schema import convert
from sluice.domain.sql_query import QueryText, parse_query
from sluice.domain.text_values import loses_digits
from sluice.patterns import Pattern

_TYPES = {
    "integer": "bigint",
    "number": "double",
    "boolean": "boolean",
    "string": "string",
    "date": "date",
    "datetime": "timestamp",
}
# Parameters that every endpoint has.
RESERVED_PARAMETERS = frozenset({"format", "bom"})

PARAMETER_PATTERN = Pattern(r"^\$[a-z_][a-z0-9_]{0,62}$", "give the name of a parameter after a $, such as $day")


class EndpointParameter(Document):
    """A query parameter of an endpoint."""

    type: Literal["integer", "number", "boolean", "string", "date", "datetime"] = Field(
        description="The type that the request's text is converted to: dates as 2026-01-31, datetimes as RFC 3339."
    )
    default: str | int | float | bool | None = Field(
        None, description="The value if the request does not send the parameter. Null: SQL NULL."
    )
    required: bool = Field(False, description="Whether a request without the parameter is refused (422).")
    min: int | float | str | None = Field(None, description="The lowest allowed value. Null: no lower bound.")
    max: int | float | str | None = Field(None, description="The highest allowed value. Null: no upper bound.")
    values: Annotated[list[str | int | float], Field(min_length=1, max_length=1000)] | None = Field(
        None, description="The allowed values; null: all."
    )
    description: Description | None = Field(None, description="What the parameter does, for callers of the endpoint.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        low, high = (self._converted(bound) if bound is not None else None for bound in (self.min, self.max))
        if self.type == "boolean" and not low is high is None:
            raise ValueError("a boolean has no min or max")
        if low is not None and high is not None and low > high:
            raise ValueError("min is greater than max")
        for value in self.values or []:
            self._converted(value)
        if self.required and self.default is not None:
            raise ValueError("a required parameter has no default")
        if self.default is not None:
            self.parse_value(_written(self.default))
        return self

    @property
    def column_type(self) -> str:
        """The type of a column with the parameter's values."""
        return _TYPES[self.type]

    def _converted(self, value: str | int | float | bool) -> Any:
        """Convert a value to the form in which values of the type are compared."""
        text = _written(value)
        if self.type == "string":
            return text
        # RFC 3339; other forms of times are parsed as values of a column are.
        if self.type == "datetime" and "T" in text:
            return parse_time(text).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
        converted = convert(text, _TYPES[self.type])
        if self.type == "datetime":
            return datetime.fromisoformat(converted).isoformat(sep=" ", timespec="microseconds")
        if self.type == "number" and not isinstance(converted, float):
            raise ValueError("not a finite number")
        if self.type == "number" and loses_digits(text):
            raise ValueError("it has more digits than a double; use an integer or a string parameter")
        return converted

    def parse_value(self, text: str) -> Any:
        """Parse a parameter's text.

        Args:
            text: the text from the query string.

        Returns:
            The value as the query binds it; dates and times as ISO 8601 text.

        Raises:
            ValueError: the text is not of the type, or the value is not allowed; the message completes
                "the parameter cannot be …:".
        """
        value = self._converted(text)
        if self.min is not None and value < self._converted(self.min):
            raise ValueError(f"it must be at least {self.min}")
        if self.max is not None and value > self._converted(self.max):
            raise ValueError(f"it must be at most {self.max}")
        if self.values is not None and value not in [self._converted(allowed) for allowed in self.values]:
            raise ValueError(f"it must be one of {', '.join(map(str, self.values))}")
        return value


def _written(value: str | int | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Endpoint(Document):
    """An endpoint as a user writes it."""

    sql: QueryText = Field(description="One SELECT over the project's tables; parameters are written `$name`.")
    description: Description | None = Field(None, description="What the endpoint returns, for its callers.")
    parameters: dict[SqlName, EndpointParameter] = Field(
        default_factory=dict, description="The query parameters, by name; the query must use each of them."
    )
    cache_seconds: Annotated[int, Field(ge=0, le=86_400)] = Field(
        60, description="For how many seconds an answer is reused while no new version is published. 0: never."
    )
    max_age_seconds: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="The promised freshness: a read of data that was refreshed longer ago refreshes the project first, "
        "except with `as_of`. Null: no promise.",
    )
    as_of: Annotated[str, PARAMETER_PATTERN] | None = Field(
        None,
        description="The datetime parameter (`$name`) that selects the versions published at that time.",
    )
    public: bool = Field(
        False,
        description="Whether it can be called without a key. False: callers need a key that may read the project.",
    )
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="The columns of CSV and XLSX with their headings; empty: all columns, by their names.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        used = set(parse_query(self.sql).parameters)
        declared = set(self.parameters)
        if undeclared := sorted(used - declared):
            raise ValueError(f"the query uses ${undeclared[0]}, which is not in parameters")
        as_of = self.as_of[1:] if self.as_of else None
        if as_of is not None and (as_of not in declared or self.parameters[as_of].type != "datetime"):
            raise ValueError(f"as_of must name a parameter of type datetime; {self.as_of} is none")
        if unused := sorted(declared - used - {as_of}):
            raise ValueError(f"the query does not use the parameter {unused[0]}")
        for name in declared:
            if name in RESERVED_PARAMETERS:
                raise ValueError(f"the parameter name {name!r} is reserved")
        return self

    def requested_time(self, values: Mapping[str, Any]) -> str | None:
        """The time of the versions that a call selects.

        Args:
            values: the values of the endpoint's parameters.

        Returns:
            The time as ISO 8601; None for the versions that are published now.
        """
        return values.get(self.as_of[1:]) if self.as_of else None
