"""The rows of a query or of a published endpoint."""

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


class Result(Sequence[dict[str, Any]]):
    """Rows with typed columns; a sequence of dictionaries.

    Args:
        document: the answer of the API: `items`, `columns`, `truncated` and `versions`; of an endpoint also
            `version`, `completeness` and `data_as_of`.
    """

    def __init__(self, document: QueryResult) -> None:
        self.document = document

    @property
    def columns(self) -> list[ResultColumn]:
        """The name and the type of each column."""
        return self.document["columns"]

    @property
    def truncated(self) -> bool:
        """Whether rows are missing, since an answer has at most `QUERY_ROWS` rows."""
        return self.document["truncated"]

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, index: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        return self.document["items"][index]

    def __len__(self) -> int:
        return len(self.document["items"])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.document["items"])

    def __repr__(self) -> str:
        names = ", ".join(column["name"] for column in self.columns)
        return f"<Result: {self._size()}; columns {names}>"

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
