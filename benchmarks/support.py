"""What benchmarks share: a comparison, printed for people and for programs; environments of peers."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Comparison:
    """One case of a benchmark, ours beside a peer's, measured in the same run.

    `ratio` is over 1 where we are better; `asked` is the ratio that we want at least, where there is one.
    """

    benchmark: str
    case: str
    ours: float
    peer: float
    peer_name: str
    unit: str
    ratio: float
    asked: float | None = None


def lower_is_better(
    benchmark: str, case: str, ours: float, peer: float, peer_name: str, unit: str, asked: float | None = None
) -> Comparison:
    """A comparison of times, or of anything else of which less is better."""
    return Comparison(benchmark, case, round(ours, 6), round(peer, 6), peer_name, unit, round(peer / ours, 3), asked)


def higher_is_better(
    benchmark: str, case: str, ours: float, peer: float, peer_name: str, unit: str, asked: float | None = None
) -> Comparison:
    """A comparison of rates, or of anything else of which more is better."""
    return Comparison(benchmark, case, round(ours, 6), round(peer, 6), peer_name, unit, round(ours / peer, 3), asked)


def show(comparisons: list[Comparison]) -> None:
    """A table, then one JSON line for each comparison."""
    header = ("case", "ours", "peer", "unit", "ratio", "asked", "peer is")
    rows = [
        (
            one.case,
            f"{one.ours:g}",
            f"{one.peer:g}",
            one.unit,
            f"{one.ratio:.2f}",
            "" if one.asked is None else f"{one.asked:.2f}",
            one.peer_name,
        )
        for one in comparisons
    ]
    table(header, rows)
    print()
    for one in comparisons:
        print(json.dumps(asdict(one)))


def table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Rows of text in columns."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    for row in (header, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def environment(name: str) -> Path:
    """The Python of a peer's environment, which is made under `.bench/` unless it is there.

    Args:
        name: of a file in `benchmarks/environments/`, which pins the packages.

    Raises:
        SystemExit: the packages cannot be installed.
    """
    requirements = ROOT / f"benchmarks/environments/{name}.txt"
    digest = hashlib.sha256(sys.version.encode() + requirements.read_bytes()).hexdigest()
    folder = ROOT / ".bench" / name
    python, installed = folder / "bin/python", folder / "installed"
    if installed.exists() and installed.read_text() == digest:
        return python
    print(f"• Install the packages of {requirements.relative_to(ROOT)} into {folder.relative_to(ROOT)} …", flush=True)
    uv = os.environ.get("SLUICE_UV") or str(Path(sys.executable).with_name("uv"))
    for command in (
        ["venv", "--quiet", "--clear", "--python", sys.executable, str(folder)],
        ["pip", "sync", "--quiet", "--python", str(python), "--require-hashes", str(requirements)],
    ):
        if subprocess.run([uv, *command], check=False).returncode != 0:
            raise SystemExit(f"the environment {name} cannot be made")
    installed.write_text(digest)
    return python


def free_port() -> int:
    """A port of loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
