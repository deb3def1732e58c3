"""Where the checkout and the local stack are."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]


def local_folder() -> Path:
    """The folder of the local stack: `.local`, or SLUICE_LOCAL."""
    return Path(os.environ.get("SLUICE_LOCAL", ROOT / ".local"))
