"""Records that are alike, as a regular expression: one look at their texts shows that all of them are.

To ask each record for its keys and kinds takes longer, the more so the more keys there are. The pattern
decides about keys and kinds only; whether a text is JSON, the engine says when it reads the values.
"""

from __future__ import annotations

import re

from sluice.extract.columnar.structure import Node

_STRING = r'"(?:[^"\\]|\\.)*"'
_SPACE = r"[ \t\r\n]*"
# Keys that may be written in one way only, but for escapes that nobody writes.
_PLAIN_KEY = re.compile(r"[ !#-\[\]-~]*")
# So deep may lists and objects be within values that stay JSON, and around the records.
_DEPTH = 6
# A longer pattern, of records with more than about 80 values, takes longer than asking the records.
_LONGEST = 5_000


class RecordPattern:
    """Patterns of texts that have such records, and nothing else.

    Args:
        record: all records have its keys, in its order. A value may be null, or of any of the kinds that
            the node has; an object may not.
        short: whether they must have no numbers but whole ones and those that a double holds for sure,
            with at most 14 digits.
    """

    def __init__(self, record: Node, *, short: bool) -> None:
        digits = "-?[0-9.]{1,15}" if short else "-?[0-9][0-9.eE+-]*"
        # Numbers of at most 18 digits are of 64 bits. A column with doubles may have whole numbers besides.
        self._kinds = {"boolean": "true|false", "bigint": "-?[0-9]{1,18}", "double": digits, "string": _STRING}
        self._inner = _balanced(_DEPTH, short=short)
        self.record = self._object(record)
        self._keys = [path[-1] for path, _ in record.nodes()]

    def document(self, way: list[str], *, single: bool) -> str | None:
        """The pattern of documents; none where there is none, or none that is short enough.

        Args:
            way: the keys, one within the other, that lead to the records.
            single: whether they lead to one record, and not to a list.
        """
        if not all(map(_PLAIN_KEY.fullmatch, [*self._keys, *way])):
            return None
        # The engine says whether there are commas between the records.
        found = self.record if single else rf"\[(?:{self.record}|[ \t\r\n,])*\]"
        for key in reversed(way):
            found = rf'\{{{self._inner}"{re.escape(key)}"{_SPACE}:{_SPACE}{found}{self._inner}\}}'
        pattern = f"{_SPACE}{found}{_SPACE}"
        return pattern if len(pattern) <= _LONGEST else None

    def _object(self, node: Node) -> str:
        members = [
            f'"{re.escape(key)}"{_SPACE}:{_SPACE}{self._object(one) if one.members else self._value(one)}{_SPACE}'
            for key, one in node.members.items()
        ]
        return rf"\{{{_SPACE}{f',{_SPACE}'.join(members)}\}}"

    def _value(self, node: Node) -> str:
        lists = [rf"\[{self._inner}\]"] if "json" in node.kinds else []
        return f"(?:{'|'.join(['null', *(self._kinds[kind] for kind in sorted(node.kinds - {'json'})), *lists])})"


def _balanced(depth: int, *, short: bool) -> str:
    """What may stand within brackets, with brackets within it down to some depth."""
    parts = [r"[ \t\r\n,:-]|true|false|null" if short else r'[^"\[\]{}]', _STRING]
    if depth:
        # The engine says whether a list ends as one.
        parts.append(rf"[\[{{]{_balanced(depth - 1, short=short)}[\]}}]")
    either = f"(?:{'|'.join(parts)})"
    return f"(?:[0-9.]{{0,15}}{either})*[0-9.]{{0,15}}" if short else f"{either}*"
