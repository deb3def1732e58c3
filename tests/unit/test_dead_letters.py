"""Events that a function has failed on for the last time: the sweep takes them up again, each once."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto.sqs.models import sqs_backends

from policies import of_type
from run_events.app import handler
from sluice.catalog import table, transactions
from sluice.container import Container
from sluice.domain.run import Run
from sluice.errors import Unavailable
from sluice.platform.workflows import ExecutionState
from sluice.runs import dead_letters, drops, scheduled
from sluice.runs.start import ingest_run
from sluice.runs.start import start as start_run
from support.client import Client
from support.documents import http_source, rows
from support.functions import LocalFunctions
from support.moto_dynamodb import ACCOUNT
from support.upstream import Upstream
from support.workflows import Context, Killed, LocalWorkflows

PREFIX = "arn:aws:lambda:us-east-1:123456789012:function"


class Queues:
    """The queue of undelivered events and the one beside it, as the template has them."""

    def __init__(self, services: Container) -> None:
        self._sqs = boto3.client("sqs", region_name="us-east-1")
        self._rejected = self._sqs.create_queue(QueueName="RejectedQueue")["QueueUrl"]
        properties = of_type("AWS::SQS::Queue")["UndeliveredQueue"]
        redrive = properties["RedrivePolicy"]
        assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": ["RejectedQueue", "Arn"]}
        self.receipts: int = redrive["maxReceiveCount"]
        target = f"arn:aws:sqs:us-east-1:{ACCOUNT}:RejectedQueue"
        self.url = self._sqs.create_queue(
            QueueName="UndeliveredQueue",
            Attributes={
                "VisibilityTimeout": str(properties["VisibilityTimeout"]),
                "RedrivePolicy": json.dumps({**redrive, "deadLetterTargetArn": target}),
            },
        )["QueueUrl"]
        services.settings = services.settings.model_copy(update={"undelivered_queue": self.url, "emulated": True})

    def send(self, body: str) -> None:
        self._sqs.send_message(QueueUrl=self.url, MessageBody=body)

    def fail(self, function: str, event: Any, request_id: str | None = "request-1") -> None:
        """Put a call of a function into the queue, as Lambda does when it has failed for the last time."""
        context = {"requestId": request_id, "functionArn": f"{PREFIX}:sluice-{function}:$LATEST"}
        record = {
            "version": "1.0",
            "timestamp": "2026-01-01T00:05:00.000Z",
            "requestContext": {**context, "condition": "RetriesExhausted", "approximateInvokeCount": 3},
            "requestPayload": event,
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "responsePayload": {"errorMessage": "it failed", "errorType": "Unavailable"},
        }
        self.send(json.dumps(record))

    def let_an_hour_pass(self) -> None:
        """Show the messages that a sweep has received and not deleted to the next one."""
        for message in sqs_backends[ACCOUNT]["us-east-1"].get_queue("UndeliveredQueue")._messages:
            message.change_visibility(0)

    def left(self) -> int:
        """How many messages are in the queue, received or not."""
        return len(sqs_backends[ACCOUNT]["us-east-1"].get_queue("UndeliveredQueue")._messages)

    def rejected(self) -> list[str]:
        messages = self._sqs.receive_message(QueueUrl=self._rejected, MaxNumberOfMessages=10).get("Messages", [])
        return [message["Body"] for message in messages]


@pytest.fixture
def queues(services: Container) -> Queues:
    return Queues(services)


def sweep() -> None:
    handler({"sweep": True}, Context())


def dropped(key: str, body: bytes) -> dict[str, Any]:
    """A file in the inbox, and the event of EventBridge that announces it."""
    stored = boto3.client("s3").put_object(Bucket="inbox", Key=key, Body=body)
    described = {"key": key, "size": len(body), "etag": stored["ETag"].strip('"'), "version-id": stored["VersionId"]}
    return {"detail-type": "Object Created", "detail": {"bucket": {"name": "inbox"}, "object": described}}


def runs(admin: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = admin.get("/runs?limit=200").json()["items"]
    return found


def test_undelivered_drop_is_ingested(queues: Queues, admin: Client) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file"})
    event = dropped("notes/a.csv", b"n\n1\n")
    queues.fail("inbox", event)
    sweep()
    assert rows(admin, "datasources/notes") == [{"n": 1}]
    assert queues.left() == 0
    queues.fail("inbox", event)
    sweep()
    assert (len(runs(admin)), queues.left()) == (1, 0), "a second record of the same file starts nothing"


def test_undelivered_notification_of_s3_is_ingested(queues: Queues, admin: Client) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file"})
    described = dropped("notes/a b.csv", b"n\n1\n")["detail"]["object"]
    stored = {"key": "notes/a+b.csv", "size": 4, "eTag": described["etag"], "versionId": described["version-id"]}
    queues.fail("inbox", {"Records": [{"s3": {"bucket": {"name": "inbox"}, "object": stored}}]})
    sweep()
    assert (rows(admin, "datasources/notes"), queues.left()) == ([{"n": 1}], 0)


def test_undelivered_firing_starts_one_run(queues: Queues, admin: Client, upstream: Upstream) -> None:
    upstream.serve([{"id": 1}])
    admin.post("/datasources", http_source("coins", schedule={"expression": "rate(1 hour)"}))
    firing = {"kind": "datasource", "slug": "coins", "execution": "0f9c-1", "time": "2026-01-01T00:00:00Z"}
    for _ in range(2):
        queues.fail("scheduled", firing)
    queues.fail("scheduled", {**firing, "slug": "gone"})
    sweep()
    assert ([run["trigger"] for run in runs(admin)], queues.left()) == (["schedule"], 0)


@pytest.mark.parametrize("request_id", ["request-1", None], ids=["request id", "none, as on an emulator"])
def test_undelivered_firing_without_an_execution_id_starts_one_run(
    queues: Queues, admin: Client, upstream: Upstream, request_id: str | None
) -> None:
    upstream.serve([{"id": 1}])
    admin.post("/datasources", http_source("coins", schedule={"expression": "rate(1 hour)"}))
    firing = {"kind": "datasource", "slug": "coins", "execution": "<aws.scheduler.execution-id>"}
    queues.fail("scheduled", firing, request_id)
    sweep()
    sweep()
    assert (len(runs(admin)), queues.left()) == (1, 0)


def started(services: Container, workflows: LocalWorkflows) -> Run:
    """A run whose execution has ended, of which nobody was told."""
    workflows.hold = True
    run = start_run(services, ingest_run("coins", "api", "test"))
    workflows.outcomes[f"{run.id}-1"] = ExecutionState("FAILED", "Lambda.Unknown", "it died")
    return run


def test_undelivered_end_of_an_execution_ends_its_run(
    services: Container, queues: Queues, admin: Client, workflows: LocalWorkflows, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.post("/datasources", http_source("coins"))
    run = started(services, workflows)
    monkeypatch.setattr("run_events.app.sweep", lambda *_: 0)  # which would find the run by itself
    queues.fail("run_events", {"detail": {"name": f"{run.id}-2"}})
    sweep()
    assert (services.runs.get(run.id).finished, queues.left()) == (False, 0), "another attempt's end is not this one's"
    queues.fail("run_events", {"detail": {"name": f"{run.id}-1"}})
    queues.fail("run_events", {"detail": {"name": f"{run.id}-1"}})
    queues.fail("run_events", {"detail": {"name": "01JB5ZK3V6Q8Y0M2N4P6R8T0W2-1"}})
    sweep()
    assert (services.runs.get(run.id).status, queues.left()) == ("failed", 0)


@pytest.mark.parametrize("function", ["run_events", "publications"])
def test_undelivered_sweep_is_deleted(queues: Queues, function: str) -> None:
    queues.fail(function, {"sweep": True})
    sweep()
    assert queues.left() == 0


UNREADABLE = {
    "no JSON": "nonsense",
    "no record": '{"sweep": true}',
    "no event": json.dumps({"requestContext": {"functionArn": f"{PREFIX}:sluice-inbox"}, "requestPayload": None}),
    "another function": json.dumps(
        {"requestContext": {"functionArn": f"{PREFIX}:other-thing:$LATEST"}, "requestPayload": {}}
    ),
    "no drop": json.dumps({"requestContext": {"functionArn": f"{PREFIX}:sluice-inbox"}, "requestPayload": {"a": 1}}),
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_message_is_logged_and_rejected_after_five_sweeps(
    queues: Queues, admin: Client, caplog: pytest.LogCaptureFixture, body: str
) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file"})
    queues.send(body)
    queues.fail("inbox", dropped("notes/a.csv", b"n\n1\n"))
    for count in range(1, queues.receipts + 1):
        sweep()
        (logged,) = (record for record in caplog.records if record.levelname == "ERROR")  # once in each sweep
        assert (logged.levelname, logged.getMessage()) == ("ERROR", "cannot handle an undelivered event")
        assert logged.exc_info is not None
        assert isinstance(logged.exc_info[1], (ValueError, KeyError)), "with the reason"
        assert (queues.left(), queues.rejected()) == (1, []), count
        queues.let_an_hour_pass()
        caplog.clear()
    assert rows(admin, "datasources/notes") == [{"n": 1}], "the others are taken up"
    sweep()
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    assert (queues.left(), queues.rejected()) == (0, [body])


def test_event_that_fails_again_waits_for_the_next_sweep(
    queues: Queues, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file"})
    queues.fail("inbox", dropped("notes/a.csv", b"n\n1\n"))
    monkeypatch.setattr("run_events.app.sweep", lambda *_: 0)  # which would find the file by itself

    def unavailable(*_: Any) -> None:
        raise Unavailable("DynamoDB does not answer.")

    with monkeypatch.context() as patched:
        patched.setattr(dead_letters, "receive_drop", unavailable)
        sweep()
    assert (runs(admin), queues.left()) == ([], 1)
    queues.let_an_hour_pass()
    sweep()
    assert (rows(admin, "datasources/notes"), queues.left()) == ([{"n": 1}], 0)


def test_sweep_continues_if_the_queue_cannot_be_read(queues: Queues, caplog: pytest.LogCaptureFixture) -> None:
    boto3.client("sqs").delete_queue(QueueUrl=queues.url)
    assert handler({"sweep": True}, Context()) == {"under_way": 0}
    assert [record.getMessage() for record in caplog.records] == ["cannot read the queue of undelivered events"]


def test_sweep_works_without_a_queue(services: Container) -> None:
    assert dead_letters.retry_undelivered(services) == 0


def test_sweep_handles_a_limited_number_of_messages(services: Container, queues: Queues) -> None:
    services.settings = services.settings.model_copy(update={"sweep_messages": 2})
    for _ in range(5):
        queues.fail("run_events", {"sweep": True})
    assert [dead_letters.retry_undelivered(services) for _ in range(4)] == [2, 2, 1, 0]


def test_sweep_of_messages_ends_in_time(services: Container, queues: Queues, monkeypatch: pytest.MonkeyPatch) -> None:
    moments: Iterator[float] = iter([0.0, 10.0, 29.0, 31.0])
    monkeypatch.setattr("sluice.runs.dead_letters.time", SimpleNamespace(monotonic=lambda: next(moments)))
    for _ in range(5):
        queues.fail("run_events", {"sweep": True})
    assert dead_letters.retry_undelivered(services) == 2
    assert queues.left() == 3


def test_locks_outlast_the_queue() -> None:
    for properties in of_type("AWS::SQS::Queue").values():
        assert properties["MessageRetentionPeriod"] < min(drops._SEEN_SECONDS, scheduled._SEEN_SECONDS)


def test_function_of_the_sweep_can_read_the_queue() -> None:
    function = of_type("AWS::Lambda::Function")["RunEventsFunction"]
    assert function["Environment"]["Variables"]["UNDELIVERED_QUEUE"] == {"Ref": "UndeliveredQueue"}
    for config in of_type("AWS::Lambda::EventInvokeConfig").values():
        assert config["DestinationConfig"]["OnFailure"] == {
            "Destination": {"Fn::GetAtt": ["UndeliveredQueue", "Arn"]},
        }
    visible = of_type("AWS::SQS::Queue")["UndeliveredQueue"]["VisibilityTimeout"]
    assert function["Timeout"] < visible < 3600, "one sweep at a time has a message, and the next one sees it"


@settings(
    max_examples=60 if os.environ.get("PROOF") else 8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["drop", "fire"]), st.integers(0, 2), st.booleans(), st.none() | st.integers(0, 12)),
        max_size=8,
    )
)
def test_each_event_has_one_run_if_any_sweep_is_killed(
    services: Container,
    queues: Queues,
    admin: Client,
    workflows: LocalWorkflows,
    monkeypatch: pytest.MonkeyPatch,
    steps: list[tuple[str, int, bool, int | None]],
) -> None:
    """Files and firings, recorded once or more; some sweeps are killed before one of their calls of DynamoDB."""
    workflows.hold = True
    name = f"d{time.monotonic_ns()}"
    admin.post("/datasources", {"name": name, "kind": "file"})
    admin.post("/datasources", http_source(f"h{name}", schedule={"expression": "rate(1 hour)"}))
    expected = set()
    files: dict[int, dict[str, Any]] = {}
    for kind, number, twice, calls in steps:
        expected.add((kind, number))
        if kind == "drop":
            event = files.setdefault(number, dropped(f"{name}/{number}.csv", b"n\n%d\n" % number))
        else:
            event = {"kind": "datasource", "slug": f"h{name}", "execution": f"{name}-{number}"}
        function = {"drop": "inbox", "fire": "scheduled"}[kind]
        queues.fail(function, event)
        if twice:
            queues.fail(function, event)
        if calls is not None:
            with monkeypatch.context() as patched:
                around = dying_after(calls)
                patched.setattr(table, "translated_errors", around)
                patched.setattr(transactions, "translated_errors", around)
                with suppress(Killed):
                    sweep()
            queues.let_an_hour_pass()
    sweep()
    assert queues.left() == 0
    of_files = [run for run in services.runs.newest(f"datasource/{name}") if run.trigger == "drop"]
    fired = list(services.runs.newest(f"datasource/h{name}"))
    assert len(of_files) == len({number for kind, number in expected if kind == "drop"})
    assert len(fired) == len({number for kind, number in expected if kind == "fire"})


def dying_after(calls: int) -> Callable[[], AbstractContextManager[None]]:
    """What is around each call of DynamoDB, in a process that is killed before one of them."""
    remaining = iter(range(calls))
    translated_errors = table.translated_errors

    def around() -> AbstractContextManager[None]:
        if next(remaining, None) is None:
            raise Killed
        return translated_errors()

    return around


def test_event_that_kills_the_function_costs_the_runs_no_sweep(
    queues: Queues,
    admin: Client,
    services: Container,
    workflows: LocalWorkflows,
    upstream: Upstream,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def die(*arguments: Any) -> None:
        raise Killed

    upstream.serve([{"id": 1}])
    admin.post("/datasources", http_source("a"))
    workflows.settle_ends = False
    start_run(services, ingest_run("a", "api", "key/test"))
    assert len(services.runs.active()) == 1
    monkeypatch.setattr(dead_letters, "receive_drop", die)
    queues.fail("inbox", dropped("notes/a.csv", b"n\n1\n"))
    with pytest.raises(Killed):
        handler({"sweep": True, "grace_seconds": 0}, Context())
    assert services.runs.active() == []


def test_undelivered_call_of_a_webhook_is_made_again_a_few_times(
    queues: Queues, services: Container, functions: LocalFunctions
) -> None:
    """Each call that fails leaves another message, so the queue's own count does not end it."""
    event = {"subscription": "s", "delivery": "dlv_1", "attempt": 1}
    for _ in range(10):
        queues.fail("webhooks", event)
        sweep()
        if not functions.calls:
            break
        ((name, event),) = functions.calls
        functions.calls.clear()
        assert name == "webhooks"
    assert (event["calls"], queues.left()) == (6, 1)
