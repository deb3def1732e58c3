"""Rows that are held in memory, with the types of their columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

from sluice_client import _frames
from sluice_client._notebook import rows_table

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

    from sluice_client.types import QueryResult, ResultColumn


class Rows(Sequence[dict[str, Any]]):
    """Rows with typed columns; a sequence of dictionaries.

    Args:
        items: the rows.
        columns: the name and the type of each column.
        truncated: whether rows are missing, since an answer has a limit.
    """

    def __init__(self, items: list[dict[str, Any]], columns: list[ResultColumn], truncated: bool) -> None:
        self._items = items
        self.columns = columns
        self.truncated = truncated

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, index: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        return self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self._items)

    def __repr__(self) -> str:
        names = ", ".join(column["name"] for column in self.columns)
        return f"<{type(self).__name__}: {self._size()}; columns {names}>"

    def _repr_html_(self) -> str:
        return rows_table(self._size(), [column["name"] for column in self.columns], self)

    def _size(self) -> str:
        return f"{len(self)} row{'s' * (len(self) != 1)}{', truncated' if self.truncated else ''}"

    def to_arrow(self) -> pyarrow.Table:
        """The rows as a table of pyarrow.

        Raises:
            MissingDependency: pyarrow is not installed.
        """
        return _frames.arrow_of_rows(self.columns, self)

    def to_pandas(self) -> pandas.DataFrame:
        """The rows as a frame of pandas; decimals are `Decimal`, times are in UTC.

        Raises:
            MissingDependency: pandas or pyarrow is not installed.
        """
        return _frames.pandas_of_arrow(_frames.arrow_of_rows(self.columns, self, "pandas"))

    def to_polars(self) -> polars.DataFrame:
        """The rows as a frame of Polars; decimals are `Decimal`, times are in UTC.

        Raises:
            MissingDependency: Polars is not installed.
        """
        return _frames.polars_of_rows(self.columns, self)


class Result(Rows):
    """The rows of a query or of a published endpoint, at most `QUERY_ROWS`.

    Args:
        document: the answer of the API: `items`, `columns`, `truncated` and `versions`; of an endpoint also
            `version`, `completeness` and `data_as_of`.
    """

    def __init__(self, document: QueryResult) -> None:
        super().__init__(document["items"], document["columns"], document["truncated"])
        self.document = document
