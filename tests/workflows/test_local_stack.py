"""The emulator's process as `make up` handles it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from sluice_cli.emulator import Emulator
from sluice_cli.localstack import LocalStackContainer
from sluice_cli.processes import group_members
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


def test_down_ends_the_functions_processes_of_an_emulator_that_was_killed(tmp_path: Path) -> None:
    emulator, group = busy_emulator(tmp_path)
    os.kill(group, signal.SIGKILL)
    while emulator.pid() is not None:
        time.sleep(0.05)
    assert not emulator.stop(), "it is not running"
    assert group_members(group) == []


def test_down_ends_the_functions_processes_and_the_state_is_kept(tmp_path: Path) -> None:
    emulator, group = busy_emulator(tmp_path)
    Bare(emulator).client("sqs").create_queue(QueueName="kept")
    assert emulator.stop()
    assert group_members(group) == []
    assert emulator.start() is False
    assert Bare(emulator).client("sqs").list_queues()["QueueUrls"]
    emulator.stop()


def test_a_start_ends_what_a_killed_emulator_has_left(tmp_path: Path) -> None:
    emulator, group = busy_emulator(tmp_path)
    os.kill(group, signal.SIGKILL)
    while emulator.pid() is not None:
        time.sleep(0.05)
    assert emulator.start() is True
    assert group_members(group) == []
    emulator.stop()


def test_a_group_without_our_mark_is_left_alone(tmp_path: Path) -> None:
    other = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        emulator = Emulator(tmp_path, free_port())
        (tmp_path / "emulator.pid").write_text(str(other.pid))
        assert not emulator.stop()
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_process_that_only_has_the_same_id_is_not_ours(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path, free_port())
    (tmp_path / "emulator.pid").write_text(str(os.getpid()))
    assert emulator.pid() is None


def test_localstack_without_docker_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StepFailed, match="needs a Docker engine"):
        LocalStackContainer(tmp_path, free_port()).start()


def engine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `docker` that writes down what it is asked for."""
    said = folder / "said.txt"
    script = folder / "docker"
    script.write_text(f'#!/bin/sh\necho "$@" >> {said}\n[ "$1" != run ]\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return said


def test_a_localstack_that_needs_an_account_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = engine(tmp_path, monkeypatch)
    monkeypatch.setenv("LOCALSTACK_IMAGE", "localstack/localstack:2026.5")
    monkeypatch.delenv("LOCALSTACK_AUTH_TOKEN", raising=False)
    with pytest.raises(StepFailed, match=r"LOCALSTACK_AUTH_TOKEN.*4\.14\.0"):
        LocalStackContainer(tmp_path, free_port()).start()
    monkeypatch.setenv("LOCALSTACK_AUTH_TOKEN", "secret")
    with pytest.raises(StepFailed, match="docker run failed"):
        LocalStackContainer(tmp_path, free_port()).start()
    asked = said.read_text()
    assert "localstack/localstack:2026.5" in asked
    assert "secret" not in asked, "the token is handed on by its name"


def test_the_free_localstack_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = engine(tmp_path, monkeypatch)
    monkeypatch.delenv("LOCALSTACK_IMAGE", raising=False)
    port = free_port()
    with pytest.raises(StepFailed, match="docker run failed"):
        LocalStackContainer(tmp_path, port).start()
    asked = said.read_text()
    assert "localstack/localstack:4.14.0" in asked
    assert f"--publish 127.0.0.1:{port}:4566" in asked
