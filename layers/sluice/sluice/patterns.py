"""Patterns of texts in documents, with what they ask for in words: a regular expression tells most people nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema


@dataclass(frozen=True)
class Pattern:
    """A pattern, to be given to pydantic among a text's annotations, behind its constraints.

    Args:
        regex: the regular expression that the text must match.
        words: what somebody shall do whose text does not match it: a sentence without its end.
    """

    regex: str
    words: str

    def matches(self, text: str) -> bool:
        """Whether the whole text matches."""
        return re.fullmatch(self.regex, text) is not None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check a text as `StringConstraints(pattern=…)` does, but with the words as the message."""
        from pydantic_core import core_schema

        matching = core_schema.str_schema(pattern=self.regex)
        told = core_schema.custom_error_schema(matching, "pattern_mismatch", custom_error_message=self.words)
        return core_schema.chain_schema([handler(source), told])

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The schema of the text, with the pattern."""
        return {**handler(schema), "pattern": self.regex}


PRINTABLE = Pattern(r"^[^\x00-\x1f]+$", "leave out line breaks, tabs and other control characters")
