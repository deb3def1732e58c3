"""The errors and exit codes of commands."""

from __future__ import annotations

# Beside 0 for success, and 2 for wrong usage, which click uses. 130 is what shells use for Ctrl-C.
FAILED = 1
NOT_COMPLETE = 3
INTERRUPTED = 130


class StepFailed(Exception):
    """A step failed; the text says why and what to do.

    Attributes:
        reported: whether the text was already printed.
    """

    reported = False
