"""What tells records apart: their primary key, else their content."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from sluice.domain.datasource import Datasource
from sluice.domain.record_key import IDENTITY_BYTES, content_identities, identity_of, identity_settings_hash
from sluice.formats.limits import Limits
from sluice.settings import Settings
from sluice.sources.http.identities import Identities


def datasource(**changes: Any) -> Datasource:
    return Datasource.model_validate({"name": "d", "kind": "file", **changes})


@pytest.mark.parametrize(
    ("document", "record", "other", "same"),
    [
        ({}, {"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({}, {"a": 1}, {"a": "1"}, False),
        ({"primary_key": ["id"]}, {"id": 1, "v": 1}, {"id": 1, "v": 2}, True),
        ({"primary_key": ["id"]}, {"id": 1}, {"id": "1"}, True),
        ({"primary_key": ["id"]}, {"id": 1}, {"id": 2}, False),
        ({"primary_key": ["id"]}, {"id": -(10**30)}, {"id": str(-(10**30))}, True),
        ({"primary_key": ["id"]}, {"id": True}, {"id": 1}, False),
        (
            {"primary_key": ["id"]},
            {"id": Decimal("1.00000000000000001")},
            {"id": Decimal("1.00000000000000002")},
            False,
        ),
        ({"primary_key": ["id"]}, {"id": None, "v": 1}, {"v": 1}, False),
        ({"primary_key": ["id"]}, {"id": None, "v": 1}, {"id": None, "v": 1}, True),
        ({"primary_key": ["a", "b"]}, {"a": 1, "b": 23}, {"a": 12, "b": 3}, False),
        ({"primary_key": ["a_b"]}, {"a": {"b": 1}, "v": 1}, {"a": {"b": 1}, "v": 2}, True),
        ({"primary_key": ["a_b"]}, {"a_b": 1, "v": 1}, {"a": {"b": 1}}, True),
        ({"primary_key": ["k"], "fields": {"k": "x.y"}}, {"x": {"y": 1}, "v": 1}, {"x": {"y": 1}, "v": 2}, True),
        ({"primary_key": ["k"], "fields": {"k": "$position"}}, {"v": 1}, {"v": 2}, False),
        ({"primary_key": ["k"], "fields": {"k": "abs(x)"}}, {"x": "a"}, {"x": "b"}, False),
        ({"primary_key": ["value"]}, 1, 1, True),
        ({"primary_key": ["id"]}, "a", "b", False),
    ],
    ids=str,
)
def test_identity(document: dict[str, Any], record: Any, other: Any, same: bool) -> None:
    identity = identity_of(datasource(**document))
    assert len(identity(record)) == IDENTITY_BYTES
    assert (identity(record) == identity(other)) == same


def test_identities_of_a_list_equal_those_of_its_records() -> None:
    identity = identity_of(datasource())
    for records in ([], [{"b": 1, "a": [1.5, None]}, "x"], [{"a": 1}, {"a": 10**30}, {"a": Decimal("0.1")}]):
        assert content_identities(records) == b"".join(map(identity, records))


@pytest.mark.parametrize("key", [{}, {"primary_key": ["id"]}], ids=["content", "key"])
def test_equal_records_have_equal_content_hashes(key: dict[str, Any]) -> None:
    """Whatever tells single records apart: a page repeats another one only with all values, in the same order."""
    run: Any = SimpleNamespace(owner="d", id="r", attempt=1, kind="ingest")
    lake: Any = None
    identities = Identities(run, datasource(**key), lake, Limits.of(Settings()), 1000)
    one, two = {"id": 1, "v": 1}, {"id": 2, "v": 1}
    page = identities.compute([one, two])
    assert identities.compute([dict(one), dict(two)]) == page
    assert len(page.identities) == 2 * IDENTITY_BYTES
    for other in ([two, one], [one], [one, two, two], [one, {"id": 2, "v": 2}]):
        assert identities.compute(other).content != page.content


def test_identities_depend_on_the_primary_key() -> None:
    """What was kept by the former key is not compared with what is made by the new one."""
    assert identity_settings_hash(datasource(primary_key=["a"])) != identity_settings_hash(
        datasource(primary_key=["b"])
    )
    assert identity_settings_hash(datasource(primary_key=["a"])) == identity_settings_hash(
        datasource(primary_key=["a"], description="new")
    )
