"""What the emulator and its functions survive."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from sluice_cli.local.emulator import Emulator
from support.server import Server, send
from support.stack import Deployed, function_processes, until

pytestmark = pytest.mark.skipif("SLUICE_STACK" in os.environ, reason="a stack that is not ours is not killed")


def project(deployed: Deployed, server: Server, name: str) -> dict[str, Any]:
    """A project over two slow upstreams; what they serve can be changed."""
    documents: dict[str, Any] = {}
    deployed.done("PUT", f"/projects/{name}", {"name": name, "merge": {"strategy": "join", "key": ["k"]}})
    for part in ("a", "b"):
        slug = f"{name}-{part}"
        documents[part] = [{"k": 1, part: 0}]

        def answer(handler: Any, part: str = part) -> None:
            time.sleep(documents.get("delay", 0))
            send(handler, json.dumps(documents[part]).encode())

        server.routes[f"/{slug}"] = answer
        deployed.done(
            "PUT", f"/datasources/{slug}", {"name": slug, "kind": "http", "http": {"url": f"{server.url}/{slug}"}}
        )
        deployed.done("PUT", f"/projects/{name}/datasources/{slug}", {})
    run = deployed.ended(deployed.done("POST", f"/projects/{name}/runs"))
    assert run["status"] == "succeeded", run
    documents |= {"a": [{"k": 1, "a": 1}], "b": [{"k": 1, "b": 1}], "delay": 1}
    return documents


@pytest.mark.parametrize("function", ["fetch", "extract", "merge", "commit", "plan"])
def test_run_survives_killed_function_processes(
    deployed: Deployed, server: Server, name: str, local_folder: Path, function: str
) -> None:
    project(deployed, server, name)
    run = deployed.done("POST", f"/projects/{name}/runs")
    killed = 0
    deadline = time.monotonic() + 20
    while killed < 2 and time.monotonic() < deadline:
        for pid, command in function_processes(local_folder):
            if f"sluice-{function}-" in command:
                try:
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
                except ProcessLookupError:
                    continue
        if deployed.done("GET", f"/runs/{run['id']}")["finished_at"]:
            break
        time.sleep(0.15)
    assert killed, f"no process of {function} was met"
    ended = deployed.ended(run)
    if ended["status"] != "succeeded" or deployed.rows(f"projects/{name}") != [{"k": 1, "a": 1, "b": 1}]:
        ended = deployed.ended(deployed.done("POST", f"/projects/{name}/runs", {"ingest": "all"}))
    assert ended["status"] == "succeeded", ended
    assert deployed.rows(f"projects/{name}") == [{"k": 1, "a": 1, "b": 1}]


def test_runs_survive_a_restart_of_the_emulator(deployed: Deployed, server: Server, name: str) -> None:
    assert deployed.local is not None
    documents = project(deployed, server, name)
    key, files, dropped = deployed.description["api_key"], 12, f"{name}-dropped"
    deployed.done("PUT", f"/datasources/{dropped}", {"name": name, "kind": "file", "write_disposition": "append"})
    run = deployed.done("POST", f"/projects/{name}/runs")
    for number in range(files):
        deployed.drop(f"{dropped}/{number}.csv", b"n\n%d\n" % number)
    time.sleep(0.8)
    deployed.local.down()
    deployed.use(deployed.local.up())
    assert deployed.description["api_key"] == key, "nothing is lost"
    old, new = [{"k": 1, "a": 0, "b": 0}], [{"k": 1, "a": 1, "b": 1}]
    assert deployed.rows(f"projects/{name}") in (old, new, [{"k": 1, "a": 1, "b": 0}], [{"k": 1, "a": 0, "b": 1}])
    documents["delay"] = 0
    ended = until(
        lambda: found if (found := deployed.done("GET", f"/runs/{run['id']}"))["finished_at"] else deployed.sweep()
    )
    if ended["status"] != "succeeded":
        assert "Redrive" in ended["error"]["detail"]
        ended = deployed.ended(deployed.done("POST", f"/runs/{run['id']}/redrive"))
    assert ended["status"] == "succeeded", ended
    assert deployed.rows(f"projects/{name}") == new
    until(lambda: len(deployed.done("GET", f"/runs?datasource={dropped}&status=succeeded")["items"]) == files, 240)
    assert sorted(row["n"] for row in deployed.rows(f"datasources/{dropped}")) == list(range(files))
    assert len(deployed.done("GET", f"/runs?datasource={dropped}")["items"]) == files
    assert deployed.done("GET", f"/runs?status=running&project={name}")["items"] == []


def test_state_of_a_killed_emulator_is_moved_aside(
    deployed: Deployed, server: Server, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last test, since it loses all that was stored; the command says so."""
    assert deployed.local is not None
    project(deployed, server, name)
    emulator = deployed.local.emulator
    assert isinstance(emulator, Emulator)
    pid = emulator.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: emulator.pid() is None)
    deployed.use(deployed.local.up())
    assert "state is lost" in capsys.readouterr().out
    assert deployed.call("GET", f"/projects/{name}").status_code == 404
    project(deployed, server, name)
    ended = deployed.ended(deployed.done("POST", f"/projects/{name}/runs"))
    assert ended["status"] == "succeeded"
    assert deployed.rows(f"projects/{name}") == [{"k": 1, "a": 1, "b": 1}]
