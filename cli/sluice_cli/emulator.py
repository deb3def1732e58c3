"""The emulator's process: started, found again, stopped."""

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

from sluice_cli.processes import end_group
from sluice_cli.progress import StepFailed, console

REGION = "us-east-1"
_START_SECONDS = 60
_STOP_SECONDS = 60
# A process that was killed a moment ago may still be letting its port go.
_PORT_SECONDS = 3
# Calls that are under way may keep it from ending: after so long their processes are ended first.
_PATIENCE_SECONDS = 20
# How long a process of a function is kept for its next call; AWS keeps them for some minutes.
_WARM_SECONDS = 120
# The first pause before an event is tried again; the second one is twice as long, and there is no third.
_RETRY_SECONDS = 3
# Where this is set, as it is in many images of containers, each start of a function would compile all of its modules.
_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
# A process of a function has 60 to 300 MB, of which it shares a part; on average 65 MB were measured.
_WORKER_BYTES = 100 << 20
_WORKERS_OF_A_CORE, _FEWEST_WORKERS = 24, 16
# The percentages of the workers that functions may have which callers and events start: a browser's
# handful of requests at once goes through. Together they leave a sixth to the workflows.
STARTED_BY_CALLERS = {"authorizer": 26, "api": 26, "query": 11, "inbox": 8, "probe": 5, "preflight": 4, "authoring": 3}
_OF_A_STAGE = 25

_STAGES = ("plan", "fetch", "extract", "merge", "partition", "model", "report", "commit")


@dataclass(frozen=True)
class Limits:
    """How much the emulator may run at a time, for functions that call each other through it.

    Args:
        workers: calls of functions; further ones are throttled.
        functions: the same for each function that has a limit of its own: those that callers start
            leave room for the workflows, and no stage of a workflow takes all of that room.
        active_ingests: runs of dropped files.
        waiting_calls: calls of the API that wait for a run.
    """

    workers: int
    functions: dict[str, int]
    active_ingests: int
    waiting_calls: int


def limits_of_this_machine() -> Limits:
    """What fits this machine's cores, and a third of its memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    fitting = memory // 3 // _WORKER_BYTES
    workers = max(_FEWEST_WORKERS, min(_WORKERS_OF_A_CORE * (os.cpu_count() or 1), fitting))
    shares = STARTED_BY_CALLERS | dict.fromkeys(_STAGES, _OF_A_STAGE)
    functions = {name: max(1, workers * share // 100) for name, share in shares.items()}
    return Limits(workers, functions, max(2, workers // 10), max(1, functions["api"] // 2))


class Emulator:
    """MiniStack on one port, with its state in one folder."""

    shares_disk = True

    def __init__(self, folder: Path, port: int) -> None:
        self.limits: Limits | None = limits_of_this_machine()
        self.parameters = (
            "CreateUserPool=yes",
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
        """The process id of our emulator; none when it is not running."""
        return is_running(self._pid_file, "ministack")

    def start(self) -> bool:
        """Start it unless it runs already.

        Returns:
            Whether an earlier state was lost, because it was killed instead of stopped.

        Raises:
            StepFailed: the port is taken, or it does not answer.
        """
        if self.pid() is not None and self._becomes_ready():
            return False
        self._end_what_was_left()
        self._require_free_port()
        lost = self._set_lost_state_aside()
        for name in ("state", "s3", "tmp"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self._process = self._spawn()
        self._pid_file.write_text(str(self._process.pid))
        if not self._becomes_ready():
            raise StepFailed(f"the emulator ended at once; see {self._log}")
        return lost

    def _spawn(self) -> subprocess.Popen[bytes]:
        name, _, value = self._marker.partition("=")
        environment = {
            **{name: value for name, value in os.environ.items() if name != _NO_BYTECODE},
            **aws_environment(self.url),
            name: value,
            "LAMBDA_ACCOUNT_CONCURRENCY": str(self.limits.workers if self.limits else 0),
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
        while not _is_free(self.port):
            if time.monotonic() > deadline:
                raise StepFailed(
                    f"port {self.port} is taken by another program; choose another one, as in: make run PORT=4666"
                )
            time.sleep(0.1)

    def _set_lost_state_aside(self) -> bool:
        """The emulator saves its state when it is stopped; one that was killed lost half of it."""
        if not self._pid_file.exists():
            return False
        started = self._pid_file.stat().st_mtime
        # On its stop it writes one such file for each service; other files are written at any time.
        saved = any(file.stat().st_mtime > started for file in self._state.glob("*.json"))
        shutil.rmtree(self.folder / "tmp", ignore_errors=True)
        if saved:
            return False
        aside = self.folder / f"lost-{time.strftime('%Y%m%d-%H%M%S')}"
        aside.mkdir(parents=True)
        for name in ("state", "s3"):
            if (self.folder / name).exists():
                (self.folder / name).rename(aside / name)
        console.print(f"  [yellow]The emulator was killed and its state is lost[/]; what remains is in {aside}.")
        return True

    def _becomes_ready(self) -> bool:
        """Wait for its answer; false when it ends instead.

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
        """Stop it, so that it saves its state, and its functions' processes; whether it was running.

        Raises:
            StepFailed: it does not end.
        """
        pid = self.pid()
        if pid is None:
            self._end_what_was_left()
            return False
        os.kill(pid, signal.SIGTERM)
        if not self._ends_within(_PATIENCE_SECONDS):
            self._end_workers(spare=pid)
            if not self._ends_within(_STOP_SECONDS - _PATIENCE_SECONDS):
                raise StepFailed(f"the emulator (process {pid}) does not end; see {self._log}")
        self._end_workers()
        self._pid_file.unlink(missing_ok=True)
        shutil.rmtree(self.folder / "tmp", ignore_errors=True)
        return True

    def _ends_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._process is not None:
                self._process.poll()  # our own child would stay listed until it is asked after
            if self.pid() is None:
                return True
            time.sleep(0.1)
        return False

    def _end_what_was_left(self) -> None:
        """End the processes of an emulator that was killed."""
        ended = self._end_workers()
        if ended:
            console.print(f"  ended {ended} processes of functions that a killed emulator had left")

    def _end_workers(self, spare: int | None = None) -> int:
        """End the processes that the emulator has started: all are in its process group, even when it is gone."""
        try:
            group = int(self._pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return 0
        return end_group(group, self._marker, spare=spare)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def is_running(pid_file: Path, name: str) -> int | None:
    """The process id in the file, if that process runs and its command names this program."""
    try:
        pid = int(pid_file.read_text())
        os.kill(pid, 0)
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return None
    command = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self").exists() and not (command.exists() and name.encode() in command.read_bytes()):
        return None  # the id was given to another process since
    return pid


def stop_process(pid_file: Path, name: str) -> None:
    """End the process in the file, if it still is that program."""
    pid = is_running(pid_file, name)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
    pid_file.unlink(missing_ok=True)


def aws_environment(url: str) -> dict[str, str]:
    """The variables with which AWS's tools speak to an emulator and to nobody else."""
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
