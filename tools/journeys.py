"""Runs the commands of docs/tutorial/journeys.md on a fresh stack, and writes their output and times into the page.

The commands are those of the page. The stack is on a free port and in a temporary folder, so that one that runs
already is left alone.
"""

from __future__ import annotations

import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sluice_cli.local.stack import LocalStack
from walkthrough import ROOT, Result, run_page, steps_of

PAGE = ROOT / "docs/tutorial/journeys.md"
# The page's port, which the machine may use otherwise.
PORT = "48100"
MOST_LINES = 14
_TOTAL = re.compile(r"^Total: .*$", re.MULTILINE)
_RECORDED = re.compile(r"(^```sh\n.*?^```\n)(?:\n```text\n.*?^```\n)?", re.DOTALL | re.MULTILINE)


def free_port() -> int:
    """A port that no program listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def shorten(output: str) -> str:
    """An output with its first and last lines only, if it is long."""
    lines = output.rstrip().splitlines()
    if len(lines) > MOST_LINES:
        half = MOST_LINES // 2
        lines = [*lines[:half], "…", *lines[-half:]]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def record(text: str, results: list[Result]) -> str:
    """The page with the output and the time of each block, and the time of each journey.

    Args:
        text: the page.
        results: of each block of `sh`, in their order.
    """
    remaining = iter(results)
    sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    return "".join(sections[:1] + [_record_section(section, remaining) for section in sections[1:]])


def _record_section(section: str, remaining: Iterator[Result]) -> str:
    seconds: list[float] = []

    def output(block: re.Match[str]) -> str:
        result = next(remaining)
        seconds.append(result.seconds)
        return f"{block[1]}\n```text\n{shorten(result.output)}({result.seconds:.1f} s)\n```\n"

    recorded = _RECORDED.sub(output, section)
    return _TOTAL.sub(f"Total: {sum(seconds):.0f} seconds.", recorded)


def main() -> None:
    """Run the journeys, and write the page."""
    folder = Path(tempfile.mkdtemp(prefix="journeys-"))
    stack = LocalStack(ROOT, folder / ".local", free_port())
    text = PAGE.read_text()
    port = str(free_port())
    try:
        stack.up()
        steps = steps_of(text.replace(PORT, port), PAGE.name)
        results = [
            Result(result.step, result.output.replace(port, PORT), result.seconds)
            for result in run_page(steps, folder, {"SLUICE_LOCAL": str(folder / ".local")})
            if not result.step.file
        ]
    finally:
        stack.down()
        shutil.rmtree(folder, ignore_errors=True)
    PAGE.write_text(record(text, results))
    print(f"wrote {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
