"""Processes: what they inherit, and the groups of an emulator and what it has started."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

_PROC = Path("/proc")
_END_SECONDS = 10
# Many container images set this. Then every start of a function or a tool would compile all of its modules.
_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"


def inherited_environment() -> dict[str, str]:
    """The environment variables of this process, with which Python keeps the bytecode of what it compiles."""
    return {name: value for name, value in os.environ.items() if name != _NO_BYTECODE}


def group_members(group: int) -> list[int]:
    """The ids of the processes in a process group, without zombies."""
    if not (_PROC / "self").exists():
        listed = subprocess.run(["ps", "-A", "-o", "pid=,pgid=,stat="], capture_output=True, text=True, check=True)
        rows = [line.split() for line in listed.stdout.splitlines()]
        return [int(pid) for pid, pgid, state in rows if int(pgid) == group and not state.startswith("Z")]
    members = []
    for folder in _PROC.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            # The second field is the command's name in parentheses, which may itself contain parentheses and spaces.
            state, _, pgid = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue  # the process has just ended
        if int(pgid) == group and state != "Z":
            members.append(int(folder.name))
    return members


def end_group(group: int, marker: str, *, spare: int | None = None) -> int:
    """Kill the processes of a group and wait up to 10 seconds for their end.

    Args:
        group: the process group's id.
        marker: `NAME=value` in the environment of the group's first process, which its children
            inherit. A group without it is not ours, since the id was reused.
        spare: the id of a process of the group that is not killed.

    Returns:
        How many processes were killed.
    """
    members = group_members(group)
    if not any(_has_variable(pid, marker) for pid in members):
        return 0
    killed: set[int] = set()
    deadline = time.monotonic() + _END_SECONDS
    while (remaining := set(group_members(group)) - {spare}) and time.monotonic() < deadline:
        for pid in remaining - killed:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            killed.add(pid)
        time.sleep(0.05)
    return len(killed)


def _has_variable(pid: int, marker: str) -> bool:
    if not (_PROC / "self").exists():
        return True  # macOS does not show environments; a reused group id is unlikely
    try:
        return marker.encode() in (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return False
