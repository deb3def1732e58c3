"""Runs the commands of a documentation page as a reader does, from top to bottom in one shell.

- A block of `sh` is run. If its first line is a comment in `MARKS`, it is not: readers see why.
- A block of another language whose first line is a comment with a path, as `# shop/projects/shop.yaml`, is
  that file.
- A block of `text` directly after a block of `sh` is its output. `…` stands for any text, and as a line of
  its own for any lines.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).parents[1]
# The first lines of blocks that change more than a test may, with what a reader learns from them.
MARKS = (
    "# In a checkout of your own",
    "# On AWS",
    "# Starts the local stack",
    "# Stops the local stack",
    "# With your own keys",
    "# Before you deploy the earlier release",
)
# As wide as the lines of code on the site.
WIDTH, HEIGHT = 100, 40
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"(?:#|//|--) ([\w./-]+\.\w+)\n")
_END = "end-of-step"
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class PageError(Exception):
    """A command of a page failed or printed something else."""


@dataclass(frozen=True)
class Step:
    """A block of commands, or a file that the reader writes.

    Args:
        page: the page's name.
        line: the line of the page where the block begins.
        script: the commands.
        output: what the page says that they print; null if it does not say.
        mark: the comment that says why tests do not run the commands; empty if they do.
        file: the path of the file that the step writes; empty for commands.
    """

    page: str
    line: int
    script: str
    output: str | None = None
    mark: str = ""
    file: str = ""


def steps_of(text: str, page: str) -> list[Step]:
    """The steps of a page, in their order.

    Args:
        text: the page as Markdown.
        page: its name, for messages.
    """
    steps: list[Step] = []
    end = -1
    for block in _BLOCK.finditer(text):
        language, content = block.groups()
        line = text.count("\n", 0, block.start()) + 1
        if language == "sh":
            mark = next((mark for mark in MARKS if content.startswith(mark)), "")
            steps.append(Step(page, line, content, mark=mark))
            end = block.end()
        elif language == "text" and steps and not text[end : block.start()].strip():
            steps[-1] = replace(steps[-1], output=content)
        elif file := _FILE.match(content):
            steps.append(Step(page, line, _write(file[1], content), file=file[1]))
    return steps


def _write(path: str, content: str) -> str:
    parent = Path(path).parent
    return f"mkdir -p {parent} && cat > {path} <<'END_OF_FILE'\n{content}END_OF_FILE\n"


@dataclass(frozen=True)
class Result:
    """What a step printed.

    Args:
        seconds: how long it took.
    """

    step: Step
    output: str
    seconds: float


def run_page(steps: list[Step], folder: Path, environment: dict[str, str]) -> Iterator[Result]:
    """Run the steps of a page that have no mark, in one shell on a terminal.

    Args:
        steps: those of `steps_of`.
        folder: an empty folder, in which the shell starts and which is the reader's home; it gets links to the
            checkout's commands and blueprints.
        environment: variables, besides those of this process.

    Yields:
        Each step that was run.

    Raises:
        PageError: a command failed; with all that the step printed.
    """
    for name in (".venv", "blueprints", "client", "template.yaml"):
        (folder / name).symlink_to(ROOT / name)
    run = [step for step in steps if not step.mark]
    script = "set -eu\n" + "".join(f"{step.script}\necho {_END}-{place}\n" for place, step in enumerate(run))
    (folder / "commands").write_text(script)
    variables = {
        # `make` sets PORT to that of the stack that it would start.
        **{name: value for name, value in os.environ.items() if name != "PORT"},
        "HOME": str(folder),
        "PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}",
        "COLUMNS": str(WIDTH),
        "TERM": "xterm",
        "NO_COLOR": "1",
        "NO_PROXY": "127.0.0.1",
        **environment,
    }
    terminal, output = pty.openpty()
    fcntl.ioctl(output, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    process = subprocess.Popen(
        ["bash", "commands"],
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )
    os.close(output)
    try:
        yield from _results(run, terminal, process)
    finally:
        # Servers that the page started, if it failed before it stopped them.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(terminal)


def _results(run: list[Step], terminal: int, process: subprocess.Popen[bytes]) -> Iterator[Result]:
    received, started = b"", time.monotonic()
    for place, step in enumerate(run):
        mark = f"{_END}-{place}\r\n".encode()
        while mark not in received:
            piece = _read(terminal, process)
            if not piece:
                raise PageError(f"{step.page}:{step.line} failed:\n{step.script}\nIt printed:\n{_text(received)}")
            received += piece
        printed, _, received = received.partition(mark)
        yield Result(step, _text(printed), time.monotonic() - started)
        started = time.monotonic()


def _text(printed: bytes) -> str:
    return _CONTROL.sub("", re.sub(r"\r+\n", "\n", printed.decode(errors="replace")))


def _read(terminal: int, process: subprocess.Popen[bytes]) -> bytes:
    """The next output; empty if the shell has ended."""
    while True:
        ready, _, _ = select.select([terminal], [], [], 0.2)
        if ready:
            try:
                return os.read(terminal, 65536)
            except OSError:  # the terminal's other side is closed
                return b""
        if process.poll() is not None:
            return b""


def matches(expected: str, output: str) -> bool:
    """Whether an output is the one on a page.

    Args:
        expected: the page's text; `…` stands for any text, and as a line of its own for any lines.
        output: what was printed.
    """
    pattern = ""
    for line in expected.rstrip().splitlines():
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(re.escape(part.rstrip()) for part in line.rstrip().split("…")) + r"[ \t]*\n"
    return re.fullmatch(pattern, output.rstrip() + "\n") is not None
