"""What the patterns of documents ask for, in words: a regular expression tells most people nothing."""

from __future__ import annotations

_WORDS: dict[str, str] = {}


def in_words(pattern: str, words: str) -> str:
    """Say what a pattern asks for.

    Args:
        pattern: a regular expression that a text must match.
        words: what somebody shall do whose text does not match it: a sentence without its end.

    Returns:
        The pattern.
    """
    _WORDS[pattern] = words
    return pattern


def advice(pattern: str) -> str | None:
    """What `in_words` was told of a pattern; None: nothing."""
    return _WORDS.get(pattern)


PRINTABLE = in_words(r"^[^\x00-\x1f]+$", "leave out line breaks, tabs and other control characters")
