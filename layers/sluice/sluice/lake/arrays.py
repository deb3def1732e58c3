"""Columns of numbers between Python's arrays and DuckDB, by the Arrow C stream interface: no object for each value."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation


def column_stream(columns: Mapping[str, array[Any]]) -> Any:
    """Columns of the same length as a stream, which DuckDB reads once, as a table.

    Args:
        columns: the values by the column's name. The column's type is that of the array.
    """
    import nanoarrow

    children = {name: nanoarrow.c_array(values) for name, values in columns.items()}
    schema = nanoarrow.struct({name: child.schema for name, child in children.items()})
    length = len(next(iter(columns.values())))
    table = nanoarrow.c_array_from_buffers(schema, length, [None], children=list(children.values()))
    return nanoarrow.ArrayStream(nanoarrow.Array(table))


def relation_columns(relation: DuckDBPyRelation, types: str) -> list[array[Any]]:
    """The columns of a query's result.

    Args:
        relation: the query; none of its values is null.
        types: the type code of each column's array, which has the width of the column's type.
    """
    import nanoarrow

    columns: list[array[Any]] = [array(code) for code in types]
    for batch in nanoarrow.ArrayStream(relation):
        for column, values in zip(columns, batch.iter_children(), strict=True):
            begin, width = values.offset, column.itemsize
            content = memoryview(values.buffers[1]).cast("B")
            column.frombytes(content[begin * width : (begin + len(values)) * width])
    return columns
