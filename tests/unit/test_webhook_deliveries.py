"""Events reach webhooks at least once, signed, and failures are listed and repeated."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.container import Container
from sluice.domain.names import now
from sluice.domain.subscription import signature
from sluice.errors import AddressForbidden, Unavailable
from sluice.platform.functions import Functions
from sluice.publication.delivery import deliver_overdue
from sluice.settings import Settings
from sluice.subscriptions.delivery import attempt_delivery, backoff_seconds
from support.client import Client
from support.documents import http_source, ingest
from support.functions import LocalFunctions
from support.upstream import StubResponse, ok, raw
from support.webhooks import HOOK, HOST, Hook, deliveries, fire, publish, subscribe, timers
from support.workflows import Killed, LocalWorkflows


def test_published_version_is_delivered_signed(
    admin: Client, services: Container, hook: Hook, functions: LocalFunctions
) -> None:
    created = subscribe(admin)
    publish(admin)
    assert hook.requests == [], "the request is sent by a call of its own"
    assert functions.run() == [{"status": "delivered"}]
    (request,), (listed,) = hook.requests, deliveries(admin, created)
    message = json.loads(request.content)
    assert message["data"] == {
        "dataset": "datasource/a",
        "datasource": "a",
        "project": None,
        "version": 1,
        "by": admin.get("/datasources/a/versions/1").json()["run"],
    }
    assert (message["event"], message["id"]) == ("version.published", listed["event_id"])
    assert (request.method, str(request.url)) == ("POST", HOOK)
    assert request.headers["sluice-event"] == "version.published"
    assert request.headers["sluice-delivery"] == listed["id"]
    timestamp, digest = re.fullmatch(r"t=(\d+),v1=(\w+)", request.headers["sluice-signature"]).groups()  # type: ignore[union-attr]
    signed = timestamp.encode() + b"." + request.content
    assert digest == hmac.new(created["secret"].encode(), signed, hashlib.sha256).hexdigest()
    assert (listed["status"], listed["attempts"], listed["response_status"], listed["error"]) == (
        "delivered",
        1,
        200,
        None,
    )
    assert timers() == []


def test_failed_run_is_delivered(admin: Client, services: Container, hook: Hook, functions: LocalFunctions) -> None:
    subscribe(admin, "run.failed", datasource="a")
    subscribe(admin, "run.failed", datasource="b")
    admin.put("/datasources/a", http_source("a", records="nothing"))
    run = ingest(admin, "a")
    functions.run()
    (message,) = hook.messages
    assert message["data"]["run"] == run["id"]
    assert message["data"]["error"]["type"].endswith("records-not-found")


def test_failed_attempts_are_repeated_by_timers_until_none_is_left(
    admin: Client, services: Container, hook: Hook, functions: LocalFunctions
) -> None:
    services.settings = services.settings.model_copy(update={"webhook_attempts": 3})
    created = subscribe(admin)
    hook.status = 503
    publish(admin)
    functions.run()
    (timer,) = timers()
    assert re.fullmatch(r"at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)", timer["ScheduleExpression"])
    assert timer["ActionAfterCompletion"] == "DELETE"
    assert len(timer["Name"]) <= 64
    (listed,) = deliveries(admin, created, "pending")
    assert (listed["attempts"], listed["response_status"], listed["error"]) == (1, 503, "The webhook has answered 503.")
    assert listed["next_attempt_at"] is not None
    assert [fire(functions), fire(functions), fire(functions)] == [1, 1, 0]
    (listed,) = deliveries(admin, created, "failed")
    assert (listed["attempts"], listed["next_attempt_at"]) == (3, None)
    assert deliveries(admin, created, "pending") == []
    assert len({request.content for request in hook.requests}) == 1, "each attempt sends the same bytes"


def test_redelivery_begins_anew(admin: Client, services: Container, hook: Hook, functions: LocalFunctions) -> None:
    services.settings = services.settings.model_copy(update={"webhook_attempts": 1})
    created = subscribe(admin)
    hook.status = 500
    publish(admin)
    functions.run()
    (failed,) = deliveries(admin, created, "failed")
    path = f"/subscriptions/{created['id']}/deliveries/{failed['id']}/redeliver"
    hook.status = 204
    answer = admin.post(path)
    assert (answer.status, answer.json()["status"]) == (202, "pending")
    functions.run()
    (delivered,) = deliveries(admin, created, "delivered")
    assert (delivered["attempts"], delivered["error"]) == (2, None)
    assert admin.post(path).status == 202, "a delivered one can be sent again, too"
    functions.run()
    assert len({message["id"] for message in hook.messages}) == 1
    assert len(hook.requests) == 3
    assert admin.post(f"/subscriptions/{created['id']}/deliveries/dlv_1/redeliver").status == 404


def test_redelivery_is_not_ended_by_an_attempt_that_is_still_waiting(
    admin: Client, services: Container, hook: Hook, functions: LocalFunctions
) -> None:
    services.settings = services.settings.model_copy(update={"webhook_attempts": 2})
    created = subscribe(admin)
    hook.status = 500
    publish(admin)
    functions.run()
    (listed,) = deliveries(admin, created)
    answers = iter([500, 200])

    def answer(request: httpx.Request) -> StubResponse:
        status = next(answers)
        if status == 500:  # while the last attempt waits for its answer
            admin.post(f"/subscriptions/{created['id']}/deliveries/{listed['id']}/redeliver")
        return raw(b"", status)

    hook.upstream.answer = answer
    fire(functions)
    functions.run()
    assert [item["status"] for item in deliveries(admin, created)] == ["delivered"]


def test_redirect_is_a_failure(admin: Client, services: Container, hook: Hook, functions: LocalFunctions) -> None:
    created = subscribe(admin)
    hook.upstream.answer = lambda request: (
        raw(b"", 307, location="http://169.254.169.254/") if request.url.host == HOST else ok([{"id": 1}])
    )
    publish(admin)
    functions.run()
    assert [request.url.host for request in hook.upstream.requests if request.method == "POST"] == [HOST]
    (listed,) = deliveries(admin, created)
    assert listed["error"] == "The webhook has answered 307; redirects are not followed."


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (AddressForbidden("10.0.0.1:80 is in a private network."), "private network"),
        (httpx.ConnectError(f"no route to {HOOK}"), "There was no response: ConnectError."),
        (httpx.ReadTimeout("slow"), "There was no response within 10 seconds."),
        (TimeoutError(), "There was no response within 10 seconds."),
    ],
)
def test_error_of_the_connection_is_listed(
    error: Exception, message: str, admin: Client, services: Container, hook: Hook, functions: LocalFunctions
) -> None:
    created = subscribe(admin)
    publish(admin)

    def fail(request: httpx.Request) -> StubResponse:
        raise error

    hook.upstream.answer = fail
    functions.run()
    (listed,) = deliveries(admin, created)
    assert message in listed["error"]
    assert "t0k3n" not in listed["error"]
    assert (listed["status"], listed["response_status"]) == ("pending", None)


def test_missing_secret_is_listed(admin: Client, services: Container, hook: Hook, functions: LocalFunctions) -> None:
    created = subscribe(admin)
    services.webhook_secrets.delete(created["id"])
    publish(admin)
    functions.run()
    assert deliveries(admin, created)[0]["error"] == "The signing secret is missing; rotate it."
    assert hook.requests == []


def test_one_call_per_delivery_so_that_no_webhook_holds_up_another(
    admin: Client, services: Container, hook: Hook, functions: LocalFunctions
) -> None:
    subscriptions = [subscribe(admin) for _ in range(3)]
    publish(admin)
    assert [call[1]["subscription"] for call in functions.calls] == [item["id"] for item in subscriptions]
    assert list(services.outbox.undelivered()) == [], "no follower waits for the webhooks"


def test_event_that_could_not_be_handed_over_is_delivered_later(
    admin: Client, services: Container, hook: Hook, functions: LocalFunctions
) -> None:
    subscribe(admin)
    subscribe(admin)
    functions.fail = Unavailable("Lambda throttles.")
    publish(admin)
    assert [event.delivered_to for event in services.outbox.undelivered()] == [["glue", "refresh_on_change"]]
    functions.fail = None
    assert deliver_overdue(services, 0) == 0
    functions.run()
    assert len(hook.requests) == 2


@pytest.mark.parametrize("step", ["deliveries.create", "outbox.mark_delivered"])
def test_process_killed_between_storing_and_sending_loses_nothing(
    step: str,
    admin: Client,
    services: Container,
    workflows: LocalWorkflows,
    hook: Hook,
    functions: LocalFunctions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    subscribe(admin)
    workflows.stream.enabled = False
    publish(admin)
    adapter, method = step.split(".")
    original = getattr(getattr(services, adapter), method)

    def kill(*arguments: Any, **named: Any) -> Any:
        original(*arguments, **named)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(getattr(services, adapter), method, kill)
        with pytest.raises(Killed):
            deliver_overdue(services, 0)
    assert deliver_overdue(services, 0) == 0
    functions.run()
    assert len({message["id"] for message in hook.messages}) == 1
    assert len(hook.requests) == 1


def test_process_killed_before_a_result_is_stored_sends_again(
    admin: Client, services: Container, hook: Hook, functions: LocalFunctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = subscribe(admin)
    hook.status = 500
    publish(admin)

    def kill(*arguments: Any, **named: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(services.deliveries, "record", kill)
        with pytest.raises(Killed):
            functions.run()
    assert [timer["event"]["attempt"] for timer in timers()] == [2], "the next attempt does not depend on the result"
    hook.status = 200
    assert fire(functions) == 1
    assert [item["status"] for item in deliveries(admin, created)] == ["delivered"]
    assert len(hook.requests) == 2


def test_repeated_call_sends_nothing_again(
    admin: Client, services: Container, hook: Hook, functions: LocalFunctions
) -> None:
    subscribe(admin)
    hook.status = 500
    publish(admin)
    ((_, event),) = functions.calls
    functions.run()
    assert attempt_delivery(services, event["subscription"], event["delivery"], 1) is not None
    hook.status = 200
    fire(functions)
    for attempt in (1, 2, 3):
        attempt_delivery(services, event["subscription"], event["delivery"], attempt)
    assert len(hook.requests) == 2
    assert attempt_delivery(services, event["subscription"], "dlv_1", 1) is None


def test_deliveries_are_paged_and_expire(
    admin: Client, services: Container, hook: Hook, functions: LocalFunctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = subscribe(admin)
    for name in "abc":
        publish(admin, name)
    functions.run()
    path = f"/subscriptions/{created['id']}/deliveries?status=delivered&limit=2"
    first = admin.get(path).json()
    second = admin.get(f"{path}&cursor={first['next']}").json()
    ids = [item["id"] for item in first["items"] + second["items"]]
    assert ids == sorted(ids, reverse=True)
    assert (len(set(ids)), second["next"]) == (3, None)
    assert admin.get(path.replace("delivered", "lost")).status == 422
    assert admin.get(path.replace("delivered", "failed") + f"&cursor={first['next']}").status == 422
    later = services.settings.webhook_days * 86400 + 60
    present = now().timestamp()
    monkeypatch.setattr("sluice.catalog.deliveries.time.time", lambda: present + later)
    assert admin.get(path).json()["items"] == []


@given(st.integers(1, 2000))
def test_backoff_doubles_up_to_its_limit(failed: int) -> None:
    settings = Settings()
    longest = min(60 * 2.0 ** min(failed - 1, 20), 21_600)
    assert longest / 2 <= backoff_seconds(settings, failed) <= longest


def test_signature_covers_time_and_body() -> None:
    signatures = {signature("s", 1, b"a"), signature("s", 2, b"a"), signature("s", 1, b"b"), signature("z", 1, b"a")}
    assert len(signatures) == 4


def test_call_of_a_function_is_asynchronous() -> None:
    class Lambda:
        """Botocore's client, as far as the port calls it."""

        def __init__(self) -> None:
            self.calls: list[dict[str, Any]] = []

        def invoke(self, **request: Any) -> None:
            self.calls.append(request)

    client = Lambda()
    Functions(client).call_later("arn:x", {"attempt": 1})  # type: ignore[arg-type]
    assert client.calls == [{"FunctionName": "arn:x", "InvocationType": "Event", "Payload": b'{"attempt":1}'}]
