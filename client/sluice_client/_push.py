"""Records as batches of JSON Lines."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from sluice_client._runs import Run

# The API accepts 3,000,000 bytes; API Gateway's own limits count the headers, too.
BATCH_BYTES = 2_900_000
_CHUNK_ROWS = 10_000


@dataclass(frozen=True)
class PushResult:
    """What became of a push.

    Args:
        accepted: how many records are stored.
        runs: the runs that publish them, in the order of the records.
    """

    accepted: int
    runs: tuple[Run, ...]

    def wait(self, timeout: float | None = None) -> PushResult:
        """Wait until the records are published.

        Args:
            timeout: the most seconds to wait for each run; None: as long as it takes.

        Raises:
            RunFailed: a run failed or was cancelled.
            RunTimeout: a run has not ended within the timeout.
        """
        for run in self.runs:
            run.wait(timeout)
        return self


def batches(records: Any, most_bytes: int = BATCH_BYTES) -> Iterator[bytes]:
    """Records as JSON Lines, in pieces.

    Args:
        records: an iterable of records; one mapping, which is one record; a frame of pandas or Polars; or a table of
            pyarrow.
        most_bytes: the size of a piece. A single larger record is a piece of its own.

    Raises:
        TypeError: these are no records, or a value has no form in JSON.
    """
    lines: list[bytes] = []
    size = 0
    for record in _records(records):
        line = json.dumps(_plain(record), ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"
        if lines and size + len(line) > most_bytes:
            yield b"".join(lines)
            lines, size = [], 0
        lines.append(line)
        size += len(line)
    if lines:
        yield b"".join(lines)


def _records(records: Any) -> Iterable[Any]:
    if isinstance(records, Mapping):
        return [records]
    if isinstance(records, str | bytes):
        raise TypeError("Records are dictionaries, not text. For a file, use upload(path).")
    # A frame can be there only if its package has been imported.
    pandas, polars, pyarrow = (sys.modules.get(name) for name in ("pandas", "polars", "pyarrow"))
    if pandas is not None and isinstance(records, pandas.DataFrame):
        return _pandas_records(records)
    if polars is not None and isinstance(records, polars.LazyFrame):
        raise TypeError("Collect the LazyFrame first: push(frame.collect()).")
    if polars is not None and isinstance(records, polars.DataFrame):
        rows: Iterable[Any] = records.iter_rows(named=True)
        return rows
    if pyarrow is not None and isinstance(records, pyarrow.Table):
        return (record for batch in records.to_batches(_CHUNK_ROWS) for record in batch.to_pylist())
    if not isinstance(records, Iterable):
        raise TypeError(f"Records are an iterable of dictionaries or a data frame, not {type(records).__name__}.")
    return records


def _pandas_records(frame: Any) -> Iterator[dict[str, Any]]:
    """The rows of a frame, without its index.

    Raises:
        TypeError: two columns have the same name.
    """
    twice = [str(name) for name in frame.columns[frame.columns.duplicated()]]
    if twice:
        raise TypeError(f"Records are dictionaries, and the frame has several columns named {twice[0]!r}.")
    for start in range(0, len(frame), _CHUNK_ROWS):
        yield from frame.iloc[start : start + _CHUNK_ROWS].to_dict("records")


def _plain(value: Any) -> Any:
    """A value as JSON has it.

    Decimals become text, so that they keep their digits; NaN, infinities and the missing values of pandas become
    null, as in all data of Sluice.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else None
    if isinstance(value, datetime | date | time):
        # The missing time of pandas is a datetime, too, and unequal to itself.
        return value.isoformat() if value == value else None
    if isinstance(value, UUID):
        return str(value)
    if hasattr(value, "tolist"):  # numpy's scalars and arrays
        return _plain(value.tolist())
    if type(value).__name__ == "NAType":
        return None
    raise TypeError(f"A value of type {type(value).__name__} has no form in JSON: convert it to text first.")
