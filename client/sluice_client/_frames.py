"""Tables of pyarrow, pandas and Polars. Each package is imported when it is needed."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING, Any

from sluice_client._errors import MissingDependency

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

    from sluice_client.types import ResultColumn

_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")


def load_package(name: str, extra: str) -> Any:
    """Import a package that the client does not depend on.

    Args:
        name: the package or one of its modules.
        extra: the extra of sluice-client that installs it.

    Raises:
        MissingDependency: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        package = name.partition(".")[0]
        raise MissingDependency(
            f"{package} is not installed. Install it: pip install {package}, or the client with it: "
            f"pip install './client[{extra}]'"
        ) from None


def arrow_of_stream(content: bytes, extra: str = "arrow") -> pyarrow.Table:
    """The table in an Arrow IPC stream of the API, whose times are in UTC and do not say so."""
    pa = load_package("pyarrow", extra)
    table = load_package("pyarrow.ipc", extra).open_stream(content).read_all()
    utc = [
        field.with_type(pa.timestamp(field.type.unit, "UTC"))
        if pa.types.is_timestamp(field.type) and field.type.tz is None
        else field
        for field in table.schema
    ]
    return table.cast(pa.schema(utc))


def polars_of_parquet(content: bytes) -> polars.DataFrame:
    """The frame in a Parquet file of the API, whose times are in UTC and do not say so."""
    frame: polars.DataFrame = load_package("polars", "polars").read_parquet(BytesIO(content))
    naive = load_package("polars.selectors", "polars").datetime(time_zone=None)
    return frame.with_columns(naive.dt.replace_time_zone("UTC"))


def pandas_of_arrow(table: pyarrow.Table) -> pandas.DataFrame:
    """A frame in which integers keep their digits: a column with nulls becomes `Int64`, not `float64`."""
    pd, pa = load_package("pandas", "pandas"), load_package("pyarrow", "pandas")
    nullable = {pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int32Dtype(), pa.bool_(): pd.BooleanDtype()}
    columns = {
        # Only where needed: with a mapper, text has another type.
        name: column.to_pandas(types_mapper=nullable.get if column.null_count and column.type in nullable else None)
        for name, column in zip(table.column_names, table.columns, strict=True)
    }
    frame: pandas.DataFrame = pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows))
    return frame


def arrow_of_rows(
    columns: Sequence[ResultColumn], rows: Sequence[Mapping[str, Any]], extra: str = "arrow"
) -> pyarrow.Table:
    """The rows of a result as a table with the types of its columns.

    Args:
        columns: names and types, as the API answers them.
        rows: JSON values by column.
        extra: the extra of sluice-client that installs pyarrow for this purpose.
    """
    pa = load_package("pyarrow", extra)
    types = {
        "bigint": pa.int64(),
        "double": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us", "UTC"),
    }
    arrays = {}
    for column in columns:
        kind, values = _typed_values(column, rows)
        size = _decimal_size(kind)
        arrays[column["name"]] = pa.array(values, pa.decimal128(*size) if size else types.get(kind, pa.string()))
    return pa.table(arrays)


def polars_of_rows(columns: Sequence[ResultColumn], rows: Sequence[Mapping[str, Any]]) -> polars.DataFrame:
    """The rows of a result as a frame with the types of its columns.

    Args:
        columns: names and types, as the API answers them.
        rows: JSON values by column.
    """
    pl = load_package("polars", "polars")
    types = {
        "bigint": pl.Int64(),
        "double": pl.Float64(),
        "boolean": pl.Boolean(),
        "date": pl.Date(),
        "timestamp": pl.Datetime("us", "UTC"),
    }
    series = []
    for column in columns:
        kind, values = _typed_values(column, rows)
        size = _decimal_size(kind)
        series.append(pl.Series(column["name"], values, pl.Decimal(*size) if size else types.get(kind, pl.String())))
    frame: polars.DataFrame = pl.DataFrame(series)
    return frame


def _decimal_size(kind: str) -> tuple[int, int] | None:
    match = _DECIMAL.fullmatch(kind)
    return (int(match[1]), int(match[2])) if match else None


def _typed_values(column: ResultColumn, rows: Sequence[Mapping[str, Any]]) -> tuple[str, list[Any]]:
    """The type of a column, and its values as Python has them.

    A column with a value that Python's type cannot hold, such as the year 10000, stays text.
    """
    kind = column["type"]
    values = [row[column["name"]] for row in rows]
    parsers: dict[str, Callable[[Any], Any]] = {
        "date": date.fromisoformat,
        "timestamp": datetime.fromisoformat,
        "double": float,
    }
    parse = Decimal if _decimal_size(kind) else parsers.get(kind)
    if parse is None:
        if kind in ("bigint", "boolean"):
            return kind, values
        return "string", [value if value is None or isinstance(value, str) else _text(value) for value in values]
    with suppress(ValueError):
        return kind, [None if value is None else parse(value) for value in values]
    return "string", values


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
