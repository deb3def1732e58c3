"""The emulator's process as `make up` handles it."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

import pytest

from sluice_cli.emulator import Emulator
from sluice_cli.progress import StepFailed
from support.bare import Bare
from support.stack import free_port


def test_a_busy_port_is_named_with_the_setting_that_changes_it(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StepFailed, match=rf"port {port} is taken.*PORT="):
            Emulator(tmp_path, port).start()


def test_an_emulator_that_was_stopped_keeps_its_state_and_one_that_was_killed_is_found_out(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path, free_port())
    assert emulator.start() is False
    assert emulator.start() is False, "it runs already"
    Bare(emulator).client("s3").create_bucket(Bucket="kept")
    Bare(emulator).client("sqs").create_queue(QueueName="kept")
    assert emulator.stop()
    assert not emulator.stop()
    assert emulator.start() is False
    assert Bare(emulator).client("sqs").list_queues()["QueueUrls"]
    pid = emulator.pid()
    assert pid is not None
    os.kill(pid, signal.SIGTERM)  # by somebody else, but politely
    while emulator.pid() is not None:
        time.sleep(0.1)
    assert emulator.start() is False
    pid = emulator.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert emulator.start() is True
    assert not Bare(emulator).client("sqs").list_queues().get("QueueUrls")
    assert list(tmp_path.glob("lost-*/s3")), "what remained is set aside"
    emulator.stop()


def test_a_process_that_only_has_the_same_id_is_not_ours(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path, free_port())
    (tmp_path / "emulator.pid").write_text(str(os.getpid()))
    assert emulator.pid() is None
