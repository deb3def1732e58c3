"""The sample servers of blueprints, each on a port of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from sluice_cli.errors import StepFailed
from sluice_cli.local.emulator import is_free, is_running, stop_process
from sluice_cli.paths import ROOT, local_folder
from sluice_client import Sluice

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

    def address(self, name: str) -> str | None:
        """The address that a blueprint's server has; null if it was never started.

        Args:
            name: the blueprint.
        """
        file = self._folder / f"{name}.port"
        return f"http://127.0.0.1:{file.read_text()}" if file.exists() else None

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


def sample_address(blueprint: Path, api: Sluice) -> str | None:
    """The address of a shipped blueprint's sample server, if datasources of the local stack have it.

    Args:
        blueprint: the blueprint's folder.
        api: the client.

    Returns:
        The address; null on other stacks, and if no datasource has it.
    """
    local = local_folder()
    file, folder = local / "stack.json", blueprint.resolve()
    if folder.parent != ROOT / "blueprints" or not file.exists():
        return None
    stack = json.loads(file.read_text())
    port = urlsplit(stack["endpoint_url"]).port
    address = SampleServers(local / str(port) / "samples", 0).address(folder.name) if stack["api"] == api.url else None
    if address is None or not any(_has_address(source, address) for source in api.items("/datasources")):
        return None
    return address


def _has_address(datasource: dict[str, Any], address: str) -> bool:
    url = str((datasource.get("http") or {}).get("url"))
    return url == address or url.startswith(f"{address}/")
