"""Prints who may call which route."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "functions"))

from reference.access_page import access_table


def main() -> int:
    """Print the table.

    Returns:
        The exit code.
    """
    print("\n".join(access_table()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
