"""The commands of `sluice`, which call the application in this process instead of a server."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import click
import httpx
import pytest
from click.testing import CliRunner

from sluice.container import Container
from sluice_cli.errors import StepFailed
from sluice_cli.main import main
from sluice_client import Sluice, SluiceError
from support.api_transport import API, ApiTransport
from support.client import Client

# What the fixture `shop` has published.
RECORDS: list[dict[str, Any]] = [{"id": 1, "name": "Ada", "tags": ["a", "b"]}, {"id": 2, "name": None, "tags": []}]


@dataclass
class Requests:
    """The requests of a client, and which of them fail.

    Args:
        refuse: gets each method and path, and says whether the request fails before it reaches the API.
        seen: the methods and paths, without the query, in their order.
    """

    refuse: Callable[[str, str], bool] = lambda method, path: False
    seen: list[tuple[str, str]] = field(default_factory=list)

    def writes(self) -> list[str]:
        """What was written, such as `PUT /projects/p`."""
        return [f"{method} {path}" for method, path in self.seen if method != "GET"]


def in_process_api(client: Client, requests: Requests | None = None) -> Sluice:
    """The commands' client of the API that the tests call through `client`."""
    requests = requests or Requests()

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode().removeprefix("/v1")
        requests.seen.append((request.method, path.partition("?")[0]))
        if requests.refuse(request.method, path):
            return httpx.Response(500, json={"detail": "the test refuses this request"})
        reply = client.call(request.method, path, request.content.decode() or None, **dict(request.headers))
        return httpx.Response(reply.status, headers={"Content-Type": "application/json"}, text=reply.text)

    return Sluice("http://api.test/v1", client.key, transport=httpx.MockTransport(answer))


@dataclass
class Done:
    """What a command did.

    Args:
        output: what it printed.
        error: why it failed; empty if it did not.
        code: its exit code.
    """

    output: str
    error: str
    code: int


def run_command(command: click.Command, *arguments: str, answers: str | None = None) -> Done:
    """Run a command.

    Args:
        answers: what the user types.
    """
    result = CliRunner().invoke(command, list(arguments), input=answers)
    if result.exception is not None and not isinstance(result.exception, SystemExit | StepFailed | SluiceError):
        raise result.exception
    # The application in this process prints its metrics.
    output = "".join(line for line in result.output.splitlines(keepends=True) if not line.startswith('{"_aws"'))
    failure = result.exception if isinstance(result.exception, StepFailed | SluiceError) else None
    return Done(output, str(failure) if failure else "", result.exit_code)


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str


class Commands:
    """Calls `sluice` as the shell does: with arguments, and with the exit code and both outputs as the result."""

    def __init__(
        self, services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self.transport = ApiTransport(services)
        monkeypatch.setenv("SLUICE_API", API)
        monkeypatch.setenv("SLUICE_API_KEY", admin.key or "")
        monkeypatch.setattr("sluice_cli.connection.Sluice", lambda url, key: Sluice(url, key, transport=self.transport))

    def __call__(self, *arguments: str, stdin: str | None = None) -> Outcome:
        self._capsys.readouterr()
        self._monkeypatch.setattr("sys.argv", ["sluice", *arguments])
        if stdin is not None:
            self._monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        code: Any = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        captured = self._capsys.readouterr()
        # The functions of the API log to stdout in this process.
        out = "".join(
            line for line in captured.out.splitlines(keepends=True) if not line.startswith(('{"_aws"', '{"level"'))
        )
        return Outcome(code, out, captured.err)
