"""A function's disk space: temporary files for one call, and objects cached for later calls."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

# No call of a function takes longer, so an older file is no longer in use.
_IN_USE_SECONDS = 900


class FileCache:
    """Files named by the hash of their content. The least recently used are removed first.

    Each process has a folder of its own. Folders of dead processes are removed: a killed function leaves its files to
    the next process in the same environment.

    Args:
        folder: the folder for all processes.
        most_bytes: the most bytes of cached files, apart from those in use.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder / str(os.getpid())
        self._most_bytes = most_bytes
        # Only the process id tells whose a folder is; Lambda reuses the disk of a killed process.
        for other in folder.glob("[0-9]*"):
            if other.is_dir() and other.name.isdigit() and not _is_alive(int(other.name)):
                shutil.rmtree(other, ignore_errors=True)

    def get(self, sha256: str, fill: Callable[[Path], None]) -> Path:
        """The file with a hash.

        Args:
            sha256: the hash of its content.
            fill: writes the content to a path; called if the file is not cached.
        """
        path = self._folder / sha256
        if path.exists():
            os.utime(path)
            return path
        with self.scratch() as fresh:
            fill(fresh)
            self._make_room(fresh.stat().st_size)
            # Renaming is atomic: another thread sees no file or a complete one.
            os.replace(fresh, path)
        return path

    def _make_room(self, needed: int) -> None:
        files = sorted(
            ((path.stat().st_mtime, path.stat().st_size, path) for path in self._folder.glob("*") if path.is_file()),
        )
        total = sum(size for _, size, _ in files) + needed
        for used, size, path in files:
            if total <= self._most_bytes or used > time.time() - _IN_USE_SECONDS:
                return
            path.unlink(missing_ok=True)
            total -= size

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """The path of a file in a folder that exists within this block."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            yield Path(folder) / "file"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
