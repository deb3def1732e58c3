"""Runs, pushes and uploads by the Python client, over the API in this process."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import numpy
import pandas
import polars
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.container import Container
from sluice_client import (
    Conflict,
    InvalidResponse,
    NotFound,
    PushInterrupted,
    RunFailed,
    RunTimeout,
    Sluice,
    ValidationError,
)
from sluice_client._push import batches
from sluice_client._retries import Retries
from support.api_transport import API, ApiTransport
from support.client import Client
from support.documents import JOIN, http_source
from support.upstream import Upstream, ok, raw
from support.workflows import LocalWorkflows


@pytest.fixture
def transport(services: Container) -> ApiTransport:
    return ApiTransport(services)


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def sluice(transport: ApiTransport, admin: Client, pauses: list[float]) -> Iterator[Sluice]:
    with Sluice(API, admin.key, transport=transport) as client:
        client._connection.retries = Retries(sleep=pauses.append, clock=lambda: sum(pauses))
        yield client


def test_run_reports_its_result(sluice: Sluice, upstream: Upstream) -> None:
    upstream.serve([{"id": 1}])
    sluice.put("/datasources/a", http_source("a"))
    source = sluice.datasource("a")
    seen: list[str] = []
    run = source.run(on_progress=lambda run: seen.append(run.status))
    assert (run.status, run.version, run.rows, run.warnings) == ("succeeded", 1, 1, [])
    assert run.completeness == "complete"
    assert run.finished
    assert seen[-1] == "succeeded"
    assert next(run.pages())["number"] == 1
    assert next(run.events())["event"] == "created"
    assert source.run(replay=1).document["requests"] == 0
    assert len(upstream.requests) == 1
    assert [found.id for found in source.runs(limit=1)] == [next(sluice.runs(kind="ingest")).id]
    assert [found.id for found in sluice.runs(id=[run.id], since=datetime(2020, 1, 1, tzinfo=UTC))] == [run.id]
    assert list(sluice.runs(status="failed")) == []
    assert f"<Run {run.id}: ingest of a, succeeded>" == repr(run)
    assert (run.stale, run.sources, run.summary) == ([], [], None)
    assert "succeeded" in run._repr_html_()
    with pytest.raises(Conflict):
        run.cancel()
    with pytest.raises(NotFound):
        sluice.run("01J00000000000000000000000")
    assert source.check()["ok"]
    assert source.preview()["records"] == [{"id": 1}]


def test_run_says_what_is_stale(sluice: Sluice, upstream: Upstream) -> None:
    upstream.serve([{"id": 1}])
    sluice.put("/datasources/a", http_source("a"))
    sluice.put("/projects/p", {"name": "p", "merge": JOIN, "refresh_on": "manual"})
    sluice.put("/projects/p/datasources/a", {})
    sluice.project("p").run()
    upstream.answer = lambda request: raw(b"", status=401)
    run = sluice.project("p").run()
    assert [(entry["datasource"], entry["version"]) for entry in run.stale] == [("a", 1)]
    assert [(use["datasource"], use["outcome"]) for use in run.sources] == [("a", "failed")]
    assert (run.summary or "").startswith("0 of 1 source fetched")
    assert repr(run) == f"<Run {run.id}: refresh of p, succeeded, stale (a), {run.summary}>"
    shown = run._repr_html_()
    assert all(word in shown for word in ("0 of 1 source fetched", "stale", "sources", "answered 401"))


def test_failed_run_is_an_error_that_says_why(sluice: Sluice, upstream: Upstream) -> None:
    upstream.answer = lambda request: raw(b"no", status=403)
    sluice.put("/datasources/a", http_source("a"))
    with pytest.raises(RunFailed, match=r"The run \w+ failed: .*403") as failed:
        sluice.datasource("a").run()
    assert failed.value.problem is not None
    assert failed.value.problem["type"] == "urn:sluice:problem:source-refused"
    run = sluice.run(failed.value.run_id)
    assert str(pickle.loads(pickle.dumps(failed.value))) == str(failed.value)
    upstream.serve([{"id": 1}])
    assert run.redrive().wait().status == "succeeded"


def test_waiting_polls_until_the_end_or_the_timeout(
    sluice: Sluice, workflows: LocalWorkflows, pauses: list[float]
) -> None:
    sluice.put("/datasources/a", http_source("a"))
    workflows.hold = True
    run = sluice.datasource("a").run(wait=False)
    assert not run.finished
    with pytest.raises(RunTimeout, match="has not ended after 30 s"):
        run.wait(timeout=30)
    assert sum(pauses) <= 30
    assert max(pauses) <= 2, "progress stays visible"
    followed = run.follow(timeout=1000)
    assert next(followed).status == "pending"
    pauses.append(50.0)  # the caller has taken so long
    next(followed)
    assert pauses[-2:] == [50.0, 50.0], "half of the time is left to others"
    run.cancel()
    assert list(followed) == [], "it has ended"
    with pytest.raises(RunFailed, match="was cancelled") as cancelled:
        run.wait()
    assert cancelled.value.problem is None


def test_fetch_returns_data_and_failed_datasources(
    services: Container, sluice: Sluice, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.answer = lambda request: raw(b"", status=404) if "bad" in request.url.host else ok([{"id": 1}])
    sluice.put("/projects/p", {"name": "p", "merge": JOIN, "refresh_on": "manual"})
    for name in ("good", "bad"):
        sluice.put(f"/datasources/{name}", http_source(name))
        sluice.put(f"/projects/p/datasources/{name}", {})
    short = sluice.project("p").fetch()
    assert short.data == [{"id": 1}]
    assert [error["datasource"] for error in short.errors] == ["bad"]
    assert repr(short).startswith("<FetchResult: data: 1 row; failed: bad: ")
    assert "<td>1</td>" in short._repr_html_()
    # A refresh that takes longer than the API waits is answered with its run.
    monkeypatch.setattr("sluice.api.project_fetch.wait_for_run", lambda services, run, seconds: (run, True))
    sluice.put("/projects/p", {"name": "p", "merge": {"strategy": "concatenation"}, "refresh_on": "manual"})
    long = sluice.project("p").fetch()
    assert long.data == {"0": [{"id": 1}]}
    assert [(error["datasource"], "404" in error["error"]) for error in long.errors] == [("bad", True)]
    sluice.delete("/projects/p/datasources/good")
    nothing = sluice.project("p").fetch()
    assert nothing.data is None
    assert "data: none" in repr(nothing)


TWINS = pandas.DataFrame([[1, 2]], columns=["a", "a"])
ROWS = [{"id": 1, "price": 1.5}, {"id": 2, "price": None}]


@pytest.mark.parametrize(
    "records",
    [
        ROWS,
        iter(ROWS),
        polars.DataFrame(ROWS),
        pandas.DataFrame(ROWS, index=[7, 8]),
        pyarrow.Table.from_pylist(ROWS),
    ],
    ids=["list", "iterator", "polars", "pandas", "arrow"],
)
def test_records_of_every_form(records: Any) -> None:
    assert list(batches(records)) == [b'{"id":1,"price":1.5}\n{"id":2,"price":null}\n']


def test_pushed_records_are_readable(sluice: Sluice) -> None:
    sluice.post("/datasources", {"name": "log", "kind": "push", "primary_key": ["id"]})
    pushed = sluice.datasource("log").push(ROWS, wait=True)
    assert (pushed.accepted, len(pushed.runs), pushed.runs[0].status) == (2, 1, "succeeded")
    assert list(sluice.datasource("log").rows()) == ROWS
    assert sluice.datasource("log").push([]).accepted == 0
    assert sluice.datasource("log").push({"id": 3}).accepted == 1


def test_batches_keep_the_order_and_name_what_is_stored(
    sluice: Sluice, transport: ApiTransport, workflows: LocalWorkflows, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert batches.__defaults__ == (2_900_000,), "below the API's limit of 3,000,000"
    monkeypatch.setattr(batches, "__defaults__", (40,))
    workflows.hold = True
    sluice.post("/datasources", {"name": "log", "kind": "push", "primary_key": ["id"]})
    log = sluice.datasource("log")
    records = [{"id": number, "v": "x" * 10} for number in range(5)]
    pushed = log.push(records, idempotency_key="import")
    assert pushed.accepted == 5
    sent = [request for request in transport.requests if request.url.path.endswith("/records")]
    assert [json.loads(request.content)["id"] for request in sent] == [0, 1, 2, 3, 4]
    assert [request.headers["idempotency-key"] for request in sent] == [f"import-{number}" for number in range(5)]
    again = log.push(records, idempotency_key="import")
    assert (again.accepted, [run.id for run in again.runs]) == (5, [run.id for run in pushed.runs])

    with pytest.raises(PushInterrupted, match=r"first 2 records are stored.*no value in 'id'") as interrupted:
        log.push([*records[:2], {"v": "no key" * 5}, {"id": 7}])
    assert interrupted.value.accepted == 2
    assert interrupted.value.runs == (pushed.runs[0].id,)
    assert str(pickle.loads(pickle.dumps(interrupted.value))) == str(interrupted.value)
    with pytest.raises(PushInterrupted, match="bytes"):
        log.push([*records[:2], {"id": b"10"}])
    with pytest.raises(ValidationError, match="no value in 'id'"):
        log.push([{"v": "x" * 40}, *records])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=5,
)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.dictionaries(st.text(), json_values, max_size=4), max_size=20), st.integers(1, 200))
def test_batches_lose_nothing(records: list[dict[str, Any]], most: int) -> None:
    pieces = list(batches(records, most))
    assert [json.loads(line) for piece in pieces for line in piece.splitlines()] == records
    assert all(len(piece) <= most or piece.count(b"\n") == 1 for piece in pieces)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (float("nan"), "null"),
        (float("-inf"), "null"),
        (Decimal("1.50"), '"1.50"'),
        (Decimal("1E+3"), '"1000"'),
        (Decimal("NaN"), "null"),
        (datetime(2026, 1, 31, 12, tzinfo=UTC), '"2026-01-31T12:00:00+00:00"'),
        (date(2026, 1, 31), '"2026-01-31"'),
        (pandas.Timestamp("2026-01-31"), '"2026-01-31T00:00:00"'),
        (pandas.NaT, "null"),
        (pandas.NA, "null"),
        (numpy.int64(7), "7"),
        (numpy.float64("nan"), "null"),
        (numpy.array([1.5, 2.5]), "[1.5,2.5]"),
        ((1, {"a": [float("nan")]}), '[1,{"a":[null]}]'),
        ("\ud7ff\u2028", '"\ud7ff\u2028"'),
    ],
)
def test_values_of_records(value: Any, text: str) -> None:
    assert list(batches([{"v": value}])) == [f'{{"v":{text}}}\n'.encode()]


@pytest.mark.parametrize(
    "records",
    ["text", b"bytes", 7, [{"v": object()}], [{"v": b"x"}], polars.LazyFrame(), TWINS],
    ids=["text", "bytes", "number", "object", "bytes within", "lazy", "twin columns"],
)
def test_values_without_a_form_in_json_are_refused(records: Any) -> None:
    with pytest.raises(TypeError, match=r"Records are|has no form in JSON|Collect the LazyFrame"):
        list(batches(records))


def test_upload_starts_a_run(sluice: Sluice, tmp_path: Path, transport: ApiTransport) -> None:
    sluice.post("/datasources", {"name": "notes", "kind": "file"})
    notes = sluice.datasource("notes")
    file = tmp_path / "Ünï 1.csv"
    file.write_bytes(b"id,note\r\n1,\xc3\xa9\r\n")
    notes.upload(file, "notes.csv")
    assert list(notes.rows()) == [{"id": 1, "note": "é"}]
    assert [run.document["trigger"] for run in notes.runs()] == ["drop"]
    with pytest.raises(FileNotFoundError):
        notes.upload(tmp_path / "missing.csv")
    sluice.post("/datasources", {"name": "log", "kind": "push"})
    with pytest.raises(Conflict):
        sluice.datasource("log").upload(file)
    transport._upload = lambda request: httpx.Response(400, text="<Code>EntityTooSmall</Code>")  # type: ignore[method-assign]
    with pytest.raises(InvalidResponse, match="EntityTooSmall"):
        notes.upload(file)
