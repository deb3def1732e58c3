"""The Docker engine, as far as tests ask after it."""

from __future__ import annotations

import fcntl
import socket
import struct
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

BIN = Path(sys.executable).parent
SIOCGIFADDR = 0x8915
IMAGE = f"public.ecr.aws/lambda/python:{sys.version_info.major}.{sys.version_info.minor}-x86_64"


def engine_answers() -> bool:
    try:
        asked = subprocess.run(["docker", "info"], capture_output=True, timeout=20, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def image_is_here() -> bool:
    return subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True, check=False).returncode == 0


def missing() -> str | None:
    """Why functions cannot run in containers here; none when they can."""
    if not engine_answers():
        return "no Docker engine answers: `docker info` fails, so `sam local` cannot run"
    if image_is_here() or subprocess.run(["docker", "pull", IMAGE], capture_output=True, check=False).returncode == 0:
        return None
    return f"{IMAGE} is not here and no registry answers; `tools/engine.py start` makes it on Debian"


def bridge_address() -> str:
    """The address of this machine that containers reach as `host-gateway`.

    An engine that has never run a container does not name the gateway of its bridge network; the
    interface has the address all the same.
    """
    command = ["docker", "network", "inspect", "bridge", "-f", "{{with index .IPAM.Config 0}}{{.Gateway}}{{end}}"]
    gateway = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return gateway or interface_address("docker0")


def interface_address(interface: str) -> str:
    """The IPv4 address of a network interface, as Linux knows it."""
    request = struct.pack("256s", interface.encode())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        answer = fcntl.ioctl(probe, SIOCGIFADDR, request)
    return socket.inet_ntoa(answer[20:24])


def await_port(port: int, process: subprocess.Popen[bytes], log: Path, seconds: float = 90) -> None:
    """Wait until a server on loopback accepts connections."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
            return
        assert process.poll() is None, log.read_text()[-2000:]
        assert time.monotonic() < deadline, log.read_text()[-2000:]
        time.sleep(0.2)
