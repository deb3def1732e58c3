"""Published endpoints of a project: a query with typed parameters, at an address of its own."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from sluice.domain.base import Document
from sluice.domain.datasource import Description
from sluice.domain.names import SqlName, parse_time
from sluice.domain.schema import convert
from sluice.domain.sql_query import QueryText, parse_query
from sluice.domain.text_values import loses_digits

_TYPES = {
    "integer": "bigint",
    "number": "double",
    "boolean": "boolean",
    "string": "string",
    "date": "date",
    "datetime": "timestamp",
}
# What every endpoint understands by itself.
RESERVED_PARAMETERS = frozenset({"format", "bom"})


class EndpointParameter(Document):
    """A value that a caller gives."""

    type: Literal["integer", "number", "boolean", "string", "date", "datetime"]
    default: str | int | float | bool | None = Field(None, description="What stands for it if it is not given.")
    required: bool = Field(False, description="Whether a request without it is refused.")
    min: int | float | str | None = None
    max: int | float | str | None = None
    values: Annotated[list[str | int | float], Field(min_length=1, max_length=1000)] | None = Field(
        None, description="The values that are taken; null: all."
    )
    description: Description | None = None

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
            self.typed(_written(self.default))
        return self

    @property
    def column_type(self) -> str:
        """The type of a column that has the parameter's values."""
        return _TYPES[self.type]

    def _converted(self, value: str | int | float | bool) -> Any:
        """A value in the one form in which values of the type are compared."""
        text = _written(value)
        if self.type == "string":
            return text
        if self.type == "datetime" and "T" in text:
            return parse_time(text).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
        converted = convert(text, _TYPES[self.type])
        if self.type == "datetime":
            return datetime.fromisoformat(converted).isoformat(sep=" ", timespec="microseconds")
        if self.type == "number" and not isinstance(converted, float):
            raise ValueError("not a finite number")
        if self.type == "number" and loses_digits(text):
            raise ValueError("more digits than a double has; an integer or a string parameter keeps all of them")
        return converted

    def typed(self, text: str) -> Any:
        """A value as the query is given it.

        Raises:
            ValueError: it is not of the type, or not one that is taken.
        """
        value = self._converted(text)
        if self.min is not None and value < self._converted(self.min):
            raise ValueError(f"at least {self.min}")
        if self.max is not None and value > self._converted(self.max):
            raise ValueError(f"at most {self.max}")
        if self.values is not None and value not in [self._converted(one) for one in self.values]:
            raise ValueError(f"one of {', '.join(map(str, self.values))}")
        return value


def _written(value: str | int | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Endpoint(Document):
    """An endpoint as a user writes it."""

    sql: QueryText
    description: Description | None = None
    parameters: dict[SqlName, EndpointParameter] = Field(default_factory=dict)
    cache_seconds: Annotated[int, Field(ge=0, le=86_400)] = 60
    as_of: Annotated[str, Field(pattern=r"^\$[a-z_][a-z0-9_]{0,62}$")] | None = Field(
        None, description="The parameter, of type datetime, whose value says what was published then is read."
    )
    public: bool = Field(False, description="Whether everybody may call it, without a key.")
    columns: dict[str, str] = Field(
        default_factory=dict, description="The columns of CSV and XLSX, with their headings; empty: all, as they are."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        wanted = set(parse_query(self.sql).parameters)
        declared = set(self.parameters)
        if undeclared := sorted(wanted - declared):
            raise ValueError(f"the query reads ${undeclared[0]}, which is no parameter")
        as_of = self.as_of[1:] if self.as_of else None
        if as_of is not None and (as_of not in declared or self.parameters[as_of].type != "datetime"):
            raise ValueError(f"as_of names {self.as_of}, which is no parameter of type datetime")
        if unused := sorted(declared - wanted - {as_of}):
            raise ValueError(f"the parameter {unused[0]} is read by nothing")
        for name in declared:
            if name in RESERVED_PARAMETERS:
                raise ValueError(f"the parameter name {name!r} is taken")
        return self
