"""The values of a column in a table whose rows have no order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sluice.algorithms.algorithm import TableInput
from sluice.domain.names import quoted
from sluice.tables.columns import LARGEST, refusal, stored, too_large


@dataclass(frozen=True)
class ValueRows:
    """The values of a column.

    Args:
        rows: the values of groups and keys and the value, ordered by all of them.
        warnings: what was left out, as sentences.
    """

    rows: list[list[Any]]
    warnings: list[str]


def read_values(table: TableInput, name: str, groups: Sequence[str], keys: Sequence[str], most_rows: int) -> ValueRows:
    """Read the values of a column; rows without one are left out.

    Args:
        table: the table.
        name: the column, which is numeric.
        groups: columns that tell groups apart.
        keys: columns that tell rows apart.
        most_rows: most rows with a value.

    Raises:
        Invalid: no row has a value, a value is infinite, or there are more rows.
    """
    value = f"{quoted(name)}::DOUBLE"
    [counts] = table.query(
        f"SELECT count(*) AS rows, count({value}) FILTER (NOT isnan({value})) AS usable, "
        f"count(*) FILTER (abs({value}) > {LARGEST!r} AND NOT isnan({value})) AS infinite FROM data"
    )
    if counts["infinite"]:
        raise too_large(name, counts["infinite"], "values")
    if not counts["usable"]:
        raise refusal("values", f"No row has a value in {name}.")
    if counts["usable"] > most_rows:
        raise refusal("values", f"The column {name} has more than {most_rows} values: select fewer rows in a model.")
    names = [f"p{index}" for index in range(len(groups) + len(keys))]
    cells = [f"{quoted(column)} AS {place}" for column, place in zip([*groups, *keys], names, strict=True)]
    order = ", ".join([*(f"{place} NULLS LAST" for place in names), "v"])
    rows = table.query(
        f"SELECT {', '.join([*cells, f'{value} AS v'])} FROM data WHERE NOT isnan({value}) ORDER BY {order}"
    )
    missing = counts["rows"] - counts["usable"]
    warnings = [f"Rows without a value in {name} are left out: {missing} of {counts['rows']}."] if missing else []
    return ValueRows([[*(stored(row[place]) for place in names), row["v"]] for row in rows], warnings)
