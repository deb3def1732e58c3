"""What the peers' own processes measure and print; nothing but the standard library, since all import it."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path


def report(work: Callable[[], int]) -> None:
    """Do the work once, and print how many rows it had, how long it took, and this process's peak memory.

    Imports are done by then, and are not counted.
    """
    begun = time.perf_counter()
    rows = work()
    seconds = time.perf_counter() - begun
    print(json.dumps({"rows": rows, "seconds": seconds, "peak_bytes": peak_bytes("self")}))
    sys.stdout.flush()


def processor_seconds() -> float:
    """The processor time of this process and of those children that have ended."""
    return sum(os.times()[:4])


def peak_bytes(pid: int | str) -> int:
    """The most resident memory that a process has had; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
