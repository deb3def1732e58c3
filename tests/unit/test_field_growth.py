"""How much the fields of a page's records may write: by record, in comparisons of pages, and by the engine."""

import json
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.container import Container
from sluice.domain.expression import search
from sluice.domain.field_growth import FieldGrowth
from sluice.errors import DataTooLarge
from sluice.extract.columnar.growth import growth_of
from sluice.formats.limits import Limits
from sluice.formats.parsed_page import open_page
from sluice.settings import Settings
from support.client import Client
from support.extraction import datasource, index_of, read

CAP = {"max_field_growth": 20_000}
PAGE = json.dumps({"items": [{"id": number} for number in range(100)]}).encode()
COPIES = datasource(format="json", records="items", fields={"id": "id", "page": "root()"})


def test_page_whose_records_each_copy_it_is_refused() -> None:
    with pytest.raises(DataTooLarge) as refused:
        read([PAGE], COPIES, by_engine=False, **CAP)
    # Each record writes about 1,400 characters, of which 500 are usual.
    assert "record 22: the fields of the page's records write more than 20,000 characters" in refused.value.detail
    assert "MAX_FIELD_GROWTH" in refused.value.detail
    assert "Page 1" in refused.value.detail


def test_each_page_is_counted_by_itself() -> None:
    small = json.dumps({"items": [{"id": number} for number in range(60)]}).encode()
    assert read([small] * 3, COPIES, by_engine=False, **CAP) is not None


def test_values_that_tell_records_apart_are_counted_too() -> None:
    limits = Limits.of(Settings(**CAP))
    with (
        open_page(COPIES, index_of([PAGE]).pages[0], BytesIO(PAGE), limits) as page,
        pytest.raises(DataTooLarge, match="MAX_FIELD_GROWTH"),
    ):
        list(page.compared_records())


def test_push_whose_records_write_too_much_is_refused(services: Container, admin: Client) -> None:
    services.settings = services.settings.model_copy(update=CAP)
    document = {"name": "log", "kind": "push", "records": "items", "fields": {"id": "id", "page": "root()"}}
    assert admin.post("/datasources", document).status == 201
    answer = admin.post("/datasources/log/records", PAGE.decode())
    assert (answer.status, "MAX_FIELD_GROWTH" in answer.json()["detail"]) == (422, True)
    assert admin.get("/datasources/log/versions").json()["items"] == []


MANY = {f"c{number}": "b" for number in range(120)}
LONG = "x" * 400


@pytest.mark.parametrize(
    ("fields", "record"),
    [
        ({"copies": "[" + ",".join(["b"] * 90) + "]"}, {"b": "y" * 200}),
        ({"labels": f"b[].{{{LONG}: @}}"}, {"b": [""] * 30}),
        ({"literals": f"b[].['{LONG}', @]"}, {"b": [""] * 30}),
        ({"twice": f"b[].['{'x' * 80}', @] | [].['{'x' * 80}', @]"}, {"b": [""] * 30}),
        (MANY, {"b": "y" * 100}),
    ],
    ids=["copies", "labels", "literals", "nested", "many fields"],
)
def test_engine_leaves_pages_that_might_grow_to_the_count_by_record(fields: dict[str, str], record: Any) -> None:
    source = datasource(format="json", fields=fields)
    few, many = json.dumps([record]).encode(), json.dumps([record] * 60).encode()
    assert read([few], source, by_engine=True, **CAP) is not None
    assert read([many], source, by_engine=True, **CAP) is None
    with pytest.raises(DataTooLarge, match="MAX_FIELD_GROWTH"):
        read([many], source, by_engine=False, **CAP)


def test_engine_reads_usual_fields_of_large_pages() -> None:
    names = [f"column_{number}" for number in range(20)]
    record = {"id": 1, "lines": [dict.fromkeys(names, "value")] * 5}
    select = "lines[].{" + ", ".join(f"{name}: {name}" for name in names) + "}"
    source = datasource(format="json", fields={"id": "id", "lines": select, "all": "@"})
    assert read([json.dumps([record] * 60).encode()], source, by_engine=True, **CAP) is not None


PARTS = ["a", "b", "[0]", "[]", "[1:]", "[*]", "[*].a", "[][a, b]", "[a, @]", "{long_name: @, a: a}", "@", "`[1, {}]`"]
VALUES = st.recursive(
    st.sampled_from([1, "x", None, True, "a,b"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=12,
)


@given(st.lists(st.sampled_from(PARTS), min_size=1, max_size=5), VALUES)
def test_bound_is_never_exceeded(parts: list[str], record: Any) -> None:
    expression = " | ".join(parts)
    text = json.dumps(record, separators=(",", ":"))
    growth = growth_of([expression])
    written = len(json.dumps(search(expression, record), separators=(",", ":")))
    bound = growth.size * len(text) + growth.by_part * (text.count(",") + 1) + growth.fixed
    assert written <= max(bound, len("null"))
    if growth.is_usual:
        assert written <= max(500, 50 * len(text))


@given(st.lists(VALUES, max_size=5), st.integers(0, 2_000))
def test_cap_is_on_the_sum_of_what_is_unusual(values: list[Any], most: int) -> None:
    growth = FieldGrowth(["root()"], most)
    large = ["x" * 998] * 2
    unusual = 2_000 + 2 + 2 - 500  # the texts with their quotes, in a list
    total = 0
    for value in values:
        growth.add(value, [value])
    for _ in range(3):
        total += unusual
        if total <= most:
            growth.add(None, [large])
        else:
            with pytest.raises(ValueError, match="MAX_FIELD_GROWTH"):
                growth.add(None, [large])
            break
