"""Lines whose fields are separated by any number of blanks and tabs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_BLANKS = re.compile(r"[ \t]+")


def collapsed(lines: Iterable[str], quote: str) -> Iterator[str]:
    """The lines with one blank between fields, and none around them; what is quoted stays as it is.

    Args:
        quote: the quotation mark; empty where there is none.
    """
    inside = False
    for line in lines:
        body = line.rstrip("\r\n")
        end = line[len(body) :]
        if quote not in body or not quote:
            yield (body if inside else " ".join(_fields(body))) + end
            continue
        parts = body.split(quote)
        for index, part in enumerate(parts):
            if inside == bool(index % 2):
                parts[index] = _BLANKS.sub(" ", part)
        begun_outside, inside = not inside, inside != (len(parts) % 2 == 0)
        text = quote.join(parts)
        text = text.lstrip(" ") if begun_outside else text
        yield (text if inside else text.rstrip(" ")) + end


def _fields(body: str) -> list[str]:
    return [field for field in _BLANKS.split(body) if field]
