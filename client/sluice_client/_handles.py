"""Handles of resources. Creating one sends no request."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypedDict, TypeVar, Unpack, cast

from sluice_client import _frames
from sluice_client._connection import segment
from sluice_client._notebook import facts_table

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

    from sluice_client._client import Sluice
    from sluice_client.types import VersionDetail, VersionView

View = TypeVar("View")
Texts = str | Iterable[str]
# The most rows of a page: the API's limit.
PAGE_ROWS = 200


class Handle(Generic[View]):
    """A resource of the API, which may or may not exist; `View` is its document.

    Args:
        sluice: the client.
        path: of the resource, below `/v1`.
        label: what names it, as in `Project('top-coins')`.
    """

    def __init__(self, sluice: Sluice, path: str, label: str) -> None:
        self._sluice = sluice
        self._path = path
        self._label = label
        self._document: Mapping[str, Any] = {}

    def get(self) -> View:
        """The resource's document.

        Raises:
            NotFound: it does not exist.
        """
        document: View = self._sluice.get(self._path)
        self._document = cast("Mapping[str, Any]", document)
        return document

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._label!r})"

    def _repr_html_(self) -> str:
        # Without a request: showing a value in a notebook must not fail or wait.
        return facts_table(
            f"{type(self).__name__} {self._label}", {"address": self._sluice.url + self._path, **self._document}
        )


class Rows(TypedDict, total=False):
    """Which rows are meant, and in which order.

    Args:
        where: conditions such as `price_usd.gt:100`, all of which must hold.
        order: columns; a leading `-` sorts descending.
        version: the version's number; default: the published one.
        as_of: the version that was published at this time: a datetime, or RFC 3339 text.
    """

    where: Texts | None
    order: Texts | None
    version: int | None
    as_of: datetime | str | None


class Selection(Rows, total=False):
    """Which rows and columns to read.

    Args:
        select: the columns; default: all of them.
    """

    select: Texts | None


class Dataset(Handle[View]):
    """A resource with published rows."""

    @property
    def _rows_path(self) -> str:
        return f"{self._path}/data"

    def rows(self, *, limit: int | None = None, **selection: Unpack[Selection]) -> Iterator[dict[str, Any]]:
        """The rows of one version, as JSON has them: decimals and times are text.

        They come in pages, all of the same version. `to_polars` and the like get many rows faster, in one file.
        A project that merges whole documents has a single row, the document.

        Args:
            limit: the most rows; default: all of them.
            selection: `select`, `where`, `order`, `version` and `as_of`, see `Selection` and `Rows`.

        Raises:
            NotFound: nothing has been published, or there is no such version.
            ValidationError: an argument does not fit the columns.
        """
        return self._sluice.items(self._rows_path, limit=limit, **query_of(selection))

    def to_arrow(self, *, limit: int | None = None, **selection: Unpack[Selection]) -> pyarrow.Table:
        """The rows as a table of pyarrow.

        Args:
            limit, selection: those of `rows`.

        Raises:
            MissingDependency: pyarrow is not installed.
            ApiError: as for `rows`.
        """
        return self._arrow("arrow", limit, selection)

    def to_pandas(self, *, limit: int | None = None, **selection: Unpack[Selection]) -> pandas.DataFrame:
        """The rows as a frame of pandas.

        Args:
            limit, selection: those of `rows`.

        Raises:
            MissingDependency: pandas or pyarrow is not installed.
            ApiError: as for `rows`.
        """
        _frames.load_package("pandas", "pandas")
        return _frames.pandas_of_arrow(self._arrow("pandas", limit, selection))

    def to_polars(self, *, limit: int | None = None, **selection: Unpack[Selection]) -> polars.DataFrame:
        """The rows as a frame of Polars.

        Args:
            limit, selection: those of `rows`.

        Raises:
            MissingDependency: Polars is not installed.
            ApiError: as for `rows`.
        """
        _frames.load_package("polars", "polars")
        frame = _frames.polars_of_parquet(self._content("parquet", limit, selection))
        return frame if limit is None else frame.head(limit)

    def to_csv(self, path: str | os.PathLike[str], **selection: Unpack[Selection]) -> Path:
        """Write the rows to a CSV file.

        Args:
            path: of the file; one that exists is replaced when all rows have arrived.
            selection: that of `rows`.

        Returns:
            The path.

        Raises:
            ApiError: as for `rows`; the file is unchanged.
        """
        return self.download(path, "csv", **selection)

    def download(self, path: str | os.PathLike[str], format: str | None = None, **selection: Unpack[Selection]) -> Path:
        """Write the rows to a file of any format that the API has.

        Args:
            path: of the file; one that exists is replaced when all rows have arrived.
            format: `csv`, `jsonl`, `parquet`, `arrow` or `xlsx`; default: the ending of the path.
            selection: that of `rows`.

        Returns:
            The path.

        Raises:
            ApiError: as for `rows`; the file is unchanged.
        """
        file = Path(path)
        ending = format or file.suffix.removeprefix(".").lower() or "csv"
        return save(self._sluice, self._rows_path, {**query_of(selection), "format": ending}, file)

    def _arrow(self, extra: str, limit: int | None, selection: Selection) -> pyarrow.Table:
        _frames.load_package("pyarrow", extra)
        table = _frames.arrow_of_stream(self._content("arrow", limit, selection))
        return table if limit is None else table.slice(0, limit)

    def _content(self, format: str, limit: int | None, selection: Selection) -> bytes:
        """The rows as a file; all of them if the limit is larger than the API's."""
        params = {**query_of(selection), "format": format}
        if limit is not None and limit <= PAGE_ROWS:
            params["limit"] = limit
        return self._sluice.request("GET", self._rows_path, params=params).content


class Versioned(Dataset[View]):
    """A resource whose versions are kept."""

    def versions(self, limit: int | None = None) -> Iterator[VersionView]:
        """The versions, newest first; at most `limit`."""
        return self._sluice.items(f"{self._path}/versions", limit=limit)

    def version(self, number: int) -> VersionDetail:
        """One version, with what it was made from.

        Raises:
            NotFound: it does not exist.
        """
        detail: VersionDetail = self._sluice.get(f"{self._path}/versions/{segment(number)}")
        return detail


def save(sluice: Sluice, path: str, params: Mapping[str, Any], file: Path) -> Path:
    """Write the answer of a GET to a file, which changes only when all of it has arrived.

    Args:
        sluice: the client.
        path: below `/v1`.
        params: query parameters.
        file: the file.

    Returns:
        The file's path.
    """
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as target:

            def restart() -> Callable[[bytes], Any]:
                target.seek(0)
                target.truncate()
                return target.write

            sluice._connection.request("GET", path, params=params, write=restart)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return file


def query_of(rows: Rows) -> dict[str, Any]:
    """The query parameters of a selection of rows, and perhaps of columns."""
    query: dict[str, Any] = {**rows}
    where = query.get("where")
    return {
        **query,
        "select": _list(query.get("select")),
        "where": [where] if isinstance(where, str) else list(where or []),
        "order": _list(query.get("order")),
    }


def _list(names: Texts | None) -> str | None:
    """Names separated by commas; a name with a comma is quoted as in CSV."""
    if names is None or isinstance(names, str):
        return names
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(names)
    return text.getvalue() or None
