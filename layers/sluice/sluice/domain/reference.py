"""References to inputs of algorithms, such as `north@3`, `dataset:merged@7` or `run:<id>`: their form."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sluice.errors import Invalid

_TABLES = ("dataset", "model")
_NUMBER = re.compile(r"[1-9][0-9]{0,11}")


@dataclass(frozen=True)
class Reference:
    """The parts of a reference; what they name need not exist.

    Args:
        prefix: what stands before the colon, such as `dataset`; None for an input document.
        name: the name or id.
        version: what stands after `@`; None if nothing does.
    """

    prefix: str | None
    name: str
    version: str | None

    @property
    def is_table(self) -> bool:
        """Whether it is a dataset or a model of the project."""
        return self.prefix in _TABLES

    def number(self) -> int | None:
        """The number of the version; None: the reference names none.

        Raises:
            Invalid: what stands after `@` is no number from 1.
        """
        if self.version is None:
            return None
        if not _NUMBER.fullmatch(self.version):
            text = f"{self.name}@{self.version}"
            raise Invalid(f"{text!r} names no version: write a number after @, as in {self.name}@3.")
        return int(self.version)


def parse_reference(text: str) -> Reference:
    """Divide a reference into its parts."""
    prefix, colon, rest = text.partition(":")
    name, at, version = (rest if colon else text).partition("@")
    return Reference(prefix if colon else None, name, version if at else None)
