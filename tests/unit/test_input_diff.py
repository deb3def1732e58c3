"""The differences between two versions of an input."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sluice.inputs.diff import Change, differences
from sluice.inputs.kinds import KINDS
from support.workbooks import demand, matrix, node, service, topology

TOPOLOGY = KINDS["topology"].keys
TRAFFIC = KINDS["traffic_matrix"].keys


def changes(old: Any, new: Any, keys: Mapping[str, tuple[str, ...]] | None = None) -> list[tuple[Any, ...]]:
    found, more = differences(old, new, keys or {}, 100)
    assert not more
    return [tuple(change[field] for field in ("change", "label", "old", "new")) for change in found]


def test_equal_documents_do_not_differ() -> None:
    assert changes({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}) == []
    assert changes({"a": 1}, {"a": 1.0}) == [("changed", "/a", 1, 1.0)]
    assert changes({"a": 1}, {"a": True}) == [("changed", "/a", 1, True)]


def test_nodes_and_links_are_matched_by_name_and_ends() -> None:
    old = topology("A", "B", "C")
    new = deepcopy(old)
    new["nodes"].insert(0, node("Z"))
    new["nodes"][2]["lat"] = 9
    new["links"][1]["length"] = 99
    del new["links"][0]
    assert changes(old, new, TOPOLOGY) == [
        ("added", "/nodes/Z", None, node("Z")),
        ("changed", "/nodes/B/lat", 52.5, 9),
        ("removed", "/links/A–B", old["links"][0], None),
        ("changed", "/links/B–C/length", 12.5, 99),
    ]
    moved = differences(old, new, TOPOLOGY, 100)[0][1]
    assert (moved["old_pointer"], moved["pointer"]) == ("/nodes/1/lat", "/nodes/2/lat")


def test_demands_services_and_ids_are_matched() -> None:
    old = matrix(demand("1", "A", "B", service("GE", "a", "b"), service("FE", "c")), demand("2", "A", "B"))
    new = matrix(demand("2", "A", "B"), demand("1", "A", "B", service("FE", "c"), service("GE", "b")))
    assert changes(old, new, TRAFFIC) == [
        ("reordered", "/demands", ["1", "2"], ["2", "1"]),
        ("moved", "/demands/1/services/FE", None, None),
        ("changed", "/demands/1/services/GE/quantity", 2, 1),
        ("removed", "/demands/1/services/GE/service_id_list/a", "a", None),
    ]


def test_lists_without_keys_are_compared_by_index() -> None:
    assert changes([1, 1, 2], [1, 3]) == [("removed", "/2", 2, None), ("changed", "/1", 1, 3)]
    assert changes([{"name": "a"}, {"name": "a"}], [{"name": "b"}, {}]) == [
        ("changed", "/0/name", "a", "b"),
        ("removed", "/1/name", "a", None),
    ]


def test_more_changes_than_the_limit_are_left_out() -> None:
    found, more = differences(list(range(10)), [], {}, 4)
    assert (len(found), more) == (4, True)
    assert differences(list(range(4)), [], {}, 4)[1] is False


def resolve(document: Any, pointer: str) -> tuple[Any, Any]:
    """The container and key of a pointer."""
    *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    for part in parents:
        document = document[int(part) if isinstance(document, list) else part]
    return document, int(last) if isinstance(document, list) else last


def apply(old: Any, found: list[Change]) -> Any:
    """The new document, from the old one and the changes.

    It is built from the outside in: whatever a change does not name is where it was.
    """
    return build((), (), old, found)


def build(at: tuple[Any, ...], was: tuple[Any, ...], old: Any, found: list[Change]) -> Any:
    def pointer(path: tuple[Any, ...]) -> str:
        return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)

    for change in found:
        if change["change"] == "changed" and change["pointer"] == pointer(at):
            assert change["old"] == old
            return change["new"]
    children = [change for change in found if is_below(change["pointer"], pointer(at))]
    gone = {change["old_pointer"] for change in found if change["change"] == "removed"}
    if isinstance(old, dict):
        kept = {key: value for key, value in old.items() if pointer((*was, key)) not in gone}
        result = {key: build((*at, key), (*was, key), value, found) for key, value in kept.items()}
        result |= {last(change): change["new"] for change in children if change["change"] == "added"}
        order = [item for item in found if item["change"] == "reordered" and item["pointer"] == pointer(at)]
        return {key: result[key] for key in (order[0]["new"] if order else result)}
    if isinstance(old, list):
        added = {int(last(change)): change for change in children if change["change"] == "added"}
        moved = {int(last(change)): change for change in children if change["change"] == "moved"}
        came = {int(change["old_pointer"].rpartition("/")[2]) for change in moved.values()}
        stay = iter([i for i in range(len(old)) if pointer((*was, i)) not in gone and i not in came])
        size = len(old) - sum(pointer((*was, i)) in gone for i in range(len(old))) + len(added)
        values = []
        for index in range(size):
            if index in added:
                values.append(added[index]["new"])
                continue
            source = int(moved[index]["old_pointer"].rpartition("/")[2]) if index in moved else next(stay)
            values.append(build((*at, index), (*was, source), old[source], found))
        return values
    return old


def is_below(pointer: str | None, parent: str) -> bool:
    return pointer is not None and pointer.rpartition("/")[0] == parent and pointer != parent


def last(change: Change) -> str:
    return str(change["pointer"]).rpartition("/")[2].replace("~1", "/").replace("~0", "~")


SCALARS = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "b/~", "1", "1.0"]) | st.just(1.0)
OBJECTS = st.dictionaries(st.sampled_from(["id", "name", "a/b", "~", "nodes"]), SCALARS, max_size=3)
KEYED = st.lists(
    st.fixed_dictionaries({"id": st.integers(0, 4), "v": SCALARS}), max_size=5, unique_by=lambda v: v["id"]
)
DOCUMENTS = st.recursive(
    SCALARS | OBJECTS | KEYED,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["x", "y", "nodes"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(DOCUMENTS, DOCUMENTS)
def test_changes_applied_to_the_old_version_give_the_new_one(old: Any, new: Any) -> None:
    found, _ = differences(old, new, {"nodes": ("name",)}, 10_000)
    assert json.dumps(apply(old, found)) == json.dumps(new)
    assert (found == []) == (json.dumps(old) == json.dumps(new))
