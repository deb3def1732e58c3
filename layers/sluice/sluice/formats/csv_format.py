"""CSV pages: UTF-8, separated by commas, with a header line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Generator, Iterator
from typing import IO

from sluice.errors import EmptyData, UnreadableData
from sluice.formats.limits import Limits

csv.field_size_limit(16_000_000)


def column_names(content: IO[bytes], limits: Limits) -> list[str]:
    """The names in the header of a CSV page; the content is left at its beginning.

    Raises:
        EmptyData, UnreadableData: as `read_csv`.
    """
    rows = _rows(content, limits)
    names = [name or "" for name in next(rows)]
    rows.close()
    content.seek(0)
    return names


def read_csv(content: IO[bytes], limits: Limits) -> Iterator[dict[str, str | None]]:
    """The rows of a CSV page; an empty field is null.

    Raises:
        EmptyData: there is not even a header.
        UnreadableData: a row has more or fewer fields than the header, a name stands in the
            header twice, a quote is never closed, or the text is not UTF-8.
    """
    rows = _rows(content, limits)
    names = [name or "" for name in next(rows)]
    for row in rows:
        yield dict(zip(names, row, strict=True))


def _rows(content: IO[bytes], limits: Limits) -> Generator[list[str | None], None, None]:
    """The header, then the rows."""
    text = io.TextIOWrapper(content, encoding="utf-8-sig", newline="")
    reader = csv.reader(text, strict=True)
    try:
        header = next(reader, None)
        while header is not None and not header:
            header = next(reader, None)
        if header and re.match(r"\s*<(!doctype|html|\?xml)", header[0], re.IGNORECASE):
            raise UnreadableData("The page is HTML or XML, not CSV: perhaps a login or error page; check the address.")
        if header is None:
            raise EmptyData("The file is empty; a CSV file begins with a line of column names.")
        names = _names(header, limits)
        yield list(names)
        for row in reader:
            if not row:
                continue
            if len(row) != len(names):
                raise UnreadableData(
                    f"Line {reader.line_num} has {len(row)} fields, the header has {len(names)}; "
                    "quote fields that contain a comma or a line break."
                )
            yield [value if value != "" else None for value in row]
    except UnicodeDecodeError as error:
        raise UnreadableData(f"The file is not UTF-8 text: {error.reason} at byte {error.start}.") from None
    except csv.Error as error:
        raise UnreadableData(f"Line {reader.line_num} is not CSV: {error}.") from None
    finally:
        text.detach()


def _names(header: list[str], limits: Limits) -> list[str]:
    if len(header) > limits.columns:
        raise UnreadableData(f"The header has {len(header)} columns; at most {limits.columns} are read.")
    names = [name.strip() for name in header]
    seen: set[str] = set()
    for position, name in enumerate(names, start=1):
        if not name:
            raise UnreadableData(f"Column {position} has no name in the header.")
        if name in seen:
            raise UnreadableData(f"The header names the column {name!r} twice.")
        seen.add(name)
    return names
