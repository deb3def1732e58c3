"""Variables in the text of a blueprint: `${NAME}` and `${NAME:-default}`; `$${` stands for `${`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

# A `${` that begins no variable is matched too, so that it can be refused.
_VARIABLE = re.compile(r"\$\$\{|\$\{(?:(?P<name>\w+)(?::-(?P<default>[^}]*))?\})?")
# Unicode's private use areas: characters without a meaning, so that a text seldom has them.
_PRIVATE_USE = (range(0xE000, 0xF900), range(0xF0000, 0xFFFFE), range(0x100000, 0x10FFFE))
_MARK = re.compile("([" + "".join(f"{chr(area[0])}-{chr(area[-1])}" for area in _PRIVATE_USE) + "])\\1*")


class VariableError(ValueError):
    """A variable has no value, or is not written as variables are."""


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Replace the variables in a text by their values.

    Args:
        text: with variables.
        variables: their values.

    Raises:
        VariableError: the first variable without a value and a default, or a `${` that begins no variable.
    """
    return _VARIABLE.sub(lambda match: _value(match, variables), text)


def escape(text: str) -> str:
    """Write a text so that `expand` returns it."""
    return text.replace("${", "$${")


def _value(match: re.Match[str], variables: Mapping[str, str]) -> str:
    if match[0] == "$${":
        return "${"
    name = match["name"]
    if name is None:
        raise VariableError("a variable is written ${NAME} or ${NAME:-default}, and the text ${ as $${")
    value = variables.get(name, match["default"])
    if value is None:
        raise VariableError(f"the variable {name} has no value; set it in the environment")
    return value


class MarkedText:
    """A text whose variables are replaced by marks of the same length, so that YAML can be parsed around them.

    The braces of a variable are syntax in YAML, and its value can be any text. A mark is one character repeated: a
    plain letter for YAML's parser, and every other character stays where it is.

    Args:
        text: with variables.

    Raises:
        VariableError: it has more variables than there are marks, which are about 137,000.
    """

    def __init__(self, text: str) -> None:
        self._matches: dict[str, re.Match[str]] = {}
        present = set(text)
        unused = (chr(code) for area in _PRIVATE_USE for code in area if chr(code) not in present)

        def mark(match: re.Match[str]) -> str:
            character = next(unused, None)
            if character is None:
                raise VariableError(f"the file has more than {len(self._matches):,} variables; split it")
            self._matches[character] = match
            return character * len(match[0])

        self.text = _VARIABLE.sub(mark, text)

    def has_variables(self, text: str) -> bool:
        """Whether a part of the marked text has variables."""
        return any(mark[1] in self._matches for mark in _MARK.finditer(text))

    def unmarked(self, text: str) -> str:
        """A part of the marked text as it was written."""
        return self._replaced(text, lambda match: match[0])

    def expanded(self, text: str, variables: Mapping[str, str], refuse: Callable[[int, VariableError], object]) -> str:
        """A part of the marked text with the variables' values.

        Args:
            text: the part.
            variables: the values.
            refuse: called for each variable without a value, with its offset in the whole text.
        """

        def value(match: re.Match[str]) -> str:
            try:
                return _value(match, variables)
            except VariableError as error:
                refuse(match.start(), error)
                return match[0]

        return self._replaced(text, value)

    def _replaced(self, text: str, replace: Callable[[re.Match[str]], str]) -> str:
        if not self._matches:
            return text

        def written(mark: re.Match[str]) -> str:
            match = self._matches.get(mark[1])
            return mark[0] if match is None else replace(match)  # the text itself may have such characters

        return _MARK.sub(written, text)
