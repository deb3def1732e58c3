"""What the local stack allows its functions, and the ports of its sample servers."""

import os
import socket
import textwrap
from pathlib import Path

import httpx
import pytest
from pytest_socket import enable_socket

from sluice_cli.local.emulator import CALLER_SHARES, machine_limits
from sluice_cli.local.samples import SampleServers
from sluice_cli.local.stack import private_networks


def test_local_stack_may_call_the_networks_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PRIVATE_NETWORKS", raising=False)
    assert private_networks() == "127.0.0.0/8,::1/128"
    monkeypatch.setenv("PRIVATE_NETWORKS", "10.0.0.0/8, 172.17.0.0/16")
    assert private_networks() == "127.0.0.0/8,::1/128,10.0.0.0/8,172.17.0.0/16"


@pytest.mark.parametrize(
    ("cores", "gigabytes", "workers"), [(2, 24, 48), (8, 16, 54), (2, 4, 16), (1, 1, 16), (64, 512, 1536)]
)
def test_emulator_limits_fit_the_machine(
    monkeypatch: pytest.MonkeyPatch, cores: int, gigabytes: int, workers: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    monkeypatch.setattr(os, "sysconf", lambda name: 4096 if "SIZE" in name else gigabytes * (1 << 30) // 4096)
    limits = machine_limits()
    assert limits.workers == workers
    assert min(limits.functions.values()) >= 1
    room = workers - sum(limits.functions[name] for name in CALLER_SHARES)
    assert room >= limits.active_ingests, "callers leave room for the workflows"
    assert limits.waiting_calls < limits.functions["api"], "waiting calls leave room for others"


SERVER = """
    import sys
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()

    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def test_each_blueprint_has_a_sample_server_and_keeps_its_port(tmp_path: Path) -> None:
    enable_socket()  # the servers listen on loopback
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        first = int(taken.getsockname()[1])
        commands = {}
        for name in ("coins", "shop"):
            commands[name] = tmp_path / name / "server.py"
            commands[name].parent.mkdir()
            commands[name].write_text(textwrap.dedent(SERVER))
        servers = SampleServers(tmp_path / "samples", first)
        try:
            urls = {name: servers.start(name, command) for name, command in commands.items()}
            assert len({*urls.values(), f"http://127.0.0.1:{first}"}) == 3, "the first port belongs to another program"
            assert servers.start("coins", commands["coins"]) == urls["coins"], "it runs already"
            servers.stop_all()
            again = SampleServers(tmp_path / "samples", first)
            assert {name: again.start(name, command) for name, command in reversed(commands.items())} == urls
            assert httpx.get(urls["shop"], trust_env=False).status_code == 200
        finally:
            servers.stop_all()
