"""Plans of blueprints against a state that holds what the API would store."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_properties import MANY, values

from sluice.domain.json_text import same_json
from sluice_cli.blueprints.differences import ABSENT, FieldChange, differences
from sluice_cli.blueprints.faults import BlueprintInvalid
from sluice_cli.blueprints.folder import Blueprint
from sluice_cli.blueprints.plan import Plan, compare
from sluice_cli.blueprints.resources import TYPES, ResourceKey
from sluice_cli.blueprints.show import plan_lines
from sluice_cli.blueprints.state import State
from sluice_cli.blueprints.validate import check_documents
from support.blueprints import SHOP, write_blueprint

Plans = Callable[..., Plan]
ONLY_DATA = {name: None for name in SHOP if name.startswith(("models", "reports", "endpoints"))}
VARIABLES = {"SHOP_KEY": "sesame"}


def stored_state(blueprint: Blueprint) -> State:
    """What the API stores when a blueprint was applied."""
    state = State()
    for key, source in blueprint.sources.items():
        state.documents[key] = TYPES[key.type].normalize(key.name, source.document)
    return state


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_blueprint(tmp_path / "shop", dict(SHOP))


@pytest.fixture
def state(folder: Path) -> State:
    return stored_state(Blueprint(folder, VARIABLES))


@pytest.fixture
def plan(folder: Path, state: State) -> Plans:
    """A function that changes files, and returns the plan against the state before."""

    def make(files: dict[str, str | None], *, users: set[str] | None = None, **options: bool) -> Plan:
        blueprint = Blueprint(write_blueprint(folder, files), VARIABLES)
        checked = check_documents(blueprint)
        assert checked.faults == []
        return compare(blueprint, checked, state, lambda slug: users or {"shop"}, **options)

    return make


def steps(plan: Plan) -> list[str]:
    return [f"{change.action} {change.key}" for change in plan.changes]


def faults(folder: Path, make: Callable[[], Plan]) -> list[str]:
    with pytest.raises(BlueprintInvalid) as refused:
        make()
    return [str(fault).removeprefix(f"{folder}/") for fault in refused.value.faults]


def test_plan_against_nothing_creates_everything_in_order(folder: Path) -> None:
    blueprint = Blueprint(folder, VARIABLES)
    plan = compare(blueprint, check_documents(blueprint), State(), lambda slug: set())
    assert steps(plan) == [
        "create project shop",
        "create secret key",
        "create datasource notes",
        "create datasource orders",
        "create assignment shop/notes",
        "create assignment shop/orders",
        "create model shop/early",
        "create model shop/a_late",
        "create report shop/sales",
        "create endpoint shop/top",
    ]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {"projects/shop.yaml": SHOP["projects/shop.yaml"].replace("10", "20").replace("Shop", "Shop 2")},
            [
                "~ project shop",
                '    name: "Shop" → "Shop 2"',
                "~ assignment shop/orders",
                "    priority: 10 → 20",
            ],
        ),
        (
            {"datasources/orders.yaml": SHOP["datasources/orders.yaml"] + "fields: {id: a.b, $x: id}\n"},
            ["~ datasource orders", '    fields: null → {"id": "a.b", "$x": "id"}'],
        ),
        (
            {"models/early.yaml": "sql: |\n  SELECT *, 1 AS a\n  FROM orders\ntests: [{type: row_count, min: 1}]\n"},
            [
                "~ model shop/early",
                "    sql:",
                "      -SELECT *",
                "      +SELECT *, 1 AS a",
                "       FROM orders",
                '    tests[0]: (none) → {"severity": "error", "type": "row_count", "min": 1, "max": null}',
            ],
        ),
        (
            {"endpoints/top.yaml": 'sql: SELECT id FROM a_late\npublic: true\ncolumns: {id: Id, "a.b": é}\n'},
            [
                "~ endpoint shop/top",
                "    public: false → true",
                '    columns.id: (none) → "Id"',
                '    columns["a.b"]: (none) → "é"',
            ],
        ),
        (
            {"reports/sales.yaml": "title: Sales\nsections:\n  - {type: markdown, text: 'no'}\n"},
            [
                "~ report shop/sales",
                "    sections[0].title: null → (none)",
                '    sections[0].sql: "SELECT id FROM a_late" → (none)',
                "    sections[0].format: {} → (none)",
                '    sections[0].type: "table" → "markdown"',
                '    sections[0].text: (none) → "no"',
            ],
        ),
        (
            {"blueprint.yaml": "project: shop\nsecrets:\n  key: {value: '${SHOP_KEY}', hosts: [x.example.com]}\n"},
            [
                "~ secret key",
                '    hosts: null → ["x.example.com"]',
                '    value: "(hidden)" → "(written again)"',
            ],
        ),
        ({"models/more.yaml": "sql: SELECT 1 AS a\n"}, ["+ model shop/more"]),
        (
            {"datasources/orders.yaml": SHOP["datasources/orders.yaml"] + "slug: orders\nrecords: '@'\nschedule:\n"},
            [],
        ),
    ],
    ids=str,
)
def test_change_is_shown_by_field(plan: Plans, files: dict[str, str | None], expected: list[str]) -> None:
    lines = [click.unstyle(line) for line in plan_lines(plan(files)) if not line.startswith("note: ")]
    assert lines[:-1] == expected


def test_long_values_are_cut(plan: Plans) -> None:
    lines = plan_lines(plan({"datasources/notes.yaml": f"name: Notes\nkind: file\ndescription: {'x' * 500}\n"}))
    assert max(map(len, lines)) < 200


def test_secret_is_written_when_it_is_new_or_on_request(folder: Path, state: State, plan: Plans) -> None:
    unchanged = plan({})
    assert (unchanged.changes, unchanged.kept_secrets) == ([], 1)
    state.documents[ResourceKey("secret", "key")]["hosts"] = ["a.example.com"]
    written = plan({}, secrets=True)
    assert steps(written) == ["change secret key"]
    assert written.changes[0].document == {"value": "sesame", "hosts": ["a.example.com"], "projects": None}
    blueprint = Blueprint(folder, {})
    checked = check_documents(blueprint)
    assert compare(blueprint, checked, state, lambda slug: set()).changes == [], "no value is needed"
    missing = "blueprint.yaml:4:3: secrets.key.value: The variable SHOP_KEY has no value; set it in the environment."
    assert faults(folder, lambda: compare(blueprint, checked, state, lambda slug: set(), secrets=True)) == [missing]


def test_secrets_are_left_alone_by_a_key_that_may_not_list_them(state: State, plan: Plans) -> None:
    del state.documents[ResourceKey("secret", "key")]
    state.hidden = {"secret"}
    planned = plan({})
    assert (planned.changes, len(planned.notes)) == ([], 1)
    assert steps(plan({}, secrets=True)) == ["change secret key"]


def test_references_to_nothing_are_faults(folder: Path, state: State, plan: Plans) -> None:
    del state.documents[ResourceKey("secret", "key")]
    state.documents.pop(ResourceKey("datasource", "notes"))
    changed = SHOP["datasources/orders.yaml"].replace("Orders", "Changed")
    files = {
        "blueprint.yaml": "name: x\n",
        "datasources/notes.yaml": None,
        "datasources/orders.yaml": changed,
        "files/lost/a.csv": "a",
    }
    assert faults(folder, lambda: plan(files)) == [
        "datasources/orders.yaml:5:32: http.auth.secret: There is no secret 'key', neither in this blueprint nor on "
        "the server.",
        "files/lost: There is no datasource 'lost' for these files.",
        "projects/shop.yaml:6:3: There is no datasource 'notes', neither in this blueprint nor on the server.",
    ]
    for name in ("notes", "lost"):
        state.documents[ResourceKey("datasource", name)] = {"name": name}
    planned = plan({"datasources/orders.yaml": SHOP["datasources/orders.yaml"]})
    assert planned.changes == []
    assert "There is no secret 'key'" in planned.notes[0], "an unchanged datasource is no fault"


def test_fixed_field_cannot_change(folder: Path, plan: Plans) -> None:
    assert faults(folder, lambda: plan({"datasources/notes.yaml": "name: Notes\nkind: push\n"})) == [
        "datasources/notes.yaml:2:7: kind: The kind of the stored datasource is 'file' and cannot change."
    ]


def project(assignments: str) -> str:
    return f"name: Shop\nrefresh_on: manual\nmerge: {{strategy: join, key: [id]}}\ndatasources:\n{assignments}"


def test_table_that_is_read_cannot_get_another_name(folder: Path, plan: Plans) -> None:
    files = {
        "projects/shop.yaml": project("  orders: {alias: sold}\n  notes:\n"),
        "models/early.yaml": "sql: SELECT * FROM sold\n",
    }
    assert faults(folder, lambda: plan(files)) == [
        "projects/shop.yaml:5:19: datasources.orders.alias: The table 'orders' cannot become 'sold': the stored "
        "model shop/early reads it; delete that first."
    ]


def test_names_of_tables_are_free_when_they_are_used(folder: Path, state: State, plan: Plans) -> None:
    state.documents = {key: document for key, document in state.documents.items() if key.type not in ("model",)}
    state.documents.pop(ResourceKey("report", "sales", "shop"))
    state.documents.pop(ResourceKey("endpoint", "top", "shop"))
    moved = {**ONLY_DATA, "projects/shop.yaml": project("  notes: {alias: n}\n  orders: {alias: notes}\n")}
    assert steps(plan(moved)) == ["change assignment shop/notes", "change assignment shop/orders"]
    swapped = {"projects/shop.yaml": project("  notes: {alias: orders}\n  orders: {alias: o}\n")}
    assert faults(folder, lambda: plan(swapped)) == [
        "projects/shop.yaml:5:18: datasources.notes.alias: The name 'orders' is still used by the assignment "
        "shop/orders. Free it with an apply of its own first."
    ]


def test_leftovers_stay_without_prune(plan: Plans) -> None:
    planned = plan({"endpoints/top.yaml": None, "models/a_late.yaml": None, "reports/sales.yaml": None})
    assert (planned.changes, len(planned.leftovers)) == ([], 3)
    note = "note: not in the blueprint: endpoint shop/top, model shop/a_late, report shop/sales; --prune deletes"
    assert any(line.startswith(note) for line in plan_lines(planned))


def test_prune_deletes_readers_first(plan: Plans) -> None:
    planned = plan(
        {**ONLY_DATA, "datasources/orders.yaml": None, "projects/shop.yaml": project("  notes:\n")}, prune=True
    )
    assert steps(planned) == [
        "delete endpoint shop/top",
        "delete report shop/sales",
        "delete model shop/a_late",
        "delete model shop/early",
        "delete assignment shop/orders",
        "delete datasource orders",
    ]


def test_prune_keeps_datasources_of_other_projects(plan: Plans) -> None:
    files = {**ONLY_DATA, "datasources/orders.yaml": None, "projects/shop.yaml": project("  notes:\n")}
    planned = plan(files, users={"shop", "other"}, prune=True)
    assert steps(planned)[-1] == "delete assignment shop/orders"
    assert planned.notes == ["the datasource orders stays: other uses it, too"]


def test_prune_keeps_datasources_that_the_blueprint_has(plan: Plans) -> None:
    files = {**ONLY_DATA, "projects/shop.yaml": project("  notes:\n")}
    assert steps(plan(files, prune=True))[-1] == "delete assignment shop/orders"


def test_what_changing_resources_read_is_deleted_after_them(plan: Plans) -> None:
    files = {
        "models/early.yaml": None,
        "models/a_late.yaml": "sql: SELECT 1 AS id\n",
        "reports/sales.yaml": None,
        "projects/shop.yaml": project("  notes:\n"),
        "datasources/orders.yaml": None,
    }
    assert steps(plan(files, prune=True)) == [
        "delete report shop/sales",
        "change model shop/a_late",
        "delete model shop/early",
        "delete assignment shop/orders",
        "delete datasource orders",
    ]


def test_name_of_a_deleted_table_can_be_used_at_once(plan: Plans) -> None:
    planned = plan(
        {**ONLY_DATA, "projects/shop.yaml": project("  orders: {priority: 10}\n  notes: {alias: early}\n")}, prune=True
    )
    assert steps(planned)[-2:] == ["delete model shop/early", "change assignment shop/notes"]


def test_tables_that_stay_on_the_server_can_be_read(folder: Path, state: State, plan: Plans) -> None:
    state.documents[ResourceKey("model", "by_hand", "shop")] = TYPES["model"].normalize("by_hand", {"sql": "SELECT 1"})
    files = {"models/reader.yaml": "sql: SELECT * FROM by_hand\n"}
    assert steps(plan(files)) == ["create model shop/reader"]
    assert faults(folder, lambda: plan(files, prune=True))[0].startswith("models/reader.yaml:1:20: sql: There is no ta")


def test_document_of_an_earlier_release_is_compared_as_it_is(state: State, plan: Plans) -> None:
    state.documents[ResourceKey("model", "early", "shop")] = TYPES["model"].stored("early", {"sql": "DROP TABLE x"})
    assert steps(plan({})) == ["change model shop/early"]


@pytest.mark.parametrize("done", range(11))
def test_partly_applied_plan_continues(folder: Path, done: int) -> None:
    blueprint = Blueprint(folder, VARIABLES)
    whole, state = compare(blueprint, check_documents(blueprint), State(), lambda slug: set()), State()
    everything = stored_state(blueprint)
    for change in whole.changes[:done]:
        state.documents[change.key] = everything.documents[change.key]
    rest = compare(blueprint, check_documents(blueprint), state, lambda slug: set())
    assert rest.changes == whole.changes[done:]


def patched(value: Any, changes: list[FieldChange]) -> Any:
    """A value with changes made, as `FieldChange` describes them."""
    if any(change.path == () for change in changes):
        return changes[0].new
    if isinstance(value, list):
        here = [change for change in changes if len(change.path) == 1]
        removed = {change.path[0] for change in here if change.new is ABSENT}
        value = [item for index, item in enumerate(value) if index not in removed]
        for change in here:
            if change.old is ABSENT:
                value.insert(change.path[0], ABSENT)
        changes = [change for change in changes if change not in here or change.new is not ABSENT]
    result = copy.copy(value)
    inner: dict[Any, list[FieldChange]] = {}
    for change in changes:
        inner.setdefault(change.path[0], []).append(FieldChange(change.path[1:], change.old, change.new))
    for key, below in inner.items():
        result[key] = patched(result.get(key) if isinstance(result, dict) else result[key], below)
    return {key: item for key, item in result.items() if item is not ABSENT} if isinstance(result, dict) else result


named = st.lists(st.builds(lambda name, value: {"name": name, "v": value}, st.sampled_from("abc"), values), max_size=4)


@MANY
@given(values | named, values | named, st.booleans())
def test_differences_turn_the_old_value_into_the_new(old: Any, new: Any, nested: bool) -> None:
    if nested:
        old, new = {"a": [old, 1], "b": old}, {"a": [new], "b": old}
    assert same_json(patched(old, list(differences(old, new))), new)
    assert list(differences(new, new)) == []


A, B, C = {"as": "a", "x": 1}, {"as": "b", "x": 1}, {"as": "c", "x": 1}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([A, B, C], [B, C], [((0,), A, ABSENT)]),
        ([A, C], [A, B, C], [((1,), ABSENT, B)]),
        ([A, B], [{**B, "x": 2}], [((0,), A, ABSENT), ((0, "x"), 1, 2)]),
        ([A], [B], [((0,), A, ABSENT), ((0,), ABSENT, B)]),
        ([1, 2, 3], [2, 3], [((0,), 1, ABSENT)]),
        ([{"type": "t", "x": 1}], [{"type": "t", "x": 2}], [((0, "x"), 1, 2)]),
        ([A, B], [B, A], [((0,), ABSENT, B), ((1,), B, ABSENT)]),
    ],
    ids=["removed", "added", "removed and changed", "other name", "values", "without names", "moved"],
)
def test_elements_of_lists_are_matched(old: Any, new: Any, expected: Any) -> None:
    assert [(change.path, change.old, change.new) for change in differences(old, new)] == expected
