"""CSV whose fields are separated by any number of spaces and tabs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_BLANKS = re.compile(r"[ \t]+")


def collapse_blanks(lines: Iterable[str], quote: str) -> Iterator[str]:
    """Reduce blanks between fields to one space and remove those around the line; quoted text is unchanged.

    Args:
        lines: the lines with their line breaks.
        quote: the quotation mark; empty if fields are never quoted.

    Yields:
        The lines for `csv.reader` with a space as delimiter.
    """
    inside = False
    for line in lines:
        body = line.rstrip("\r\n")
        end = line[len(body) :]
        if quote not in body or not quote:
            yield (body if inside else " ".join(_fields(body))) + end
            continue
        # Splitting at the quotation mark gives parts that are outside and inside quotes by turns.
        parts = body.split(quote)
        for index, part in enumerate(parts):
            if inside == bool(index % 2):
                parts[index] = _BLANKS.sub(" ", part)
        starts_outside, inside = not inside, inside != (len(parts) % 2 == 0)
        text = quote.join(parts)
        text = text.lstrip(" ") if starts_outside else text
        yield (text if inside else text.rstrip(" ")) + end


def _fields(body: str) -> list[str]:
    return [field for field in _BLANKS.split(body) if field]
