"""Bursts of dropped files: a few runs are active at a time, the others wait, and none is lost."""

import os
import time

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.container import Container
from sluice.domain.dataset import Origin
from sluice.domain.run import Drop, Run, execution_name
from sluice.platform.workflows import ExecutionState
from sluice.runs.drops import receive_drop
from sluice.runs.reconcile import reconcile, reconcile_if_silent, sweep
from support.client import Client
from support.documents import drop, inbox_keys, rows
from support.workflows import LocalWorkflows

MOST = 2


@pytest.fixture
def notes(services: Container, admin: Client) -> None:
    services.settings = services.settings.model_copy(update={"max_active_ingests": MOST})
    admin.post("/datasources", {"name": "notes", "kind": "file", "write_disposition": "append"})


def stored(key: str, body: bytes) -> Drop:
    """A file that lies in the inbox, and that nobody has announced."""
    answer = boto3.client("s3").put_object(Bucket="inbox", Key=key, Body=body)
    etag = answer["ETag"].strip('"')
    return Drop(bucket="inbox", key=key, size=len(body), etag=etag, version_id=answer["VersionId"])


def dropped(services: Container, count: int) -> list[Run]:
    runs = [receive_drop(services, stored(f"notes/{number}.csv", f"n\n{number}\n".encode())) for number in range(count)]
    return [run for run in runs if run is not None]


def running(services: Container, workflows: LocalWorkflows) -> list[str]:
    """The ids of the runs whose executions run, oldest first."""
    return sorted(
        name.rpartition("-")[0] for name, outcome in workflows.outcomes.items() if outcome.status == "RUNNING"
    )


def finish(services: Container, workflows: LocalWorkflows, run_id: str) -> None:
    """Let the execution of one run go on to its end; those that start because of it are held."""
    run = services.runs.get(run_id)
    del workflows.outcomes[execution_name(run)]
    workflows.hold = False
    workflows.before_task = lambda function, payload: setattr(workflows, "hold", function == "run_events")
    workflows.start(run)
    workflows.before_task = lambda function, payload: None


@pytest.mark.usefixtures("notes")
def test_files_wait_for_a_slot_and_the_oldest_is_next(
    services: Container, admin: Client, workflows: LocalWorkflows
) -> None:
    workflows.hold = True
    runs = [run.id for run in dropped(services, 5)]
    assert running(services, workflows) == runs[:MOST]
    waiting = admin.get(f"/runs/{runs[4]}").json()
    assert (waiting["status"], waiting["progress"]["stage"]) == ("pending", "waiting")
    finish(services, workflows, runs[1])
    assert running(services, workflows) == [runs[0], runs[2]]
    for run in (runs[0], runs[2], runs[3], runs[4]):
        finish(services, workflows, run)
        assert len(running(services, workflows)) <= MOST
    assert {services.runs.get(run).status for run in runs} == {"succeeded"}
    assert sorted(row["n"] for row in rows(admin, "datasources/notes")) == [0, 1, 2, 3, 4]
    assert services.slots.holders("ingests") == set()


@pytest.mark.usefixtures("notes")
def test_waiting_run_does_not_count_as_lost(services: Container, workflows: LocalWorkflows) -> None:
    workflows.hold = True
    services.runs._lease_seconds = -10
    last = dropped(services, MOST + 1)[-1]
    waiting = services.runs.get(last.id)
    assert reconcile_if_silent(services, waiting) == waiting
    assert sweep(services, 0) == MOST + 1
    assert last.id not in running(services, workflows)
    assert services.runs.get(last.id) == waiting


@pytest.mark.usefixtures("notes")
def test_run_cancelled_while_waiting_never_starts(
    services: Container, admin: Client, workflows: LocalWorkflows
) -> None:
    workflows.hold = True
    runs = [run.id for run in dropped(services, MOST + 2)]
    assert admin.post(f"/runs/{runs[MOST]}/cancel").status == 200
    finish(services, workflows, runs[0])
    assert running(services, workflows) == [runs[1], runs[MOST + 1]]
    sweep(services, 0)
    assert services.runs.get(runs[MOST]).active is None


