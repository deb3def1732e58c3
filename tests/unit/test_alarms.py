"""Alarms: readings raise and clear them exactly once, and people acknowledge them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.alarms.changes import time_of
from sluice.alarms.missing import check_missing
from sluice.alarms.service import judge_batch, sensors_changed
from sluice.catalog.transactions import transact
from sluice.container import Container
from sluice.domain.alarm_event import AlarmRaised
from sluice.errors import Unavailable
from sluice.publication import registry
from support.alarms import LIMITS, SECOND, START, Clock, alarms, equipment, of, readings, sensor
from support.client import Client, client_of
from support.functions import LocalFunctions
from support.upstream import Upstream, raw
from support.workflows import Killed, LocalWorkflows


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def pump(services: Container) -> None:
    """A sensor with limits."""
    equipment(services, "P-1", "FPSO-1")
    sensor(services, **LIMITS)


@pytest.mark.usefixtures("pump")
def test_alarm_is_raised_escalated_eased_and_cleared(services: Container, viewer: Client) -> None:
    judge_batch(services, {"s1": readings(50, 81)})
    (alarm,) = alarms(viewer)
    assert alarm == viewer.get(f"/alarms/{alarm['id']}").json()
    assert of(alarm, "sensor", "equipment", "site", "metric", "unit") == ("s1", "P-1", "FPSO-1", "temperature", "°C")
    assert of(alarm, "kind", "level", "highest_level", "limit", "value", "state") == (
        "high",
        "high",
        "high",
        80,
        81,
        "active",
    )
    assert of(alarm, "raised_at", "cleared_at", "acknowledged_at") == ("2024-01-01T00:00:01.000Z", None, None)
    judge_batch(services, {"s1": readings(91.5, start=2)})
    judge_batch(services, {"s1": readings(84, start=3)})
    (alarm,) = alarms(viewer)
    assert of(alarm, "level", "highest_level", "limit", "value") == ("high", "high_high", 80, 84)
    judge_batch(services, {"s1": readings(70, start=4)})
    (alarm,) = alarms(viewer, "?state=cleared")
    assert of(alarm, "state", "cleared_at", "value") == ("cleared", "2024-01-01T00:00:04.000Z", 84)
    assert alarms(viewer, "?state=active") == []


@pytest.mark.usefixtures("pump")
def test_one_batch_may_do_all_of_it(services: Container, viewer: Client) -> None:
    judge_batch(services, {"s1": readings(85, 95, 60, -1, 85)})
    assert [of(alarm, "kind", "state", "highest_level") for alarm in alarms(viewer)] == [
        ("high", "active", "high"),
        ("low", "cleared", "low"),
        ("high", "cleared", "high_high"),
    ]


@pytest.mark.usefixtures("pump")
def test_repeated_late_and_doubtful_readings_change_nothing(services: Container, viewer: Client) -> None:
    judge_batch(services, {"s1": readings(50, 85)})
    before = alarms(viewer)
    judge_batch(services, {"s1": readings(50, 85)})
    judge_batch(services, {"s1": readings(50)})
    judge_batch(services, {"s1": readings(-5, start=-100)})
    judge_batch(services, {"s1": readings(60, start=9, quality="bad"), "unknown": readings(99)})
    assert alarms(viewer) == before


def test_clock_that_is_years_ahead_does_not_end_the_judging(services: Container, viewer: Client, clock: Clock) -> None:
    sensor(services, **LIMITS)
    clock.us = START + 100 * SECOND
    judge_batch(services, {"s1": readings(99, start=401)})
    assert alarms(viewer) == []
    judge_batch(services, {"s1": [*readings(99, start=100_000_000), *readings(82, start=100)]})
    assert [of(alarm, "level", "raised_at") for alarm in alarms(viewer)] == [("high", "2024-01-01T00:01:40.000Z")]
    judge_batch(services, {"s1": readings(99, start=400)})
    assert [alarm["level"] for alarm in alarms(viewer)] == ["high_high"]


def test_sensors_without_limits_have_no_state(services: Container, viewer: Client) -> None:
    sensor(services)
    judge_batch(services, {"s1": readings(1e9)})
    assert services.alarms.states(["s1"])["s1"].version == 0
    judge_batch(services, {})
    judge_batch(services, {"s1": []})
    assert alarms(viewer) == []


def test_extreme_values_are_stored(services: Container, viewer: Client) -> None:
    sensor(services, high=1e-200, low=-1e300)
    judge_batch(services, {"s1": readings(1e300)})
    (alarm,) = alarms(viewer)
    assert of(alarm, "value", "limit", "site") == (1e300, 1e-200, None)


def test_many_alarms_of_a_batch_are_stored_in_several_transactions(services: Container, viewer: Client) -> None:
    sensor(services, high=0)
    judge_batch(services, {"s1": readings(*([1, -1] * 120))})
    assert len(alarms(viewer, "?limit=200")) == 120
    assert {alarm["state"] for alarm in alarms(viewer, "?limit=200")} == {"cleared"}


def test_raising_is_an_event_of_the_same_transaction(
    services: Container, workflows: LocalWorkflows, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensor(services, **LIMITS)
    received: list[AlarmRaised] = []

    class Recorder:
        name = "recorder"
        takes = frozenset({"alarm.raised"})

        def follow(self, services: Container, event: AlarmRaised) -> None:
            received.append(event)

    monkeypatch.setattr(registry, "FOLLOWERS", [Recorder()])
    judge_batch(services, {"s1": readings(85, 95, 10)})
    judge_batch(services, {"s1": readings(85, 95, 10)})
    workflows.deliver_publications()
    (event,) = received
    assert event.scope == {"site": None, "equipment": "P-1", "sensor": "s1"}
    assert (event.data["highest_level"], event.data["state"]) == ("high_high", "cleared")


def test_alarm_reaches_its_webhook(
    services: Container, admin: Client, workflows: LocalWorkflows, upstream: Upstream, functions: LocalFunctions
) -> None:
    upstream.answer = lambda request: raw(b"", 200)
    equipment(services, "P-1", "FPSO-1")
    hooks = {"FPSO-1": "https://one.example.com/", "FPSO-2": "https://two.example.com/"}
    for site, hook in hooks.items():
        admin.post("/subscriptions", {"event": "alarm.raised", "webhook": hook, "site": site})
    limited = client_of(services, "editor", ["p"])
    assert limited.post("/subscriptions", {"event": "alarm.raised", "webhook": hooks["FPSO-1"]}).status == 201
    sensor(services, **LIMITS)
    judge_batch(services, {"s1": readings(85)})
    workflows.deliver_publications()
    functions.run()
    assert [str(request.url) for request in upstream.requests] == ["https://one.example.com/"]


@pytest.mark.usefixtures("pump")
def test_process_killed_while_storing_leaves_all_or_nothing(
    services: Container, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for is_stored in (False, True):

        def kill(client: Any, writes: Any, is_stored: bool = is_stored) -> None:
            if is_stored:
                transact(client, writes)
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr("sluice.catalog.alarms.transact", kill)
            with pytest.raises(Killed):
                judge_batch(services, {"s1": readings(85)})
        assert len(list(services.outbox.undelivered())) == is_stored
        assert len(alarms(viewer)) == is_stored
    judge_batch(services, {"s1": readings(85)})
    assert len(alarms(viewer)) == 1


@pytest.mark.usefixtures("pump")
def test_other_process_that_judges_the_same_sensor_loses_nothing(
    services: Container, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = services.alarms.commit
    overtaken: list[bool] = []

    def overtake(*arguments: Any) -> bool:
        if not overtaken:
            overtaken.append(True)
            judge_batch(services, {"s1": readings(85, start=1)})
        return commit(*arguments)

    monkeypatch.setattr(services.alarms, "commit", overtake)
    judge_batch(services, {"s1": readings(50, 81, 95, start=0)})
    (alarm,) = alarms(viewer)
    assert of(alarm, "level", "raised_at") == ("high_high", "2024-01-01T00:00:01.000Z")
    monkeypatch.setattr(services.alarms, "commit", lambda *_: False)
    with pytest.raises(Unavailable):
        judge_batch(services, {"s1": readings(50, start=9)})


def test_sensors_are_judged_side_by_side(services: Container, viewer: Client) -> None:
    names = [f"s{number}" for number in range(12)]
    for name in names:
        sensor(services, name, **LIMITS)
    batch = {name: readings(85) for name in names}
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: judge_batch(services, batch), range(2)))
    assert sorted(alarm["sensor"] for alarm in alarms(viewer)) == sorted(names)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([50.0, 82.0, 92.0, -1.0]), min_size=1, max_size=12), st.data())
def test_any_delivery_gives_the_same_alarms(services: Container, values: list[float], data: st.DataObject) -> None:
    names = [f"h{time.time_ns()}{part}" for part in "ab"]
    for name in names:
        document = {"id": name, "equipment": "P-1", "metric": "temperature", "limits": LIMITS}
        services.definitions.create("sensor", name, document, "test")
    whole = readings(*values)
    judge_batch(services, {names[0]: whole})
    position = 0
    while position < len(whole):
        begin, end = data.draw(st.integers(0, position)), data.draw(st.integers(position + 1, len(whole)))
        judge_batch(services, {names[1]: data.draw(st.permutations(whole[begin:end]))})
        position = end
    first, second = (
        [alarm.model_copy(update={"id": "", "sensor": ""}) for alarm in services.alarms.newest(None, name, None)]
        for name in names
    )
    assert first == second


@pytest.mark.usefixtures("pump")
def test_acknowledgement_is_noted_once(services: Container, admin: Client, editor: Client, viewer: Client) -> None:
    judge_batch(services, {"s1": readings(85)})
    (alarm,) = alarms(viewer)
    path = f"/alarms/{alarm['id']}/acknowledge"
    assert viewer.post(path).status == 403
    answer = editor.post(path, {"comment": "On my way."})
    assert answer.status == 200
    noted = answer.json()
    assert of(noted, "state", "comment") == ("acknowledged", "On my way.")
    assert noted["acknowledged_by"].startswith("key/")
    assert noted["acknowledged_at"] is not None
    assert admin.post(path, {"comment": "Me, too."}).json() == noted, "the first one stays"
    assert alarms(viewer, "?state=acknowledged") == [noted]
    assert alarms(viewer, "?state=active") == []
    assert editor.post(path, {"comment": "x" * 1001}).status == 422
    assert editor.post("/alarms/0000000000000000-000000000000/acknowledge").status == 404
    judge_batch(services, {"s1": readings(10, start=1)})
    (cleared,) = alarms(viewer, "?state=cleared")
    assert cleared["acknowledged_at"] == noted["acknowledged_at"]


@pytest.mark.usefixtures("pump")
def test_escalation_asks_for_another_acknowledgement(services: Container, editor: Client) -> None:
    judge_batch(services, {"s1": readings(85)})
    (alarm,) = alarms(editor)
    editor.post(f"/alarms/{alarm['id']}/acknowledge", {"comment": "Fine."})
    judge_batch(services, {"s1": readings(95, start=1)})
    (escalated,) = alarms(editor, "?state=active")
    assert of(escalated, "acknowledged_at", "acknowledged_by", "comment") == (None, None, None)


@pytest.mark.usefixtures("pump")
def test_cleared_alarm_can_be_acknowledged_and_stays_cleared(services: Container, editor: Client) -> None:
    judge_batch(services, {"s1": readings(85, 10)})
    (alarm,) = alarms(editor)
    answer = editor.post(f"/alarms/{alarm['id']}/acknowledge").json()
    assert of(answer, "state", "comment") == ("cleared", None)
    assert answer["acknowledged_at"] is not None


def test_alarms_are_filtered_and_paged(services: Container, viewer: Client) -> None:
    for code, site in (("P-1", "FPSO-1"), ("P-2", "FPSO-2")):
        equipment(services, code, site)
    for number, code in enumerate(["P-1", "P-2", "P-2"]):
        sensor(services, f"s{number}", equipment=code, **LIMITS)
        judge_batch(services, {f"s{number}": readings(85, start=number)})
    judge_batch(services, {"s2": readings(10, start=9)})

    def sensors(query: str) -> list[str]:
        return [alarm["sensor"] for alarm in alarms(viewer, query)]

    assert sensors("") == ["s2", "s1", "s0"]
    assert sensors("?site=FPSO-2") == ["s2", "s1"]
    assert sensors("?equipment=P-2&state=active") == ["s1"]
    assert sensors("?sensor=s0&state=active") == ["s0"]
    assert sensors("?sensor=s0&site=FPSO-2") == []
    first = viewer.get("/alarms?limit=2").json()
    assert [alarm["sensor"] for alarm in first["items"]] == ["s2", "s1"]
    assert sensors(f"?limit=2&cursor={first['next']}") == ["s0"]
    assert viewer.get(f"/alarms?state=active&cursor={first['next']}").status == 422
    assert viewer.get("/alarms?state=open").status == 422


@pytest.mark.usefixtures("pump")
def test_cleared_alarms_expire(services: Container, viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    judge_batch(services, {"s1": readings(85, 10, 85)})
    later = time.time() + services.settings.alarm_days * 86400 + 60
    monkeypatch.setattr("sluice.catalog.alarms.time.time", lambda: later)
    assert [alarm["state"] for alarm in alarms(viewer)] == ["active"]


def test_alarms_of_removed_limits_and_sensors_are_cleared(services: Container, viewer: Client, clock: Clock) -> None:
    sensor(services, "s1", high=80, missing_after_seconds=60)
    sensor(services, "s2", high=80)
    judge_batch(services, {"s1": readings(85), "s2": readings(85)})
    clock.us = START + 61 * SECOND
    check_missing(services)
    assert len(alarms(viewer, "?state=active")) == 3
    sensor(services, "s1", high=80)
    assert [alarm["kind"] for alarm in alarms(viewer, "?state=cleared")] == ["missing"]
    services.definitions.delete(services.definitions.get("sensor", "s2"))
    sensors_changed(services, ["s2"])
    assert [alarm["sensor"] for alarm in alarms(viewer, "?state=active")] == ["s1"]


@pytest.mark.usefixtures("pump")
@pytest.mark.parametrize("deleted", [True, False])
def test_alarm_that_is_raised_while_its_limits_are_removed_is_cleared(
    services: Container, viewer: Client, monkeypatch: pytest.MonkeyPatch, deleted: bool
) -> None:
    original = services.alarms.commit

    def commit(*arguments: Any) -> bool:
        monkeypatch.setattr(services.alarms, "commit", original)
        if deleted:
            services.definitions.delete(services.definitions.get("sensor", "s1"))
            sensors_changed(services, ["s1"])
        else:
            sensor(services)
        return original(*arguments)

    monkeypatch.setattr(services.alarms, "commit", commit)
    judge_batch(services, {"s1": readings(85)})
    assert [alarm["state"] for alarm in alarms(viewer)] == ["cleared"]


def test_times_are_those_of_the_readings() -> None:
    assert time_of(START) == "2024-01-01T00:00:00.000Z"
    assert time_of(-1) == "1969-12-31T23:59:59.999Z"
