"""The rate limit of each caller: what it lets through, what it costs, and its answers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.access.rate_limits import RateLimits
from sluice.catalog.locks import Locks
from sluice.container import Container
from support.client import Client, client_of, event_of
from support.workflows import Context

RATE, BURST = 100.0, 50


class Clock:
    """The time, which stands still until a test moves it."""

    def __init__(self) -> None:
        self.moment = 1_800_000_000.0

    def __call__(self) -> float:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


def admitted(limits: RateLimits, requests: int, caller: str = "key/a") -> int:
    return sum(limits.admit(caller) is None for _ in range(requests))


def test_burst_is_admitted_and_then_the_rate(services: Container, clock: Clock) -> None:
    limits = RateLimits(services.locks, RATE, BURST, clock)
    # The nine requests of a batch that was not full yet are admitted, too.
    assert admitted(limits, 1000) == BURST + 9
    wait = limits.admit("key/a")
    assert wait is not None
    assert 0 < wait <= 10 / RATE
    clock.moment += 0.2
    assert admitted(limits, 1000) == 0.2 * RATE


def test_callers_do_not_share_a_bucket(services: Container, clock: Clock) -> None:
    limits = RateLimits(services.locks, RATE, BURST, clock)
    admitted(limits, 1000)
    assert admitted(limits, 20, "key/b") == 20
    assert admitted(limits, 20, "ip/192.0.2.1") == 20


def test_refusal_ends_when_it_says(services: Container, clock: Clock) -> None:
    limits = RateLimits(services.locks, RATE, BURST, clock)
    admitted(limits, 1000)
    clock.moment += (limits.admit("key/a") or 0) + 1e-6
    assert limits.admit("key/a") is None


def test_write_for_a_tenth_of_the_requests_and_none_for_refused_ones(
    services: Container, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    takes: list[int] = []
    take = Locks.take

    def counted(locks: Locks, lock: str, tokens: int, *arguments: Any) -> float | None:
        takes.append(tokens)
        return take(locks, lock, tokens, *arguments)

    monkeypatch.setattr(Locks, "take", counted)
    limits = RateLimits(services.locks, RATE, BURST, clock)
    admitted(limits, BURST)
    assert takes == [10] * 5
    admitted(limits, 1000)
    assert len(takes) == 6


def test_no_limit_means_no_call_to_the_table() -> None:
    assert admitted(RateLimits(None, 0, 1), 1000) == 1000  # type: ignore[arg-type]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    arrivals=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 200)), min_size=1, max_size=80),
    rate=st.sampled_from([1.0, 5.0, 20.0, 100.0]),
    burst=st.integers(1, 60),
    name=st.uuids(),
)
def test_processes_together_keep_to_the_limit(
    services: Container, arrivals: list[tuple[int, int]], rate: float, burst: int, name: Any
) -> None:
    """However requests are spread over processes and time, they exceed the bucket by less than a batch each."""
    clock = Clock()
    begin = clock.moment
    processes = [RateLimits(services.locks, rate, burst, clock) for _ in range(4)]
    batch = max(1, min(int(rate / 10), burst))
    count = 0
    for process, milliseconds in arrivals:
        clock.moment += milliseconds / 1000
        count += processes[process].admit(f"key/{name}") is None
        assert count <= burst + rate * (clock.moment - begin) + len(processes) * (batch - 1) + 1e-3


def limited(services: Container, **changes: Any) -> None:
    services.settings = services.settings.model_copy(update={"key_requests_per_second": 0.01, **changes})


def test_answer_says_when_to_come_again(services: Container) -> None:
    limited(services, key_burst=3)
    viewer, other = client_of(services, "viewer"), client_of(services, "viewer")
    answers = [viewer.get("/me") for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].headers["Retry-After"] == "100"
    assert answers[-1].json()["type"] == "urn:sluice:problem:too-many-requests"
    assert (
        answers[-1].json()["detail"] == "More than 0.01 requests a second from this key or user; wait, then try again."
    )
    assert other.get("/me").status == 200


@pytest.mark.parametrize("path", ["/me", "/projects/p/data", "/algorithms", "/projects/p/records"])
def test_all_functions_take_from_one_bucket(services: Container, path: str) -> None:
    limited(services, key_burst=1)
    viewer = client_of(services, "viewer")
    assert viewer.get("/me").status == 200
    assert viewer.get(path).status == 429


def test_probe_is_limited(services: Container) -> None:
    limited(services, key_burst=1)
    editor = client_of(services, "editor")
    editor.get("/me")
    assert editor.post("/datasources/detect", {"url": "https://a.example"}).status == 429


def test_refused_write_changes_nothing(services: Container, admin: Client) -> None:
    limited(services, key_burst=1)
    admin.get("/me")
    assert admin.put("/projects/p", {"name": "P"}).status == 429
    limited(services, key_requests_per_second=0)
    del services.__dict__["rate_limits"]
    assert admin.get("/projects/p").status == 404


def test_addresses_without_a_key_are_limited_each(services: Container) -> None:
    from api.app import handler

    limited(services, key_burst=2)

    def status(address: str) -> int:
        event = event_of("GET", "/health", None, {})
        event["requestContext"]["identity"] = {"sourceIp": address}
        answer: int = handler(event, Context())["statusCode"]
        return answer

    assert [status("192.0.2.1") for _ in range(3)] == [200, 200, 429]
    assert status("192.0.2.2") == 200


def test_links_are_limited(services: Container) -> None:
    limited(services, key_burst=1)
    assert [Client().get("/links?token=x").status for _ in range(2)] == [404, 429]
