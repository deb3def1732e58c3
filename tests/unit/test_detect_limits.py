"""What detection may show, propose and read."""

import json
from dataclasses import asdict
from typing import Any

import pytest

from sluice.domain.credential_names import carries_credential
from sluice.domain.datasource import HttpDatasource
from sluice.extract.by_record.flatten import RowMaker
from support.detection import SETTINGS, detect, numbered, reason
from support.upstream import Upstream


def test_credentials_that_the_upstream_repeats_are_masked(upstream: Upstream) -> None:
    secret = "a1b2c3d4e5f60718"
    record = {"id": 1, "url": f"/things?key={secret}", secret: {"deep": [secret]}, "date": "2026-01-01"}
    upstream.serve({"data": [record, {**record, "id": 2}], "next": None})
    detection = detect(upstream, f"https://x.example.com/things?appid={secret}")
    assert secret not in json.dumps(asdict(detection), default=str)
    assert detection.sample is not None
    assert detection.sample["records"][0]["url"] == "/things?key=********"
    assert detection.document["http"]["auth"]["name"] == "appid"


def test_short_credential_is_masked_only_as_a_whole_value(upstream: Upstream) -> None:
    upstream.serve([{"id": 10, "name": "a1b", "given": "1"}, {"id": 11, "name": "c1d", "given": 1}])
    detection = detect(upstream, "https://x.example.com/things?token=1")
    assert detection.sample is not None
    assert [list(record.values()) for record in detection.sample["records"]] == [
        [10, "a1b", "********"],
        [11, "c1d", "********"],
    ]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("X-Hmac", "", True),
        ("consumer_key", "", True),
        ("masterKey", "", True),
        ("oauth", "", True),
        ("otp", "", True),
        ("appid", "a1b2c3d4e5f60718", True),
        ("appid", "weather", False),
        ("sk", "a1b2c3d4e5f60718", True),
        ("ticket", "1234", False),
        ("foreign_key", "a1b2c3d4e5f60718", False),
        ("desk", "a1b2c3d4e5f60718", False),
    ],
)
def test_parameters_that_carry_credentials(name: str, value: str, expected: bool) -> None:
    assert carries_credential(name, value) is expected


LONG = "k" * 10_001


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([{"id": 1, LONG: 2}, {"id": 2, LONG: 3}], "1 key of the records cannot be selected"),
        (
            {"hourly": {f"{'measured' * 20}_{number}": [1, 2] for number in range(80)}},
            "left out: `records` would have more than 10,000 characters",
        ),
        ({LONG: [{"id": 1}, {"id": 2}], "data": [{"id": 1}, {"id": 2}]}, None),
        ({"continue": {LONG: "x"}, "data": [{"id": 1}, {"id": 2}]}, None),
    ],
    ids=["field", "columns", "records", "cursor"],
)
def test_too_long_expressions_are_left_out(upstream: Upstream, document: Any, message: str | None) -> None:
    upstream.serve(document)
    detection = detect(upstream, "https://x.example.com/things")
    assert HttpDatasource.model_validate(detection.document)
    assert detection.sample is not None
    assert len(detection.sample["records"]) == 2
    assert [warning for warning in detection.warnings if message and message in warning] or message is None
    assert LONG not in json.dumps([asdict(item) for item in detection.reasons]) + "".join(detection.warnings)


def test_only_a_sample_of_the_records_is_read(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    upstream.serve(numbered(60_000))
    make_row, records = RowMaker.row, []

    def row(maker: RowMaker, record: Any, *place: Any) -> Any:
        records.append(record)
        return make_row(maker, record, *place)

    monkeypatch.setattr(RowMaker, "row", row)
    detection = detect(upstream, "https://x.example.com/things")
    assert len(records) == SETTINGS.detect_records
    assert detection.requests == 1, "so many records are all that there are"
    assert reason(detection, "/http/pagination").reason.endswith("more than its 60,000 records.")
