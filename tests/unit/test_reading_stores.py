"""The two stores of readings, blocks and lake, answer alike, before and after compaction."""

from __future__ import annotations

import math
import os
import random
import time
from contextlib import suppress
from operator import attrgetter
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.container import Container
from sluice.domain.new_readings import SensorPart
from sluice.domain.reading import SensorReadings, format_time, reading_time
from sluice.domain.rollup import DAY, HOUR, MINUTE, RESOLUTIONS, SECOND, Point
from sluice.domain.series import QUALITIES, Mark, Series, wins
from sluice.lake.parquet import engine
from sluice.readings.bucket_files import DayRows, bucket_of, read_series
from sluice.readings.compaction import sweep_files
from sluice.readings.intake import take_in
from sluice.readings.reader import ReadingQuery, ReadingReader, Row, read_page
from sluice.readings.recent import recent_since
from sluice.settings import Settings
from support.killing import Killer, watched_calls
from support.workflows import Killed

TODAY = int(time.time()) // 86_400 * DAY
# Days in the blocks, of which those before the day before yesterday can be had from the lake, see `reading_days`.
START, END = TODAY - 5 * DAY, TODAY
SENSORS = ["a", "b"]
Items = list[dict[str, Any]]
# `PROOF=1` kills a sweep at every call; without it, at every fourth.
STEP = 1 if os.environ.get("PROOF") else 4


@pytest.fixture(autouse=True)
def sensors(services: Container) -> None:
    for name in SENSORS:
        services.definitions.create("sensor", name, {"id": name, "equipment": "P-1", "metric": "flow"}, "tests")
    change(services, compaction_files=1, replaced_file_seconds=-1)


def change(services: Container, **values: Any) -> None:
    services.settings = services.settings.model_copy(update=values)


def readings(chance: random.Random, count: int, days: int = 5) -> Items:
    """Readings of few different times and values, so that many of them are duplicates or corrections."""
    items = []
    for _ in range(count):
        minute = chance.randrange(days) * 1440 + chance.choice([0, 1, 2, 59, 60, 1439])
        item = {
            "sensor": chance.choice(SENSORS),
            "time": format_time(START + minute * MINUTE + chance.choice([0, 7, 1000, 59 * SECOND])),
            "value": chance.choice([0.1, 0.2, 1e17, -1e17, 3, chance.random()]),
        }
        if chance.random() < 0.3:
            item |= {"quality": chance.choice(QUALITIES), "revision": chance.randrange(3)}
        items.append(item)
    return items


def send(services: Container, items: Items) -> None:
    assert take_in(services, orjson.dumps(items), enumerate(items)).refused == {}


def rows(services: Container, start: int = START, end: int = END) -> dict[tuple[str, str], list[Row]]:
    """Everything in a range, by sensor and resolution."""
    with ReadingReader(services, limited=False) as reader:
        return {
            (sensor, resolution): list(reader.rows(sensor, resolution, start, end))
            for sensor in SENSORS
            for resolution in ("raw", *RESOLUTIONS)
        }


