"""MiniStack, the AWS emulator: starting, finding and stopping its process."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from sluice_cli.errors import StepFailed
from sluice_cli.local.processes import end_group, inherited_environment
from sluice_cli.progress import console

REGION = "us-east-1"
_START_SECONDS = 60
_STOP_SECONDS = 60
# A process that was just killed may still hold its port.
_PORT_SECONDS = 3
# The emulator waits for running calls before it ends; after this long their processes are killed.
_GRACE_SECONDS = 20
# How long an idle process of a function is kept for its next call. AWS keeps them for some minutes.
_WARM_SECONDS = 120
# The pause before the first retry of an event; the second retry waits twice as long, and there is no third.
_RETRY_SECONDS = 3
# A process of a function has 60 to 300 MB, of which a part is shared: measured 65 MB on average.
_WORKER_BYTES = 100 << 20
_WORKERS_PER_CORE, _MIN_WORKERS = 24, 16
# The share of the workers, in percent, of each function that callers and events start. A browser's few
# concurrent requests fit, and a sixth of the workers is left to the workflows.
CALLER_SHARES = {"authorizer": 26, "api": 26, "query": 11, "inbox": 8, "probe": 5, "preflight": 4, "authoring": 3}
_STAGE_SHARE = 25
# Two tabs ask for the console's files on so many connections at once, and a browser does not try again. Their calls
# are short and small, so they come on top of the workers.
_BROWSER_CONNECTIONS = 12

_STAGES = ("plan", "fetch", "extract", "merge", "partition", "model", "report", "commit")


@dataclass(frozen=True)
class Limits:
    """How many things the emulator runs at the same time.

    Functions call each other through the emulator. If callers could take all workers, a workflow
    that they wait for would never get one.

    Args:
        workers: the most concurrent calls of functions; further ones are throttled.
        functions: the most concurrent calls of each function, by its name.
        active_ingests: the most active runs of dropped files.
        waiting_calls: the most requests that wait for a run.
    """

    workers: int
    functions: dict[str, int]
    active_ingests: int
    waiting_calls: int


def machine_limits() -> Limits:
    """The limits that fit this machine's cores and a third of its memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    fitting_in_memory = memory // 3 // _WORKER_BYTES
    workers = max(_MIN_WORKERS, min(_WORKERS_PER_CORE * (os.cpu_count() or 1), fitting_in_memory))
    shares = CALLER_SHARES | dict.fromkeys(_STAGES, _STAGE_SHARE)
    functions = {name: max(1, workers * share // 100) for name, share in shares.items()}
    functions["console"] = _BROWSER_CONNECTIONS
    return Limits(workers, functions, max(2, workers // 10), max(1, functions["api"] // 2))


class Emulator:
    """MiniStack on one port.

    Args:
        folder: for its state, log and process id.
        port: on 127.0.0.1.
    """

    shares_disk = True

    def __init__(self, folder: Path, port: int) -> None:
        self.limits: Limits | None = machine_limits()
        self.parameters = (
            "CreateUserPool=yes",
            "SignUpDomains=example.com",
            f"MaxActiveIngests={self.limits.active_ingests}",
            f"MaxWaitingCalls={self.limits.waiting_calls}",
        )
        self.folder = folder
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._pid_file = folder / "emulator.pid"
        self._log = folder / "emulator.log"
        self._state = folder / "state"
        self._process: subprocess.Popen[bytes] | None = None
        self._marker = f"SLUICE_EMULATOR={folder.absolute()}"

    def pid(self) -> int | None:
        """The process id of this emulator; null if it is not running."""
        return is_running(self._pid_file, "ministack")

    def start(self) -> bool:
        """Start the emulator unless it is running.

        Returns:
            Whether the state was lost because the emulator was killed and not stopped.

        Raises:
            StepFailed: another program uses the port, or the emulator does not answer.
        """
        if self.pid() is not None and self._becomes_ready():
            return False
        self._end_orphans()
        self._require_free_port()
        lost = self._move_lost_state_aside()
        for name in ("state", "s3", "tmp"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self._process = self._spawn()
        self._pid_file.write_text(str(self._process.pid))
        if not self._becomes_ready():
            raise StepFailed(f"the emulator ended right after its start; see {self._log}")
        return lost

    def _spawn(self) -> subprocess.Popen[bytes]:
        name, _, value = self._marker.partition("=")
        environment = {
            **inherited_environment(),
            **aws_environment(self.url),
            name: value,
            "LAMBDA_ACCOUNT_CONCURRENCY": str(self.limits.workers + _BROWSER_CONNECTIONS if self.limits else 0),
            "LAMBDA_WARM_TTL_SECONDS": str(_WARM_SECONDS),
            "LAMBDA_ASYNC_RETRY_BASE_SECONDS": str(_RETRY_SECONDS),
            "BIND_HOST": "127.0.0.1",
            "IOT_MTLS_ENABLED": "0",
            "GATEWAY_PORT": str(self.port),
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self._state),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self.folder / "s3"),
            "TMPDIR": str(self.folder / "tmp"),
        }
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [str(Path(sys.executable).with_name("ministack"))],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _require_free_port(self) -> None:
        deadline = time.monotonic() + _PORT_SECONDS
        while not is_free(self.port):
            if time.monotonic() > deadline:
                raise StepFailed(
                    f"another program uses port {self.port}; choose another port, for example: make run PORT=4666"
                )
            time.sleep(0.1)

    def _move_lost_state_aside(self) -> bool:
        """Move the state of an emulator that was killed out of the way; it is saved only when it is stopped.

        Returns:
            Whether there was such a state.
        """
        if not self._pid_file.exists():
            return False
        start = self._pid_file.stat().st_mtime
        # When it stops, it writes a JSON file for each service. It writes all other files while it runs.
        saved = any(file.stat().st_mtime > start for file in self._state.glob("*.json"))
        shutil.rmtree(self.folder / "tmp", ignore_errors=True)
        if saved:
            return False
        aside = self.folder / f"lost-{time.strftime('%Y%m%d-%H%M%S')}"
        aside.mkdir(parents=True)
        for name in ("state", "s3"):
            if (self.folder / name).exists():
                (self.folder / name).rename(aside / name)
        console.print(f"  [yellow]The emulator was killed and its state is lost[/]; its files are in {aside}.")
        return True

    def _becomes_ready(self) -> bool:
        """Wait until the emulator answers.

        Returns:
            False if its process ends instead.

        Raises:
            StepFailed: it neither answers nor ends.
        """
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}/_ministack/health", timeout=2, trust_env=False).status_code == 200:
                    return True
            except httpx.TransportError:
                pass
            if self._process is not None and self._process.poll() is not None:
                return False
            if self._process is None and self.pid() is None:
                return False
            time.sleep(0.1)
        raise StepFailed(f"the emulator does not answer on port {self.port}; see {self._log}")

    def stop(self) -> bool:
        """Stop the emulator, which saves its state, and the processes of its functions.

        Returns:
            Whether it was running.

        Raises:
            StepFailed: it does not end within 60 seconds.
        """
        pid = self.pid()
        if pid is None:
            self._end_orphans()
            return False
        os.kill(pid, signal.SIGTERM)
        if not self._ends_within(_GRACE_SECONDS):
            self._end_workers(spare=pid)
            if not self._ends_within(_STOP_SECONDS - _GRACE_SECONDS):
                raise StepFailed(f"the emulator (process {pid}) does not end; see {self._log}")
        self._end_workers()
        self._pid_file.unlink(missing_ok=True)
        shutil.rmtree(self.folder / "tmp", ignore_errors=True)
        return True

    def _ends_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._process is not None:
                self._process.poll()  # reaps the process if it is our child: a zombie still has a process id
            if self.pid() is None:
                return True
            time.sleep(0.1)
        return False

    def _end_orphans(self) -> None:
        """End the processes of functions that an emulator left when it was killed."""
        ended = self._end_workers()
        if ended:
            console.print(f"  ended {ended} processes of functions that were left by an emulator that was killed")

    def _end_workers(self, spare: int | None = None) -> int:
        """End the processes in the emulator's process group, which they stay in when the emulator is gone.

        Args:
            spare: the id of a process that is not ended.

        Returns:
            How many processes were ended.
        """
        try:
            group = int(self._pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return 0
        return end_group(group, self._marker, spare=spare)


def is_free(port: int) -> bool:
    """Whether a port of loopback can be listened on.

    Args:
        port: the port.
    """
    with socket.socket() as probe:
        # As servers do, so that a port whose connections are just being closed counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def is_running(pid_file: Path, name: str) -> int | None:
    """Whether the process in a pid file is still running.

    Args:
        pid_file: holds a process id.
        name: must be part of the process's command line, since process ids are reused.

    Returns:
        The process id; null if it is not running or belongs to another program.
    """
    try:
        pid = int(pid_file.read_text())
        os.kill(pid, 0)
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return None
    command = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self").exists() and not (command.exists() and name.encode() in command.read_bytes()):
        return None  # the id now belongs to another process
    return pid


def stop_process(pid_file: Path, name: str) -> None:
    """End the process in a pid file, if it is still running.

    Args:
        pid_file: holds a process id; it is deleted.
        name: must be part of the process's command line.
    """
    pid = is_running(pid_file, name)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
    pid_file.unlink(missing_ok=True)


def aws_environment(url: str) -> dict[str, str]:
    """Environment variables with which the tools of AWS use an emulator and nothing else.

    Args:
        url: the emulator's address.
    """
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SESSION_TOKEN": "",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "0.3",
    }
