"""Provides a Docker engine and Lambda's image for the tests in `tests/sam`, on a machine without them.

`start` installs and starts Debian's engine, and pulls or builds the image. If that is not possible,
it prints why and succeeds: the tests then skip themselves. `stop` stops the engine that `start`
started. An engine that is already running is used as it is.
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".local/engine"
PID_FILE = FOLDER / "dockerd.pid"
LOG = FOLDER / "dockerd.log"
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
IMAGE = f"public.ecr.aws/lambda/python:{VERSION}-x86_64"
# Containers reach this machine only. Name resolution fails at once, so a function that calls AWS
# without an endpoint does not wait for a time-out.
_OPTIONS = ["--ip-masq=false", "--dns=127.0.0.1", f"--pidfile={PID_FILE}"]
# Overlays may be impossible on this machine's file system, as inside a container; `vfs` copies and always works.
_DRIVERS: list[list[str]] = [[], ["--storage-driver=vfs"]]
# awslambdaric links to the C++ library.
_PACKAGES = [f"python{VERSION}", "base-files", "coreutils", "dash", "libstdc++6"]
_START_SECONDS = 30
_PULL_SECONDS = 300
_BOOTSTRAP = f"""#!/bin/sh
export AWS_EXECUTION_ENV=AWS_Lambda_python{VERSION}
export PYTHONPATH=/var/task:/opt/python/lib/python{VERSION}/site-packages:/opt/python:/var/runtime
exec /usr/bin/python{VERSION} -m awslambdaric "$_HANDLER"
"""
_ENVIRONMENT = (
    "ENV PATH=/usr/local/bin:/usr/bin:/bin:/opt/bin LANG=C.UTF-8 TZ=:UTC "
    "LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime LD_LIBRARY_PATH=/var/task/lib:/opt/lib"
)


class UnavailableError(Exception):
    """This machine cannot provide an engine or the image; the text says why."""


def start() -> None:
    """Start an engine if none answers, and provide Lambda's image.

    Raises:
        UnavailableError: the text says what is missing.
    """
    if not _answers():
        _require_root()
        if shutil.which("dockerd") is None:
            _install_engine()
        _start_engine()
    if not _succeeds(["docker", "image", "inspect", IMAGE]) and not _pull():
        _make_image()


def stop() -> None:
    """Stop the engine that `start` started, if it is running."""
    try:
        pid = int(PID_FILE.read_text())
        if b"dockerd" not in Path(f"/proc/{pid}/cmdline").read_bytes():
            return
        os.kill(pid, signal.SIGTERM)
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return
    deadline = time.monotonic() + _START_SECONDS
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)


def _answers() -> bool:
    return shutil.which("docker") is not None and _succeeds(["docker", "info"])


def _succeeds(command: list[str], seconds: float = 60) -> bool:
    try:
        result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return False
    return result.returncode == 0


def _run(command: list[str], step: str) -> None:
    """Run a command without showing its output.

    Args:
        step: what the command does, for the error.

    Raises:
        UnavailableError: with the end of the command's output.
    """
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    result = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise UnavailableError(f"{step} failed: {(result.stdout + result.stderr).strip()[-500:]}")


def _require_root() -> None:
    if sys.platform != "linux" or os.geteuid() != 0:
        raise UnavailableError("no Docker engine answers, and only root on Linux can start one")


def _require_apt() -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise UnavailableError("apt-get and dpkg-deb are missing; this works on Debian and its derivatives only")


def _install_engine() -> None:
    _require_apt()
    _run(["apt-get", "update", "-qq"], "apt-get update")
    packages = ["docker.io", "iptables"]
    _run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], "installing docker.io")


def _start_engine() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for driver in _DRIVERS:
        with LOG.open("wb") as log:
            # In its own session and without our pipes, so that it outlives this process and blocks no reader.
            engine = subprocess.Popen(
                ["dockerd", *_OPTIONS, *driver],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while engine.poll() is None and time.monotonic() < deadline:
            if _answers():
                return
            time.sleep(0.2)
        engine.terminate()
        engine.wait()
    raise UnavailableError(f"the engine does not start: {LOG.read_text().strip()[-500:]}")


def _pull() -> bool:
    return _succeeds(["docker", "pull", "--quiet", "--platform=linux/amd64", IMAGE], _PULL_SECONDS)


def _make_image() -> None:
    """Build the image from Debian's Python and PyPI's Lambda runtime, since no registry answers."""
    _require_apt()
    if platform.machine() != "x86_64":
        raise UnavailableError(f"{IMAGE} cannot be pulled, and can be built for x86_64 only")
    folder = FOLDER / "image"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "root").mkdir(parents=True)
    for package in _downloaded(folder / "packages"):
        _run(["dpkg-deb", "--extract", str(package), str(folder / "root")], f"unpacking {package.name}")
    _add_runtime(folder / "root")
    _import(folder / "root")
    shutil.rmtree(folder)


def _downloaded(folder: Path) -> list[Path]:
    """Download Debian's Python and everything that it depends on, down to the C library.

    Returns:
        The .deb files.
    """
    (folder / "partial").mkdir(parents=True)
    # With an empty status file, apt takes no package of this machine as installed.
    nothing_installed = folder / "status"
    nothing_installed.touch()
    options = [
        f"Dir::State::status={nothing_installed}",
        f"Dir::Cache::archives={folder}",
        f"APT::Sandbox::User={os.environ.get('USER', 'root')}",
        "Debug::NoLocking=1",
    ]
    command = ["apt-get", "install", "--download-only", "-y", "-qq", "--no-install-recommends"]
    command += [part for option in options for part in ("-o", option)]
    if not any(Path("/var/lib/apt/lists").glob("*_Packages*")):
        _run(["apt-get", "update", "-qq"], "apt-get update")
    _run([*command, *_PACKAGES], f"downloading Debian's python{VERSION}")
    return sorted(folder.glob("*.deb"))


def _add_runtime(root: Path) -> None:
    runtime = root / "var/runtime"
    for part in ("var/task", "var/runtime", "opt", "tmp", "etc"):
        (root / part).mkdir(parents=True, exist_ok=True)
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (root / "etc/nsswitch.conf").write_text("hosts: files dns\n")
    (runtime / "bootstrap").write_text(_BOOTSTRAP)
    (runtime / "bootstrap").chmod(0o755)
    uv = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet", "--python", sys.executable]
    uv += ["--require-hashes", "--only-binary=:all:", "--target", str(runtime)]
    _run([*uv, "--requirement", str(ROOT / "requirements/lambda.txt")], "installing Lambda's runtime")
    # Without bytecode, every cold start would compile the standard library again.
    for folder in (root / f"usr/lib/python{VERSION}", runtime):
        subprocess.run([sys.executable, "-m", "compileall", "-q", str(folder)], capture_output=True, check=False)
    for unused in ("doc", "man", "locale", "lintian", "info"):
        shutil.rmtree(root / "usr/share" / unused, ignore_errors=True)


def _import(root: Path) -> None:
    changes = [_ENVIRONMENT, "WORKDIR /var/task", 'ENTRYPOINT ["/var/runtime/bootstrap"]']
    command = ["docker", "import", "--platform=linux/amd64"]
    command += [part for change in changes for part in ("--change", change)]
    archive = root.with_suffix(".tar")
    _run(["tar", "-C", str(root), "--owner=0", "--group=0", "-cf", str(archive), "."], "packing the image")
    _run([*command, str(archive), IMAGE], "docker import")


def main() -> int:
    """Start or stop the engine. A missing prerequisite is printed and is not a failure.

    Returns:
        The exit code: 2 for wrong arguments.
    """
    if sys.argv[1:] == ["stop"]:
        stop()
        return 0
    if sys.argv[1:] != ["start"]:
        print("usage: engine.py start|stop", file=sys.stderr)
        return 2
    try:
        start()
        print(f"• A Docker engine answers and has {IMAGE}.")
    except UnavailableError as reason:
        print(f"• The tests in Lambda's containers will be skipped: {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