@pytest.mark.usefixtures("notes")
def test_sweep_frees_the_slot_of_an_ended_run(services: Container, workflows: LocalWorkflows) -> None:
    workflows.hold = True
    runs = [run.id for run in dropped(services, MOST + 1)]
    gone = services.runs.get(runs[0])
    services.runs.finish(gone, status="succeeded")
    services.runs.mark_reconciled(gone)
    assert sweep(services, 0) > 0
    assert runs[MOST] in running(services, workflows)


@pytest.mark.usefixtures("notes")
def test_lost_run_of_a_drop_is_redriven(services: Container, admin: Client, workflows: LocalWorkflows) -> None:
    workflows.hold = True
    runs = [run.id for run in dropped(services, MOST + 1)]
    for run in runs[:MOST]:
        workflows.outcomes[f"{run}-1"] = ExecutionState("FAILED", "States.Runtime", "the emulator was stopped")
    workflows.hold = False
    sweep(services, 0)
    assert [(services.runs.get(run).status, services.runs.get(run).attempt) for run in runs] == [
        ("succeeded", 2),
        ("succeeded", 2),
        ("succeeded", 1),
    ]
    assert sorted(row["n"] for row in rows(admin, "datasources/notes")) == [0, 1, 2]


@pytest.mark.usefixtures("notes")
def test_run_of_a_drop_that_is_lost_each_time_fails(services: Container, workflows: LocalWorkflows) -> None:
    workflows.hold = True
    (run,) = dropped(services, 1)
    for attempt in range(1, services.settings.lost_run_attempts + 1):
        workflows.outcomes[f"{run.id}-{attempt}"] = ExecutionState(
            "FAILED", "States.Runtime", "the emulator was stopped"
        )
        sweep(services, 0)
    ended = services.runs.get(run.id)
    assert (ended.status, ended.attempt) == ("failed", services.settings.lost_run_attempts)


@pytest.mark.usefixtures("notes")
def test_redriven_run_of_a_drop_waits_for_a_slot(services: Container, admin: Client, workflows: LocalWorkflows) -> None:
    failed = drop(services, "notes/bad.json", b"{")
    assert failed is not None
    assert failed["status"] == "failed"
    workflows.hold = True
    runs = [run.id for run in dropped(services, MOST)]
    assert admin.post(f"/runs/{failed['id']}/redrive").status == 202
    assert services.runs.get(failed["id"]).waits
    assert admin.post(f"/runs/{failed['id']}/redrive").status == 409
    finish(services, workflows, runs[0])
    assert running(services, workflows) == sorted([failed["id"], runs[1]])


@pytest.mark.usefixtures("notes")
def test_sweep_finds_a_file_whose_notification_was_lost(services: Container, admin: Client) -> None:
    known = drop(services, "notes/known.csv", b"n\n1\n")
    for number in (2, 3):
        stored(f"notes/{number}.csv", f"n\n{number}\n".encode())
    stored("unknown/x.csv", b"n\n1\n")
    assert sweep(services, 60) == 0, "their notifications may be on their way"
    assert len(list(services.runs.newest())) == 1
    sweep(services, 0)
    sweep(services, 0)
    runs = list(services.runs.newest("datasource/notes"))
    assert [run.drop.key for run in runs if run.drop] == ["notes/3.csv", "notes/2.csv", "notes/known.csv"]
    assert known is not None
    assert [row["n"] for row in rows(admin, "datasources/notes")] == [1, 2, 3]
    assert [key for key in inbox_keys() if "unknown" in key] == [
        "_unknown/unknown/x.csv",
        "_unknown/unknown/x.csv.reason.json",
    ]


