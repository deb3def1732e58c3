"""The commands of `sluice`, which call the application in this process instead of a server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import click
import httpx
from click.testing import CliRunner

from sluice_cli.api import Api
from sluice_cli.progress import StepFailed
from support.client import Client

_URL = "http://api.test/v1"


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


def in_process_api(client: Client, requests: Requests | None = None) -> Api:
    """The commands' client of the API that the tests call through `client`."""
    requests = requests or Requests()

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode().removeprefix("/v1")
        requests.seen.append((request.method, path.partition("?")[0]))
        if requests.refuse(request.method, path):
            return httpx.Response(500, json={"detail": "the test refuses this request"})
        body = request.content.decode() or None
        reply = client.call(request.method, path, body)
        return httpx.Response(reply.status, headers={"Content-Type": "application/json"}, text=reply.text)

    api = Api(_URL, client.key or "")
    api._client = httpx.Client(base_url=_URL, transport=httpx.MockTransport(answer))
    return api


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
    if result.exception is not None and not isinstance(result.exception, SystemExit | StepFailed):
        raise result.exception
    # The application in this process prints its metrics.
    output = "".join(line for line in result.output.splitlines(keepends=True) if not line.startswith('{"_aws"'))
    failure = result.exception if isinstance(result.exception, StepFailed) else None
    return Done(output, str(failure) if failure else "", result.exit_code)
