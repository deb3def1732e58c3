"""A regular expression for uniform records: one scan of their texts shows that all of them are.

Asking each record for its keys and kinds takes longer, the more so the more keys there are. The pattern checks keys
and kinds only; whether a text is JSON, the engine checks when it reads the values.
"""

from __future__ import annotations

import re

from sluice.extract.columnar.structure import Node

_STRING = r'"(?:[^"\\]|\\.)*"'
_SPACE = r"[ \t\r\n]*"
# Keys that have one spelling in JSON, apart from \u escapes that no serializer writes.
_PLAIN_KEY = re.compile(r"[ !#-\[\]-~]*")
# The deepest nesting of values that stay JSON, and of what surrounds the records.
_DEPTH = 6
# With a longer pattern, of records with more than about 80 values, asking each record is faster.
_LONGEST = 5_000


class RecordPattern:
    """Patterns that match texts with such records only.

    Args:
        record: the structure of the records. All must have its keys in its order. A value may be null or of any kind of
            its node; an object may not be null.
        short: whether to allow only integers and numbers of at most 14 digits, which a double always represents.
    """

    def __init__(self, record: Node, *, short: bool) -> None:
        digits = "-?[0-9.]{1,15}" if short else "-?[0-9][0-9.eE+-]*"
        # Integers of at most 18 digits fit 64 bits. A column of doubles may have integers, too.
        self._kinds = {"boolean": "true|false", "bigint": "-?[0-9]{1,18}", "double": digits, "string": _STRING}
        self._inner = _balanced(_DEPTH, short=short)
        self.record = self._object(record)
        self._keys = [path[-1] for path, _ in record.nodes()]

    def document(self, path: list[str], *, single: bool) -> str | None:
        """The pattern of documents.

        Args:
            path: the keys, one within the other, that lead to the records.
            single: whether they lead to one record, not a list.

        Returns:
            The pattern; None if a key needs escapes or the pattern would be too long.
        """
        if not all(map(_PLAIN_KEY.fullmatch, [*self._keys, *path])):
            return None
        # The pattern need not check the commas between records: the engine does.
        text = self.record if single else rf"\[(?:{self.record}|[ \t\r\n,])*\]"
        for key in reversed(path):
            text = rf'\{{{self._inner}"{re.escape(key)}"{_SPACE}:{_SPACE}{text}{self._inner}\}}'
        pattern = f"{_SPACE}{text}{_SPACE}"
        return pattern if len(pattern) <= _LONGEST else None

    def _object(self, node: Node) -> str:
        members = [
            f'"{re.escape(key)}"{_SPACE}:{_SPACE}{self._object(child) if child.members else self._value(child)}{_SPACE}'
            for key, child in node.members.items()
        ]
        return rf"\{{{_SPACE}{f',{_SPACE}'.join(members)}\}}"

    def _value(self, node: Node) -> str:
        # The pattern need not check that brackets are of the same kind: the engine does.
        first, last = (r"[\[{]", r"[\]}]") if node.keeps_objects else (r"\[", r"\]")
        lists = [first + self._inner + last] if "json" in node.kinds else []
        return f"(?:{'|'.join(['null', *(self._kinds[kind] for kind in sorted(node.kinds - {'json'})), *lists])})"


def _balanced(depth: int, *, short: bool) -> str:
    """The pattern of what may be within brackets, with nested brackets down to some depth."""
    parts = [r"[ \t\r\n,:-]|true|false|null" if short else r'[^"\[\]{}]', _STRING]
    if depth:
        # The pattern need not check that brackets are of the same kind: the engine does.
        parts.append(rf"[\[{{]{_balanced(depth - 1, short=short)}[\]}}]")
    either = f"(?:{'|'.join(parts)})"
    return f"(?:[0-9.]{{0,15}}{either})*[0-9.]{{0,15}}" if short else f"{either}*"
