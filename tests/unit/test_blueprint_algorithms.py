"""Algorithms in blueprints: the order among models that read each other's tables, and their names in SQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sluice_cli.blueprints.apply import apply_blueprint
from sluice_cli.blueprints.export import export
from sluice_cli.blueprints.folder import Blueprint
from sluice_cli.blueprints.plan import Plan, compare, make_plan
from sluice_cli.blueprints.resources import TYPES
from sluice_cli.blueprints.state import State
from sluice_cli.blueprints.validate import check_documents, validate_folder
from support.blueprints import write_blueprint
from support.client import Client
from support.command_line import in_process_api
from support.example_algorithms import add_example_algorithms

FILES = {
    "blueprint.yaml": "name: sums\n",
    "datasources/numbers.yaml": "name: Numbers\nkind: file\nformat: csv\ntypes: {id: bigint, value: bigint}\n",
    "projects/sums.yaml": "name: Sums\nmerge: {strategy: union}\nrefresh_on: manual\ndatasources:\n  numbers:\n",
    "models/z_positive.yaml": "sql: SELECT * FROM numbers WHERE value > 0\n",
    "algorithms/smallest_sum.yaml": "inputs: {data: model:z_positive}\nparameters: {restarts: 2}\non_refresh: true\n",
    "models/a_half.yaml": "sql: SELECT number FROM smallest_sum JOIN smallest_sum_first USING (number)\n",
    "reports/sums.yaml": "title: Sums\nsections:\n  - {type: table, sql: SELECT number FROM smallest_sum}\n",
}
ORDER = [
    "project sums",
    "datasource numbers",
    "assignment sums/numbers",
    "model sums/z_positive",
    "algorithm sums/smallest_sum",
    "model sums/a_half",
    "report sums/sums",
]


@pytest.fixture(autouse=True)
def examples(monkeypatch: pytest.MonkeyPatch) -> None:
    add_example_algorithms(monkeypatch)


def blueprint(folder: Path, **changed: str | None) -> Blueprint:
    return Blueprint(write_blueprint(folder, {**FILES, **changed}), {})


def planned(described: Blueprint, state: State, **options: Any) -> Plan:
    checked = check_documents(described)
    assert checked.faults == []
    return compare(described, checked, state, lambda slug: {"sums"}, **options)


def stored(described: Blueprint) -> State:
    return State({key: TYPES[key.type].normalize(key.name, item.document) for key, item in described.sources.items()})


def test_algorithm_is_created_between_what_it_reads_and_what_reads_it(tmp_path: Path) -> None:
    assert [str(change.key) for change in planned(blueprint(tmp_path), State()).changes] == ORDER


def test_algorithm_is_deleted_after_what_reads_it(tmp_path: Path) -> None:
    state = stored(blueprint(tmp_path))
    only_data: dict[str, str | None] = {name: None for name in FILES if name.startswith(("m", "a", "r"))}
    deleted = planned(blueprint(tmp_path, **only_data), state, prune=True)
    assert [str(change.key) for change in deleted.changes] == ORDER[:2:-1]
    kept = {"algorithms/smallest_sum.yaml": None, "models/a_half.yaml": "sql: SELECT 1 AS number\n"}
    kept["reports/sums.yaml"] = None
    assert [
        f"{change.action} {change.key}" for change in planned(blueprint(tmp_path, **kept), state, prune=True).changes
    ] == [
        "delete report sums/sums",
        "change model sums/a_half",
        "delete algorithm sums/smallest_sum",
    ]


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"models/smallest_sum_first.yaml": "sql: SELECT 1 AS a\n"}, "is used by the model sums/smallest_sum_first"),
        ({"algorithms/largest.yaml": "on_refresh: true\n"}, "There is no algorithm 'largest'; there are "),
        ({"algorithms/smallest_sum.yaml": "seed: -1\n"}, "seed: "),
        ({"algorithms/smallest_sum.yaml": None}, "There is no table smallest_sum"),
    ],
)
def test_faults_of_algorithms(tmp_path: Path, files: dict[str, str | None], fault: str) -> None:
    faults = [str(found) for found in validate_folder(blueprint(tmp_path, **files)).faults]
    assert any(fault in found for found in faults), faults


def test_applied_algorithm_is_unchanged_and_exported(tmp_path: Path, admin: Client) -> None:
    api = in_process_api(admin)
    described = blueprint(tmp_path / "sums")
    apply_blueprint(described, api)
    assert make_plan(described, api).changes == []
    written = export(api, tmp_path / "exported", ["sums"])
    assert tmp_path / "exported/algorithms/smallest_sum.yaml" in written
    assert make_plan(Blueprint(tmp_path / "exported", {}), api).changes == []