def expected(items: Items) -> dict[tuple[str, str], list[Any]]:
    """The same from the readings that were sent, by the rules in plain words."""
    held: dict[tuple[str, int], tuple[float, Mark]] = {}
    for item in items:
        key = (item["sensor"], reading_time(item["time"]))
        value, mark = float(item["value"]), Mark(QUALITIES.index(item.get("quality", "good")), item.get("revision", 0))
        if key not in held or wins(value, mark, *held[key]):
            held[key] = (value, mark)
    result: dict[tuple[str, str], list[Any]] = {}
    for sensor in SENSORS:
        own = sorted((at, value, mark) for (name, at), (value, mark) in held.items() if name == sensor)
        result[sensor, "raw"] = [(at, value, QUALITIES[mark.quality], mark.revision) for at, value, mark in own]
        for resolution, width in RESOLUTIONS.items():
            windows: dict[int, list[float]] = {}
            for at, value, mark in own:
                if QUALITIES[mark.quality] == "good":
                    windows.setdefault(at // width * width, []).append(value)
            result[sensor, resolution] = [
                (start, len(values), math.fsum(values), min(values), max(values), values[-1])
                for start, values in windows.items()
            ]
    return result


def plain(stored: dict[tuple[str, str], list[Row]]) -> dict[tuple[str, str], list[Any]]:
    return {
        key: [
            (row.start, row.readings, row.sum, row.min, row.max, row.last) if isinstance(row, Point) else row
            for row in some
        ]
        for key, some in stored.items()
    }


def used(services: Container) -> list[str]:
    return [f"{file.day} {file.part}" for file in services.reading_files.all() if file.state == "used"]


def test_both_stores_answer_alike(services: Container) -> None:
    chance = random.Random(15)
    first, late = readings(chance, 200), readings(chance, 100)
    for at in range(0, 200, 70):
        send(services, first[at : at + 80])  # some come twice
    in_blocks = rows(services)
    assert plain(in_blocks) == expected(first)
    change(services, reading_days=4)
    assert recent_since(4) > START + 2 * DAY, "some are read from the lake and others from the blocks"
    assert rows(services) == in_blocks
    assert sweep_files(services, 60)["compacted"] >= 5
    assert rows(services) == in_blocks
    assert not [name for name in used(services) if name.endswith("new")]

    change(services, reading_days=35)
    send(services, late)
    in_blocks = rows(services)
    assert plain(in_blocks) == expected([*first, *late])
    change(services, reading_days=4)
    assert rows(services) == in_blocks, "compacted files and late readings"
    sweep_files(services, 60)
    assert rows(services) == in_blocks
    names = used(services)
    assert names == sorted(set(names)), "one file for each bucket of a day"
    assert not [name for name in names if name.endswith("new")]
    begin, end = START + HOUR - 1, START + 4 * DAY + 7
    part = rows(services, begin, end)
    for key, some in in_blocks.items():
        assert part[key] == [row for row in some if begin <= row.start < end]


def test_pages_of_the_lake_end_at_its_limits(services: Container) -> None:
    send(services, items := readings(random.Random(1), 100))
    sweep_files(services, 60)
    send(services, readings(random.Random(1), 100))
    change(services, reading_days=4, lake_read_files=1)
    for resolution in ("raw", "1h"):
        query, place, pages = ReadingQuery(SENSORS, START, END, resolution), None, 0
        collected: list[tuple[str, Row]] = []
        while pages == 0 or place is not None:
            page = read_page(services, query, 30, place)
            assert len(page.rows) <= 30
            collected += page.rows
            place, pages = page.following, pages + 1
        every = expected(items)
        assert [(sensor, row.start) for sensor, row in collected] == [
            (sensor, row[0]) for sensor in SENSORS for row in every[sensor, resolution]
        ]
        assert pages > 5
    page = read_page(services, ReadingQuery(SENSORS, START, END, None), 5000)
    assert page.following is not None
    with ReadingReader(services, limited=False) as reader:
        assert [row.start for row in reader.readings("a", START, END)] == [row[0] for row in every["a", "raw"]]


def test_sweep_applies_what_a_killed_function_has_not(services: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    items = readings(random.Random(2), 50)
    with monkeypatch.context() as patch:
        patch.setattr("sluice.readings.followers.store_recent", lambda *_: pytest.fail("killed"))
        with pytest.raises(pytest.fail.Exception):
            send(services, items)
    assert plain(rows(services))["a", "raw"] == []
    assert sweep_files(services, 60) == {"applied": 0, "compacted": 0, "deleted": 0}, "it may be about to do it"
    files = len(used(services))
    assert sweep_files(services, -1) == {"applied": files, "compacted": 0, "deleted": 0}
    assert plain(rows(services)) == expected(items)
    assert sweep_files(services, -1)["compacted"] == files


def test_file_that_cannot_be_applied_keeps_no_other_from_the_sweep(
    services: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [{"sensor": "a", "time": format_time(START + day * DAY), "value": day} for day in range(2)]
    with monkeypatch.context() as patch:
        patch.setattr(type(services.reading_files), "mark_applied", lambda *_: None)
        send(services, items)
    services.lake.delete(next(services.reading_files.all()).key)
    with pytest.raises(Exception, match="not in the lake"):
        sweep_files(services, -1)
    assert [file.applied for file in services.reading_files.all()] == [False, True]


def test_replaced_objects_are_deleted_later(services: Container) -> None:
    change(services, replaced_file_seconds=3600)
    items = readings(random.Random(3), 40)
    send(services, items)
    before = set(services.lake.list_keys("readings/new"))
    assert sweep_files(services, 60)["deleted"] == sweep_files(services, 60)["deleted"] == 0
    assert set(services.lake.list_keys("readings/new")) == before, "somebody may be reading them"
    change(services, replaced_file_seconds=-1, reading_days=4)
    assert sweep_files(services, 60)["deleted"] == len(before)
    assert services.lake.list_keys("readings/new") == []
    assert plain(rows(services)) == expected(items)
    assert {file.state for file in services.reading_files.all()} == {"used", "removed"}
    send(services, items)
    assert sweep_files(services, 60) == {"applied": 0, "compacted": 0, "deleted": 0}, "the batch is known"
    assert {file.state for file in services.reading_files.all()} == {"used"}
    send(services, items)
    assert sweep_files(services, 60)["compacted"] == len(before), "it was forgotten, and changes nothing"
    assert plain(rows(services)) == expected(items)


def test_days_are_compacted_when_they_have_many_or_old_files(services: Container) -> None:
    change(services, compaction_files=3, compaction_age_seconds=3600)
    for value in range(2):
        send(services, [{"sensor": "a", "time": format_time(START), "value": value}])
    assert sweep_files(services, 60)["compacted"] == 0
    send(services, [{"sensor": "a", "time": format_time(START), "value": 7}])
    change(services, compaction_readings=2)
    assert sweep_files(services, 60)["compacted"] == 3
    change(services, compaction_age_seconds=-1)
    send(services, [{"sensor": "a", "time": format_time(START), "value": 8}])
    assert sweep_files(services, 60)["compacted"] == 1
    assert len(used(services)) == 1


@pytest.mark.parametrize("effective", [True, False], ids=["after the call", "before the call"])
def test_sweep_may_be_killed_at_any_call(services: Container, monkeypatch: pytest.MonkeyPatch, effective: bool) -> None:
    """Each time one call later, while readings of the same day keep coming; then another sweep finishes its work."""
    chance, items, killed = random.Random(4), [], True
    after = 0 if effective else STEP - 1
    while killed:
        some = readings(chance, 3, days=1)
        some += [{"sensor": name, "time": format_time(START + HOUR + after), "value": after} for name in SENSORS]
        items += some
        change(services, reading_days=35)
        send(services, some)
        change(services, reading_days=4)
        killer = Killer(after, effective=effective)
        with watched_calls(monkeypatch, killer), suppress(Killed):
            killer.begin()
            sweep_files(services, -1)
        killed, after = killer.killed, after + STEP
        with ReadingReader(services, limited=False) as reader:
            assert [row for name in SENSORS for row in reader.readings(name, START, END)] == [
                row for name in SENSORS for row in expected(items)[name, "raw"]
            ]
        if chance.random() < 0.7:
            sweep_files(services, -1)
    assert after >= 12, "calls of a whole sweep"
    for _ in range(3):
        sweep_files(services, -1)
    assert plain(rows(services)) == expected(items)
    files = list(services.reading_files.all())
    assert {file.state for file in files} == {"used"}
    keys = services.lake.list_keys("readings/new") + services.lake.list_keys("readings/data")
    assert sorted(file.key for file in files) == sorted(keys), "no object is left over"
    assert len(files) == len({(file.day, file.part) for file in files})


def test_two_sweeps_at_the_same_time(services: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one begins and ends while the first one stores a file."""
    chance, items = random.Random(5), []
    change(services, replaced_file_seconds=3600)
    store = services.lake.put_file

    def store_later(key: str, path: Path) -> None:
        monkeypatch.setattr(services.lake, "put_file", store)
        sweep_files(services, -1)
        store(key, path)

    for _ in range(2):  # without compacted files, and with some
        send(services, some := readings(chance, 8, days=1))
        items += some
        monkeypatch.setattr(services.lake, "put_file", store_later)
        sweep_files(services, -1)
        change(services, reading_days=4)
        assert plain(rows(services)) == expected(items)
        change(services, reading_days=35)
    send(services, some := readings(chance, 8, days=1))
    change(services, replaced_file_seconds=-1, reading_days=4)
    for _ in range(3):
        sweep_files(services, -1)
    assert plain(rows(services)) == expected([*items, *some])
    assert {file.state for file in services.reading_files.all()} == {"used"}


def test_readers_see_all_readings_while_files_are_replaced(
    services: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A query reads some items before and the others after a sweep."""
    chance, items = random.Random(6), []
    change(services, replaced_file_seconds=3600, reading_days=4)
    for _ in range(2):
        send(services, some := readings(chance, 8, days=1))
        items += some
        before = list(services.reading_files.all())
        sweep_files(services, -1)
        after = list(services.reading_files.all())
        key = attrgetter("day", "part", "sha256")
        for cut in sorted({key(file) for file in [*before, *after]}):
            seen = [file for file in before if key(file) < cut] + [file for file in after if key(file) >= cut]
            with monkeypatch.context() as patch:
                patch.setattr(services.reading_files, "between", lambda *_, seen=seen: iter(seen))
                with ReadingReader(services) as reader:
                    for name in SENSORS:
                        assert list(reader.readings(name, START, END)) == expected(items)[name, "raw"]


LOOSE = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.sampled_from([0.0, 0.1, 2.5, 1e16, 1e-7]),
        st.builds(Mark, st.integers(0, 2), st.integers(0, 1)),
    ),
    max_size=12,
)


@settings(max_examples=6, deadline=None)
@given(st.lists(LOOSE, min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_equal_readings_are_equal_bytes(tmp_path_factory: Any, batches: list[Any], order: random.Random) -> None:
    """However they are split into files and turns of compaction, and whatever comes twice."""
    folder = tmp_path_factory.mktemp("buckets")
    files = []
    for number, batch in enumerate(batches):
        loose = SensorReadings([r[0] for r in batch], [r[1] for r in batch], list(range(len(batch))))
        loose.marks = {at: mark for at, (_, _, mark) in enumerate(batch) if mark != Mark()}
        files.append((f"page-{number}", SensorPart("a", *loose.series_with_positions())))
    united = Series()
    for _, part in files:
        united = united.united_with(part.series)

    def compacted(turns: list[list[tuple[str, SensorPart]]], name: str) -> Path:
        old: list[Path] = []
        for turn in turns:
            with engine(Settings(duckdb_threads=1), folder / "spill") as connection:
                collected = DayRows(connection)
                for page, part in turn:
                    collected.add(page, [part])
                (bucket,) = collected.finish()
                assert bucket == bucket_of("a")
                path = folder / f"{name}-{len(old)}"
                count = collected.write(bucket, old[-1:], path)
                old.append(path)
        assert count == len(united)
        return old[-1]

    at_once = compacted([files], "at-once")
    shuffled = [*files, files[0]]
    order.shuffle(shuffled)
    in_turns = compacted([shuffled[:2], shuffled[1:]], "in-turns")
    assert at_once.read_bytes() == in_turns.read_bytes()
    with engine(Settings(duckdb_threads=1), folder / "spill") as connection:
        assert read_series(connection, at_once, "a", 0, 100) == united
        assert read_series(connection, at_once, "a", 3, 7) == united.between(3, 7)
        assert len(read_series(connection, at_once, "b", 0, 100)) == 0
