"""Files of a gigabyte become Parquet in less memory than one (PROOF=1, in `make proof`)."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROWS = 6_000_000 if os.environ.get("PROOF") else 60_000
# What a process has before it reads anything, and what the engine sets aside however small a file is.
MOST_MB = 1_000

PROGRAM = r"""
import pathlib, re, resource, sys
sys.path[:0] = [sys.argv[1]]
from support.large import extracted
rows = extracted(sys.argv[2], sys.argv[3])
# Linux counts in ru_maxrss what the parent had when it started this process.
status = pathlib.Path("/proc/self/status")
own = re.search(r"VmHWM:\s+(\d+)", status.read_text()) if status.exists() else None
print(rows, (int(own[1]) if own else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) // 1024)
"""


def write(path: Path, form: str) -> int:
    """A file in the lake's form; its plain bytes."""
    size = 0
    with gzip.open(path, "wb", 1) as file:
        if form == "csv":
            size += file.write(b"id,name,price,day,note,owner,city,code\n")
        for begin in range(0, ROWS, 10_000):
            size += file.write(b"".join(line(form, number) for number in range(begin, begin + 10_000)))
    return size


def line(form: str, number: int) -> bytes:
    note = "words " * (number % 17)
    day = f"2026-01-{number % 28 + 1:02d}"
    if form == "csv":
        head = f"{number},name {number},{number / 7:.4f},{day},{note},user {number % 977}"
        return f"{head},city {number % 300} of the north,{number:09d}-{number * 7919 % 10**9:09d}-{'x' * 60}\n".encode()
    owner = {"kind": "user", "id": number % 977}
    record = {"id": number, "name": f"name {number}", "price": number / 8, "day": day, "note": note, "owner": owner}
    return json.dumps(record).encode() + b"\n"


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_large_file_needs_little_memory(form: str, tmp_path: Path) -> None:
    page = tmp_path / f"page.{form}.gz"
    size = write(page, form)
    if os.environ.get("PROOF"):
        assert size > 950_000_000
    command = [sys.executable, "-c", PROGRAM, str(Path(__file__).parents[1]), str(page), form]
    rows, memory = map(int, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
    print(f"{form}: {size / 1e6:.0f} MB, {rows} rows, {memory} MB resident")  # noqa: T201 - the proof's numbers
    assert rows == ROWS
    assert memory < MOST_MB
