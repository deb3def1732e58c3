"""The command's client, and the limits of the local stack."""

import os
from collections.abc import Callable

import httpx
import pytest

from sluice_cli.api import Api, send_with_retries
from sluice_cli.emulator import CALLER_SHARES, machine_limits
from sluice_cli.progress import StepFailed


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, while no time passes but in them."""
    made: list[float] = []
    monkeypatch.setattr("sluice_cli.api.time.sleep", made.append)
    monkeypatch.setattr("sluice_cli.api.time.monotonic", lambda: sum(made))
    return made


def sender(*answers: httpx.Response) -> Callable[[], httpx.Response]:
    left = iter(answers)
    return lambda: next(left)


def busy(status: int = 429, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize("status", [429, 503])
def test_a_request_is_sent_again_when_the_api_says_so(pauses: list[float], status: int) -> None:
    answer = send_with_retries(sender(busy(status, retry_after="7"), httpx.Response(200)))
    assert answer.status_code == 200
    assert len(pauses) == 1
    assert 7 <= pauses[0] < 8


def test_pauses_grow_where_the_api_does_not_say_how_long_to_wait(pauses: list[float]) -> None:
    assert send_with_retries(sender(*[busy()] * 8, httpx.Response(201))).status_code == 201
    assert len(pauses) == 8
    assert all(later > earlier for earlier, later in zip(pauses[:3], pauses[2:5], strict=True))
    assert max(pauses) <= 5


@pytest.mark.parametrize(
    "answers", [[busy(retry_after="1000")], [busy()] * 1000], ids=["asks for too much", "for ever"]
)
def test_nobody_waits_for_ever(pauses: list[float], answers: list[httpx.Response]) -> None:
    assert send_with_retries(sender(*answers), seconds=60).status_code == 429
    assert sum(pauses) <= 60


@pytest.mark.parametrize("status", [200, 202, 404, 409, 500, 502])
def test_any_other_answer_is_the_answer(pauses: list[float], status: int) -> None:
    assert send_with_retries(sender(httpx.Response(status))).status_code == status
    assert pauses == []


def test_the_commands_client_waits_for_its_turn(pauses: list[float]) -> None:
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
def test_the_emulator_runs_what_fits_the_machine(
    monkeypatch: pytest.MonkeyPatch, cores: int, gigabytes: int, workers: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    monkeypatch.setattr(os, "sysconf", lambda name: 4096 if "SIZE" in name else gigabytes * (1 << 30) // 4096)
    limits = machine_limits()
    assert limits.workers == workers
    assert min(limits.functions.values()) >= 1
    left = workers - sum(limits.functions[name] for name in CALLER_SHARES)
    assert left >= limits.active_ingests, "there is room for the workflows, however many call the API"
    assert limits.waiting_calls < limits.functions["api"], "there is room for calls that do not wait"
