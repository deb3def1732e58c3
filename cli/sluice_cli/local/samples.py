"""The sample servers of blueprints, each on a port of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import httpx

from sluice_cli.errors import StepFailed
from sluice_cli.local.emulator import is_free, is_running, stop_process

_START_SECONDS = 15
_STOP_SECONDS = 5
_MOST_PORTS = 100


class SampleServers:
    """The sample servers of a local stack.

    A blueprint keeps its port, also after its server was stopped: its datasources have the address.

    Args:
        folder: for the servers' logs, process ids and ports.
        first_port: the lowest port; each blueprint gets the next one that is free.
    """

    def __init__(self, folder: Path, first_port: int) -> None:
        self._folder = folder
        self._first_port = first_port

    def start(self, name: str, command: Path) -> str:
        """Start the server of a blueprint unless it is running.

        Args:
            name: the blueprint.
            command: the server's Python file, which gets the port as its argument.

        Returns:
            The server's address.

        Raises:
            StepFailed: it does not answer within 15 seconds, or no port is free.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        pid_file, log = self._folder / f"{name}.pid", self._folder / f"{name}.log"
        port = self._port(name)
        url = f"http://127.0.0.1:{port}"
        if is_running(pid_file, str(command)) is not None:
            return url
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, str(command), str(port)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        pid_file.write_text(str(process.pid))
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            try:
                httpx.get(url, timeout=2, trust_env=False)
                return url
            except httpx.TransportError:
                time.sleep(0.1)
        raise StepFailed(f"the sample server of {name} does not answer on port {port}; see {log}")

    def _port(self, name: str) -> int:
        """The port of a blueprint, which it keeps unless another program has taken it meanwhile."""
        file = self._folder / f"{name}.port"
        own = int(file.read_text()) if file.exists() else None
        running = is_running(self._folder / f"{name}.pid", "") is not None
        if own is not None and (running or is_free(own)):
            return own
        taken = {int(other.read_text()) for other in self._folder.glob("*.port") if other != file}
        for port in range(self._first_port, self._first_port + _MOST_PORTS):
            if port not in taken and is_free(port):
                file.write_text(str(port))
                return port
        raise StepFailed(f"no port from {self._first_port} on is free for the sample server of {name}")

    def stop_all(self) -> None:
        """Stop all servers, and wait until their ports are free; they keep them."""
        for pid_file in self._folder.glob("*.pid"):
            port_file = pid_file.with_suffix(".port")
            stop_process(pid_file, "server.py")
            deadline = time.monotonic() + _STOP_SECONDS
            while not is_free(int(port_file.read_text())) and time.monotonic() < deadline:
                time.sleep(0.05)