@pytest.mark.usefixtures("notes")
def test_sweep_ignores_a_file_that_an_earlier_release_has_seen(services: Container) -> None:
    """Its lock has another name there; its run says that it is known."""
    seen = stored("notes/a.csv", b"n\n1\n")
    assert receive_drop(services, seen) is not None
    lock = f"drop#inbox/{seen.key}#{seen.version_id}"
    assert services.locks.release(lock, "attribute_exists(#run)", {})
    sweep(services, 0)
    assert len(list(services.runs.newest())) == 1


@pytest.mark.usefixtures("notes")
def test_error_of_one_file_does_not_stop_the_sweep(services: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**request: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "CopyObject")

    monkeypatch.setattr(services.s3, "copy_object", refuse)
    stored("a-file-of-nobody/x.csv", b"n\n1\n")
    stored("notes/a.csv", b"n\n1\n")
    sweep(services, 0)
    assert [run.status for run in services.runs.newest()] == ["succeeded"]


@pytest.mark.usefixtures("notes")
def test_sweep_ignores_a_deleted_file(services: Container) -> None:
    stored("notes/a.csv", b"n\n1\n")
    boto3.client("s3").delete_object(Bucket="inbox", Key="notes/a.csv")
    sweep(services, 0)
    assert list(services.runs.newest()) == []


@pytest.mark.usefixtures("notes")
def test_sweep_lists_a_limited_number_of_files_and_the_next_one_continues(
    services: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.settings = services.settings.model_copy(update={"sweep_files": 2})
    listing = services.s3.list_object_versions
    monkeypatch.setattr(services.s3, "list_object_versions", lambda **request: listing(**request, MaxKeys=2))
    for number in range(5):
        stored(f"notes/{number}.csv", f"n\n{number}\n".encode())
    counts = []
    for _ in range(4):
        sweep(services, 0)
        counts.append(len(list(services.runs.newest())))
    assert counts == [2, 4, 5, 5]


@pytest.mark.usefixtures("notes")
def test_sweep_of_files_ends_in_time(services: Container) -> None:
    services.settings = services.settings.model_copy(update={"sweep_seconds": 0.0})
    for number in range(3):
        stored(f"notes/{number}.csv", f"n\n{number}\n".encode())
    for expected in (1, 2, 3):
        sweep(services, 0)
        assert len(list(services.runs.newest())) == expected


def test_later_file_of_a_key_is_published_if_the_notification_of_the_earlier_one_was_lost(
    services: Container, admin: Client
) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file"})
    stored("notes/a.csv", b"n\n1\n")
    time.sleep(1.1 - time.time() % 1)  # S3 says in seconds when an object was written
    assert receive_drop(services, stored("notes/a.csv", b"n\n2\n")) is not None
    sweep(services, 0)
    assert rows(admin, "datasources/notes") == [{"n": 2}]
    assert len(admin.get("/datasources/notes/versions").json()["items"]) == 2


def test_later_of_two_files_without_notifications_is_published(services: Container, admin: Client) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file"})
    for number in (1, 2, 3):
        stored("notes/a.csv", f"n\n{number}\n".encode())
    sweep(services, 0)
    assert rows(admin, "datasources/notes") == [{"n": 3}]


@pytest.mark.parametrize("order", [[5, 3, 4, 0, 1, 2], [0, 5, 1, 4, 2, 3], [5, 4, 3, 2, 1, 0]], ids=str)
def test_last_of_many_files_of_a_key_within_a_second_is_published(
    services: Container, admin: Client, order: list[int]
) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file"})
    time.sleep(1.05 - time.time() % 1)
    drops = [stored("notes/a.csv", f"n\n{number}\n".encode()) for number in range(6)]
    for number in order:  # as the sweep takes them up, without what S3's notification says of their order
        assert receive_drop(services, drops[number].model_copy(update={"sequencer": ""})) is not None
    assert rows(admin, "datasources/notes") == [{"n": 5}]


def end(services: Container, workflows: LocalWorkflows, run_id: str) -> None:
    """Let a run end as if it had ingested its file; those that start because of it are held."""
    run = services.runs.get(run_id)
    workflows.outcomes[execution_name(run)] = ExecutionState("SUCCEEDED")
    services.runs.finish(run, status="succeeded")
    reconcile(services, services.runs.get(run_id))


@settings(
    max_examples=200 if os.environ.get("PROOF") else 8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.sampled_from(["drop", "announce again", "lose", "end", "kill", "sweep"]), max_size=14))
