"""Why an item cannot have the form of an earlier release."""

from __future__ import annotations


class DowngradeError(ValueError):
    """The item says something that the earlier release does not know; the message says what."""
