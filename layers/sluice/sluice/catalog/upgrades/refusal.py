"""The error of an item that cannot be downgraded."""

from __future__ import annotations


class DowngradeError(ValueError):
    """The item has content that the earlier release cannot represent; the message names it."""