def test_each_file_has_one_run_and_runs_start_in_order(
    services: Container,
    admin: Client,
    workflows: LocalWorkflows,
    monkeypatch: pytest.MonkeyPatch,
    events: list[str],
) -> None:
    services.settings = services.settings.model_copy(update={"max_active_ingests": MOST})
    slug = f"d{time.monotonic_ns()}"
    admin.post("/datasources", {"name": slug, "kind": "file", "write_disposition": "append"})
    files: list[Drop] = []
    starts: list[str] = []

    def start(run: Run) -> None:
        starts.append(run.id)
        LocalWorkflows.start(workflows, run)

    monkeypatch.setattr(workflows, "start", start)
    workflows.hold = True
    for event in events:
        if event in ("drop", "lose"):
            files.append(stored(f"{slug}/{len(files)}.csv", b"n\n%d\n" % len(files)))
        if event == "drop" or (event == "announce again" and files):
            receive_drop(services, files[-1])
        active = running(services, workflows)
        if event == "end" and active:
            end(services, workflows, active[-1])
        if event == "kill":
            for run_id in active:
                name = execution_name(services.runs.get(run_id))
                workflows.outcomes[name] = ExecutionState("FAILED", "States.Runtime", "the emulator was stopped")
        if event == "sweep":
            sweep(services, 0)
        assert len(running(services, workflows)) <= MOST
    sweep(services, 0)
    while active := running(services, workflows):
        assert len(active) <= MOST
        end(services, workflows, active[0])
    sweep(services, 0)
    runs = list(services.runs.newest(f"datasource/{slug}"))
    assert sorted(run.drop.key for run in runs if run.drop) == sorted(file.key for file in files)
    assert {run.status for run in runs} <= {"succeeded", "failed"}
    assert {run.attempt for run in runs if run.status == "failed"} <= {services.settings.lost_run_attempts}
    first_starts = list(dict.fromkeys(starts))
    assert first_starts == sorted(first_starts), "the oldest first"
    assert (services.runs.active(), services.slots.holders("ingests")) == ([], set())


EARLY, LATE = "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:01.000Z"


@pytest.mark.parametrize(
    ("this", "other", "older"),
    [
        (("01", LATE, 0), ("02", EARLY, 0), True),
        (("", EARLY, 0), ("02", LATE, 0), True),
        (("01", EARLY, 0), ("", LATE, 0), True),
        (("", LATE, 0), ("", EARLY, 9), False),
        (("", EARLY, 0), ("", EARLY, 0), False),
        (("", EARLY, 1), ("02", EARLY, 2), True),
        (("01", EARLY, 2), ("", EARLY, 1), False),
        (("", None, 0), ("", LATE, 0), False),
    ],
)
def test_order_of_two_files_of_a_key(this: tuple[str, str, int], other: tuple[str, str, int], older: bool) -> None:
    origins = [
        Origin(key="k", sequencer=sequencer, modified=modified, older_in_second=position)
        for sequencer, modified, position in (this, other)
    ]
    assert origins[0].is_older_than(origins[1]) is older


def test_slots_are_limited(services: Container) -> None:
    slots = services.slots
    assert [slots.take("x", holder, 2) for holder in ("a", "b", "c")] == [True, True, False]
    assert slots.take("x", "a", 2), "who has one keeps it"
    assert slots.take("y", "c", 1), "another name, other slots"
    slots.free("x", "a")
    slots.free("x", "a", "nobody")
    assert slots.take("x", "c", 2)
    assert slots.holders("x") == {"b", "c"}
