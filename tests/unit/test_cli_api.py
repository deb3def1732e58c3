"""The client of the commands, and the limits of the local stack."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from sluice_cli.api import Api, send_with_retries
from sluice_cli.emulator import CALLER_SHARES, machine_limits
from sluice_cli.progress import StepFailed
from sluice_cli.stack import drop_file, private_networks


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses of the client; time passes during them only."""
    pauses: list[float] = []
    monkeypatch.setattr("sluice_cli.api.time.sleep", pauses.append)
    monkeypatch.setattr("sluice_cli.api.time.monotonic", lambda: sum(pauses))
    return pauses


def test_file_for_no_datasource_is_not_dropped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    requested = []

    def answer(self: Api, path: str) -> None:
        requested.append(f"{self.url}{path}")
        raise StepFailed("There is no datasource 'nosuch'.")

    monkeypatch.setattr(Api, "get", answer)
    stack = {"api": "http://local/v1", "api_key": "k", "endpoint_url": "http://local", "inbox_bucket": "inbox"}
    (tmp_path / "stack.json").write_text(json.dumps(stack))
    with pytest.raises(StepFailed, match="nosuch"):
        drop_file(tmp_path, "nosuch", tmp_path / "x.db")
    assert requested == ["http://local/v1/datasources/nosuch"]


def test_local_stack_may_call_the_networks_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PRIVATE_NETWORKS", raising=False)
    assert private_networks() == "127.0.0.0/8,::1/128"
    monkeypatch.setenv("PRIVATE_NETWORKS", "10.0.0.0/8, 172.17.0.0/16")
    assert private_networks() == "127.0.0.0/8,::1/128,10.0.0.0/8,172.17.0.0/16"


def sender(*answers: httpx.Response) -> Callable[[], httpx.Response]:
    remaining = iter(answers)
    return lambda: next(remaining)


def busy(status: int = 429, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize("status", [429, 503])
def test_busy_request_is_retried_after_retry_after(pauses: list[float], status: int) -> None:
    answer = send_with_retries(sender(busy(status, retry_after="7"), httpx.Response(200)))
    assert answer.status_code == 200
    assert len(pauses) == 1
    assert 7 <= pauses[0] < 8


def test_pauses_grow_without_retry_after(pauses: list[float]) -> None:
    assert send_with_retries(sender(*[busy()] * 8, httpx.Response(201))).status_code == 201
    assert len(pauses) == 8
    assert all(later > earlier for earlier, later in zip(pauses[:3], pauses[2:5], strict=True))
    assert max(pauses) <= 5


@pytest.mark.parametrize(
    "answers", [[busy(retry_after="1000")], [busy()] * 1000], ids=["asks for too much", "for ever"]
)
def test_retries_end_after_the_time_limit(pauses: list[float], answers: list[httpx.Response]) -> None:
    assert send_with_retries(sender(*answers), seconds=60).status_code == 429
    assert sum(pauses) <= 60


@pytest.mark.parametrize("status", [200, 202, 404, 409, 500, 502])
def test_other_statuses_are_not_retried(pauses: list[float], status: int) -> None:
    assert send_with_retries(sender(httpx.Response(status))).status_code == status
    assert pauses == []


def test_client_retries_while_the_api_is_busy(pauses: list[float]) -> None:
    client = Api("http://sluice.test/v1", "key")
    answers = sender(busy(), httpx.Response(200, json={"items": []}), httpx.Response(404, json={"detail": "no"}))
    client._client = httpx.Client(
        base_url="http://sluice.test/v1", transport=httpx.MockTransport(lambda request: answers())
    )
    assert client.get("/runs") == {"items": []}
    with pytest.raises(StepFailed, match="answered 404: no"):
        client.get("/runs")
    client.close()


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
