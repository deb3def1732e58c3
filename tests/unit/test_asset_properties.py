"""Any sequence of changes: references are counted right, histories are complete, and refused changes leave nothing."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.assets.definitions import create_asset, delete_asset, replace_asset, set_status
from sluice.catalog.assets import Change, Key
from sluice.container import Container
from sluice.domain.assets.kinds import ASSET_TYPES, EQUIPMENT, SENSOR, SITE, AssetType
from sluice.domain.base import validate
from sluice.domain.identity import Principal
from sluice.errors import AlreadyExists, RequestError
from support.moto_aws import empty

BY = Principal(id="key/x", role="editor")
SITES, PIECES = ["S-1", "S-2"], ["E-1", "E-2", "E-3"]
sites, pieces = st.sampled_from(SITES), st.sampled_from(PIECES)
steps = st.one_of(
    st.tuples(st.just("put"), st.just(SITE), sites.map(lambda code: {"code": code, "type": "plant"})),
    st.tuples(
        st.just("put"),
        st.just(EQUIPMENT),
        st.fixed_dictionaries({"code": pieces, "site": sites, "parent": st.none() | pieces}),
    ),
    st.tuples(
        st.just("put"),
        st.just(SENSOR),
        st.fixed_dictionaries({"id": st.sampled_from(["s1", "s2"]), "equipment": pieces, "metric": st.just("flow")}),
    ),
    st.tuples(st.just("delete"), st.just(SITE), sites),
    st.tuples(st.just("delete"), st.just(EQUIPMENT), pieces),
    st.tuples(st.just("deactivate"), st.just(EQUIPMENT), st.lists(pieces, min_size=1, max_size=3)),
)


def run(services: Container, step: tuple[str, AssetType, Any]) -> None:
    verb, asset, argument = step
    if verb == "deactivate":
        set_status(services, argument, "inactive", BY)
    elif verb == "delete":
        delete_asset(services, services.definitions.get(asset.kind, argument), BY)
    else:
        document = validate(asset.model, argument)
        stored = services.definitions.find(asset.kind, argument[asset.name_field])
        if stored is None:
            create_asset(services, asset, document, BY)
        else:
            replace_asset(services, stored, document, BY)


def state(services: Container) -> dict[Key, dict[str, Any]]:
    return {(kind, item.name): item.document for kind in ASSET_TYPES for item in services.assets.walk(kind)}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(steps, min_size=10, max_size=25))
def test_references_and_histories_are_right_after_any_changes(services: Container, taken: list[Any]) -> None:
    empty()
    for code in SITES:
        create_asset(services, SITE, validate(SITE.model, {"code": code, "type": "plant"}), BY)
    changes = dict.fromkeys(state(services), 1)
    for step in taken:
        before = state(services)
        refused = True
        with suppress(RequestError):
            run(services, step)
            refused = False
        after = state(services)
        assert not refused or after == before
        for key in before.keys() | after.keys():
            changes[key] = changes.get(key, 0) + (before.get(key) != after.get(key))
    for (kind, name), document in (stored := state(services)).items():
        named = ASSET_TYPES[kind].referred(document).values()
        assert all(key in stored for key in named), "what a document refers to exists"
        references = sum(
            list(ASSET_TYPES[other].referred(stored[other, code]).values()).count((kind, name))
            for other, code in stored
        )
        assert services.definitions.get(kind, name).assigned == references
    for (kind, name), count in changes.items():
        entries = services.assets.history(kind, name, 100, None)
        assert [number for number, _ in entries] == list(range(count))[::-1]
        replayed: dict[str, Any] = {}
        for _, entry in reversed(entries):
            replayed = {} if entry.action == "deleted" else {**replayed, **{c.field: c.new for c in entry.changes}}
        present = stored.get((kind, name), {})
        assert {field: value for field, value in replayed.items() if value is not None} == {
            field: value for field, value in present.items() if value is not None
        }


def test_transaction_with_a_refused_change_stores_nothing(services: Container) -> None:
    site = {"code": "S-1", "type": "plant", "name": "x"}
    services.assets.write([Change("site", "S-1", None, site)], BY)
    before = services.definitions.get("site", "S-1")
    new = {"code": "E-1", "site": "S-1"}
    with pytest.raises(AlreadyExists):
        services.assets.write([Change("equipment", "E-1", None, new), Change("site", "S-1", None, site)], BY)
    assert services.definitions.find("equipment", "E-1") is None
    assert services.definitions.get("site", "S-1") == before
