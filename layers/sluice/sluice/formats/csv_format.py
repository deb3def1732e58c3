"""CSV pages: UTF-8, separated by commas, with a header line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import IO

from sluice.errors import EmptyData, UnreadableData

csv.field_size_limit(16_000_000)


def read_csv(content: IO[bytes]) -> Iterator[dict[str, str | None]]:
    """The rows of a CSV page; an empty field is null.

    Raises:
        EmptyData: there is not even a header.
        UnreadableData: a row has more or fewer fields than the header, a name stands in the
            header twice, a quote is never closed, or the text is not UTF-8.
    """
    text = io.TextIOWrapper(content, encoding="utf-8-sig", newline="")
    reader = csv.reader(text, strict=True)
    try:
        header = next(reader, None)
        while header is not None and not header:
            header = next(reader, None)
        if header is None:
            raise EmptyData("The file is empty; a CSV file begins with a line of column names.")
        names = _names(header)
        for row in reader:
            if not row:
                continue
            if len(row) != len(names):
                raise UnreadableData(
                    f"Line {reader.line_num} has {len(row)} fields, the header has {len(names)}; "
                    "quote fields that contain a comma or a line break."
                )
            yield {name: value if value != "" else None for name, value in zip(names, row, strict=True)}
    except UnicodeDecodeError as error:
        raise UnreadableData(f"The file is not UTF-8 text: {error.reason} at byte {error.start}.") from None
    except csv.Error as error:
        raise UnreadableData(f"Line {reader.line_num} is not CSV: {error}.") from None
    finally:
        text.detach()


def _names(header: list[str]) -> list[str]:
    names = [name.strip() for name in header]
    for position, name in enumerate(names, start=1):
        if not name:
            raise UnreadableData(f"Column {position} has no name in the header.")
        if names.index(name) != position - 1:
            raise UnreadableData(f"The header names the column {name!r} twice.")
    return names
