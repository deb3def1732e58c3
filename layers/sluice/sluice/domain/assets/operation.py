"""Operations on equipment, and aggregates of their costs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Context, Decimal, Inexact
from fractions import Fraction
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field

from sluice.domain.assets.codes import Label
from sluice.domain.base import Document, Record
from sluice.domain.names import Moment

Aggregate = Literal["avg", "sum", "min", "max", "count"]
AGGREGATES: tuple[Aggregate, ...] = get_args(Aggregate)
MAX_COST_DIGITS = 38
COST_PATTERN = r"^-?[0-9]{1,38}(\.[0-9]{1,38})?$"
# An average has at least the decimal places of a currency's minor unit.
_MIN_AVERAGE_PLACES = 2


def _parse_cost(value: Any) -> str:
    """A cost in its one form, without leading zeros and without a negative zero."""
    if not isinstance(value, str):
        raise ValueError('write the cost as a string, such as "12.50": a JSON number can lose digits')
    digits = sum(character.isdigit() for character in value)
    if not re.fullmatch(COST_PATTERN, value) or digits > MAX_COST_DIGITS:
        raise ValueError(
            f'the cost must be a decimal number in a string, such as "12.50", with at most {MAX_COST_DIGITS} digits'
        )
    number = Decimal(value)
    return format(number if number else abs(number), "f")


Cost = Annotated[str, BeforeValidator(_parse_cost, json_schema_input_type=str)]


class OperationRequest(Document):
    """An operation on a piece of equipment as a user records it."""

    type: Label = Field(description="What was done, such as `repair`.")
    cost: Cost = Field(
        description="The exact cost as a decimal string, such as `12.50`, of at most 38 digits; negative for a credit."
    )
    time: Moment | None = Field(
        None, description="When it was done, RFC 3339 with an offset, from 1970 on. Omitted: now."
    )


class Operation(Record):
    """A recorded operation, which never changes."""

    id: str = Field(description="The id of the operation, a ULID. Ids are in the order of the operations' times.")
    equipment: str = Field(description="The code of the equipment.")
    site: str = Field(description="The code of the site where the equipment was when the operation was recorded.")
    type: str = Field(description="What was done.")
    cost: str = Field(description="The exact cost as a decimal string.")
    time: str = Field(description="When it was done, RFC 3339 in UTC, to the millisecond.")
    created_at: str = Field(description="When it was recorded, RFC 3339 in UTC.")
    created_by: str = Field(description="The principal that recorded it.")


class CostSummary(Record):
    """An aggregate of costs.

    Args:
        value: a decimal string; None if there are no operations.
    """

    agg: Aggregate = Field(description="The aggregate function.")
    value: str | None = Field(
        description="The exact result as a decimal string; an average is rounded half to even, to the most decimal "
        "places of the costs, but at least two. Null: there are no operations."
    )
    count: int = Field(description="The number of operations.")


def summarize_costs(costs: Iterable[str], agg: Aggregate) -> CostSummary:
    """Aggregate costs exactly, whatever their order.

    Args:
        costs: decimal strings.
        agg: the aggregate function.
    """
    texts = list(costs)
    if not texts:
        return CostSummary(agg=agg, value=None, count=0)
    places = max(len(text.partition(".")[2]) for text in texts)
    # As integers of the smallest unit: sums are exact however many digits they have.
    units = [int(Decimal(text).scaleb(places, _EXACT)) for text in texts]
    return CostSummary(agg=agg, value=_FUNCTIONS[agg](units, places), count=len(texts))


def _average(units: list[int], places: int) -> str:
    shown = max(places, _MIN_AVERAGE_PLACES)
    # `round` of a fraction is exact and rounds half to even.
    return _decimal_text(round(Fraction(sum(units), len(units)) * 10 ** (shown - places)), shown)


def _decimal_text(units: int, places: int) -> str:
    digits = str(abs(units)).zfill(places + 1)
    whole, fraction = digits[: len(digits) - places], digits[len(digits) - places :]
    return ("-" if units < 0 else "") + whole + ("." + fraction if fraction else "")


_EXACT = Context(prec=2 * MAX_COST_DIGITS, traps=[Inexact])
_FUNCTIONS: dict[Aggregate, Callable[[list[int], int], str]] = {
    "avg": _average,
    "sum": lambda units, places: _decimal_text(sum(units), places),
    "min": lambda units, places: _decimal_text(min(units), places),
    "max": lambda units, places: _decimal_text(max(units), places),
    "count": lambda units, _: str(len(units)),
}
