"""The emulator's process as `make up` handles it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from sluice_cli.errors import StepFailed
from sluice_cli.local.emulator import Emulator
from sluice_cli.local.localstack import LocalStackContainer
from sluice_cli.local.processes import group_members
from support.bare import Bare
from support.stack import free_port


def test_error_for_a_used_port_names_the_setting(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(StepFailed, match=rf"uses port {port}.*PORT="):
            Emulator(tmp_path, port).start()


def test_stopped_emulator_keeps_its_state_and_killed_one_is_detected(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path, free_port())
    assert emulator.start() is False
    assert emulator.start() is False, "it is running"
    Bare(emulator).client("s3").create_bucket(Bucket="kept")
    Bare(emulator).client("sqs").create_queue(QueueName="kept")
    assert emulator.stop()
    assert not emulator.stop()
    assert emulator.start() is False
    assert Bare(emulator).client("sqs").list_queues()["QueueUrls"]
    pid = emulator.pid()
    assert pid is not None
    os.kill(pid, signal.SIGTERM)  # as another program would stop it
    while emulator.pid() is not None:
        time.sleep(0.1)
    assert emulator.start() is False
    pid = emulator.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert emulator.start() is True
    assert not Bare(emulator).client("sqs").list_queues().get("QueueUrls")
    assert list(tmp_path.glob("lost-*/s3")), "the remaining files are moved aside"
    emulator.stop()


def busy_emulator(folder: Path) -> tuple[Emulator, int]:
    """An emulator, by its process group, whose functions' processes do not read that it is gone."""
    emulator = Emulator(folder, free_port())
    emulator.start()
    group = emulator.pid()
    assert group is not None
    bare = Bare(emulator)
    bare.function("sleeps", "import time\ndef handler(event, context): time.sleep(600)")
    for _ in range(3):
        bare.client("lambda").invoke(FunctionName="sleeps", InvocationType="Event", Payload=b"{}")
    deadline = time.monotonic() + 30
    while len(group_members(group)) < 4:
        assert time.monotonic() < deadline, "the functions do not start"
        time.sleep(0.1)
    return emulator, group


def test_down_ends_function_processes_of_a_killed_emulator(tmp_path: Path) -> None:
    emulator, group = busy_emulator(tmp_path)
    os.kill(group, signal.SIGKILL)
    while emulator.pid() is not None:
        time.sleep(0.05)
    assert not emulator.stop(), "it is not running"
    assert group_members(group) == []


def test_down_ends_function_processes_and_keeps_the_state(tmp_path: Path) -> None:
    emulator, group = busy_emulator(tmp_path)
    Bare(emulator).client("sqs").create_queue(QueueName="kept")
    assert emulator.stop()
    assert group_members(group) == []
    assert emulator.start() is False
    assert Bare(emulator).client("sqs").list_queues()["QueueUrls"]
    emulator.stop()


def test_start_ends_processes_of_a_killed_emulator(tmp_path: Path) -> None:
    emulator, group = busy_emulator(tmp_path)
    os.kill(group, signal.SIGKILL)
    while emulator.pid() is not None:
        time.sleep(0.05)
    assert emulator.start() is True
    assert group_members(group) == []
    emulator.stop()


def test_process_group_without_the_marker_is_not_killed(tmp_path: Path) -> None:
    other = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        emulator = Emulator(tmp_path, free_port())
        (tmp_path / "emulator.pid").write_text(str(other.pid))
        assert not emulator.stop()
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_reused_process_id_is_not_ours(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path, free_port())
    (tmp_path / "emulator.pid").write_text(str(os.getpid()))
    assert emulator.pid() is None


def test_localstack_without_docker_fails_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StepFailed, match="needs a Docker engine"):
        LocalStackContainer(tmp_path, free_port()).start()


def engine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `docker` that writes down what it is command for."""
    said = folder / "said.txt"
    script = folder / "docker"
    script.write_text(f'#!/bin/sh\necho "$@" >> {said}\n[ "$1" != run ]\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return said


def test_localstack_image_that_needs_an_account_fails_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = engine(tmp_path, monkeypatch)
    monkeypatch.setenv("LOCALSTACK_IMAGE", "localstack/localstack:2026.5")
    monkeypatch.delenv("LOCALSTACK_AUTH_TOKEN", raising=False)
    with pytest.raises(StepFailed, match=r"LOCALSTACK_AUTH_TOKEN.*4\.14\.0"):
        LocalStackContainer(tmp_path, free_port()).start()
    monkeypatch.setenv("LOCALSTACK_AUTH_TOKEN", "secret")
    with pytest.raises(StepFailed, match="docker run failed"):
        LocalStackContainer(tmp_path, free_port()).start()
    command = said.read_text()
    assert "localstack/localstack:2026.5" in command
    assert "secret" not in command, "only the name of the variable is in the command"


def test_free_localstack_image_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = engine(tmp_path, monkeypatch)
    monkeypatch.delenv("LOCALSTACK_IMAGE", raising=False)
    port = free_port()
    with pytest.raises(StepFailed, match="docker run failed"):
        LocalStackContainer(tmp_path, port).start()
    command = said.read_text()
    assert "localstack/localstack:4.14.0" in command
    assert f"--publish 127.0.0.1:{port}:4566" in command
