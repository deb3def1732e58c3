"""Blueprints as files: YAML with places, variables, the folder's layout, and the checks that need no API."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_properties import MANY

from sluice_cli.blueprints.folder import Blueprint
from sluice_cli.blueprints.validate import validate_folder
from sluice_cli.blueprints.variables import VariableError, escape, expand
from sluice_cli.blueprints.yaml_file import YamlFile
from sluice_cli.commands import blueprints as commands
from sluice_cli.errors import StepFailed
from support.blueprints import SHOP, TRICKY, write_blueprint
from support.command_line import run_command
from support.template import ROOT

VARIABLES = {"PORT": "5432", "TEXT": "a: {b}", "EMPTY": ""}


def read(folder: Path, text: str, variables: dict[str, str] | None = None) -> YamlFile:
    path = folder / "x.yaml"
    path.write_text(text, encoding="utf-8")
    return YamlFile(path, VARIABLES if variables is None else variables)


def faults_of(file: YamlFile) -> list[str]:
    return [str(fault).partition("x.yaml:")[2] for fault in file.faults]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("2024-01-01", "2024-01-01"),
        ("12:30", "12:30"),
        (".inf", ".inf"),
        ("0x1F", 31),
        ("0o17", 15),
        ("-5", -5),
        ("1e3", 1000.0),
        ("'5'", "5"),
        ("True", True),
        ("~", None),
        ("", None),
        ("${PORT}", 5432),
        ("'${PORT}'", "5432"),
        ("a${PORT}", "a5432"),
        ("${TEXT}", "a: {b}"),
        ("{x: ${TEXT}}", {"x": "a: {b}"}),
        ("[${NONE:-1}, ${NONE:-x y}]", [1, "x y"]),
        ("${EMPTY}", None),
        ("$${PORT} $5", "${PORT} $5"),
        ("b # ${NONE}", "b"),
        ("|\n  ${TEXT}\n  x", "a: {b}\nx\n"),
        ("{1: x, no: y, ${PORT}: z}", {"1": "x", "no": "y", "5432": "z"}),
    ],
)
def test_scalars_and_variables(tmp_path: Path, text: str, value: Any) -> None:
    file = read(tmp_path, f"a: {text}\n")
    assert (file.document, faults_of(file)) == ({"a": value}, [])


def test_merge_keys_and_aliases(tmp_path: Path) -> None:
    file = read(tmp_path, "base: &b {x: 1, y: 2}\na:\n  <<: *b\n  x: 3\nb: *b\n")
    assert file.document == {"base": {"x": 1, "y": 2}, "a": {"x": 3, "y": 2}, "b": {"x": 1, "y": 2}}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: 1\nb:\n  c: ${NONE}", "3:6: The variable NONE has no value; set it in the environment."),
        ("a: |\n  x\n  y ${NONE}", "3:5: The variable NONE has no value; set it in the environment."),
        ("a: ${b c}", "1:4: A variable is written ${NAME} or ${NAME:-default}, and the text ${ as $${."),
        ("a: 1\nb: 2\na: 3", "3:1: The key 'a' is repeated."),
        ("a: !x 1", "1:4: The tag !x is not known; remove it."),
        ("a: !!int x", "1:4: 'x' is not of the type !!int."),
        ("a: &a [*a]", "1:4: An alias cannot stand within its own anchor."),
        ("? [a]\n: 1", "1:3: A key must be text."),
        ("a: [1", "2:1: The file is not YAML: while parsing a flow sequence, did not find expected ',' or ']'."),
        (
            "a: 1\n---\nb: 2",
            "2:1: The file is not YAML: expected a single document in the stream, but found another",
        ),
        ("- a", "1:1: The file must contain a mapping, such as `name: Prices`."),
        ("", "1:1: The file must contain a mapping, such as `name: Prices`."),
        ("a: " + "[" * 5000 + "]" * 5000, "1:1: "),
    ],
    ids=lambda text: text[:20],
)
def test_what_cannot_be_read_has_a_place(tmp_path: Path, text: str, fault: str) -> None:
    assert faults_of(read(tmp_path, text))[0].startswith(fault)


def test_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes("a: é".encode("latin-1"))
    assert "not UTF-8" in faults_of(YamlFile(path))[0]


def test_aliases_that_make_a_file_large_are_refused(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
    file = read(tmp_path, bomb)
    assert faults_of(file) == [
        "1:1: The file has more than 100,000 values, or 50,000,000 characters, with its aliases written out."
    ]
    assert file.document == {}
    long = f"a: &a {'x' * 1_000_000}\nb: [{', '.join(['*a'] * 50)}]\n"
    assert "50,000,000 characters" in faults_of(read(tmp_path, long))[0]


def test_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    folder = write_blueprint(tmp_path, {"blueprint.yaml": "name: B\n", "datasources/a.yaml": "kind: push\n"})
    os.mkfifo(folder / "datasources/b.yaml")
    faults = [str(fault) for fault in Blueprint(folder, {}).faults]
    assert faults == [f"{folder / 'datasources/b.yaml'}:1:1: This is not a regular file."]


def test_file_has_as_many_variables_as_it_needs(tmp_path: Path) -> None:
    text = "a: [" + ", ".join(["${TEXT}"] * 7000) + "]\nb: \ue000\n"
    file = read(tmp_path, text)
    assert file.faults == []
    assert file.document == {"a": [VARIABLES["TEXT"]] * 7000, "b": "\ue000"}
    assert faults_of(read(tmp_path, "a: " + "${TEXT}" * 137_469)) == [
        "1:1: The file has more than 137,468 variables; split it."
    ]


@pytest.mark.parametrize(
    ("pointer", "message", "fault"),
    [
        ("/sql", "Line 2, column 6: there is no table x.", "4:8: sql: There is no table x."),
        ("/plain", "Line 1, column 8: no.", "5:15: plain: No."),
        ("/quoted", "Line 1, column 8: no.", "6:17: quoted: No."),
        ("/folded", "Line 1, column 8: no.", "7:9: folded: Line 1, column 8: no."),
        ("/list/1/a b", "Wrong.", '9:18: list[1]["a b"]: Wrong.'),
        ("/list/0/nothing", "This field is required.", "9:8: list[0].nothing: This field is required."),
        ("/list/1/a b", "Unknown field.", '9:13: list[1]["a b"]: Unknown field.'),
    ],
)
def test_place_of_a_pointer(tmp_path: Path, pointer: str, message: str, fault: str) -> None:
    text = (
        "# comment\nsql: |\n  SELECT *\n  FROM x\nplain: SELECT x\nquoted: 'SELECT x'\n"
        "folded: >\n  SELECT x\nlist: [{}, {a b: 1}]\n"
    )
    reported = str(read(tmp_path, text).fault(pointer, message))
    assert reported.partition("x.yaml:")[2] == fault


@MANY
@given(st.sampled_from(TRICKY) | st.text("${}AB:-x", max_size=12))
def test_escaped_text_has_no_variables(text: str) -> None:
    assert expand(escape(text), {}) == text


@pytest.mark.parametrize("text", ["${NONE}", "${", "${A-B}", "x ${ y"])
def test_text_that_is_no_variable_is_refused(text: str) -> None:
    with pytest.raises(VariableError):
        expand(text, VARIABLES)


def problems(folder: Path, **variables: str) -> list[str]:
    checked = validate_folder(Blueprint(folder, variables))
    return sorted(str(fault).removeprefix(f"{folder}/") for fault in checked.faults)


def test_blueprint_without_faults(tmp_path: Path) -> None:
    folder = write_blueprint(tmp_path, {**SHOP, "README.md": "x", ".git/x": "", "files/notes/a.csv": "id\n"})
    assert problems(folder) == []
    done = run_command(commands.validate, str(folder))
    assert (done.code, done.output) == (0, f"{folder} is valid: 10 resources.\n")


@pytest.mark.parametrize("name", ["top-coins", "cost-revenue", "netplanner"])
def test_shipped_blueprints_are_valid_without_variables(name: str) -> None:
    assert run_command(commands.validate, str(ROOT / "blueprints" / name)).code == 0


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"blueprint.yaml": "nmae: x\n"}, ["blueprint.yaml:1:1: nmae: Unknown field. Did you mean name?"]),
        ({"blueprint.yaml": "zzz: x\n"}, ["blueprint.yaml:1:1: zzz: Unknown field. The fields are name, desc"]),
        ({"blueprint.yaml": "project: other\n"}, ["blueprint.yaml:1:10: project: There is no project 'other'"]),
        ({"blueprint.yaml": "show: {model: no, select: a}\n"}, ["blueprint.yaml:1:15: show.model: There is no model"]),
        ({"blueprint.yaml": "sample: {command: no.py}\n"}, ["blueprint.yaml:1:19: sample.command: There is no file"]),
        ({"blueprint.yaml": "secrets: {key: 5}\n"}, ["blueprint.yaml:1:16: secrets.key: Input should be"]),
        ({"datasource/x.yaml": "a: 1"}, ["datasource: This folder is not part of a blueprint; did you mean datasour"]),
        ({"other/x": ""}, ["other: This folder is not part of a blueprint; the folders are algorithms, datasources"]),
        ({"x.yml": ""}, ["x.yml: This file is not part of a blueprint"]),
        ({"models/x.yml": "sql: SELECT 1"}, ["models/x.yml: Only *.yaml files belong here; rename it to x.yaml"]),
        ({"models/sub/x.yaml": "sql: SELECT 1"}, ["models/sub: This folder is not part of a blueprint."]),
        ({"projects/no/models/x.yaml": "a: 1"}, ["projects/no: There is no project no: "]),
        ({"projects/shop/model/x.yaml": "a: 1"}, ["projects/shop/model: This folder is not part of a blueprint; did"]),
        ({"projects/shop/x.yaml": "a: 1"}, ["projects/shop/x.yaml: This file is not part of a blueprint; the fol"]),
        ({"projects/shop/models/early.yaml": "sql: SELECT 1"}, ["projects/shop/models/early.yaml:1:1: The model sho"]),
        ({"files/no-such/x.csv": "a"}, []),
        ({"files/orders/x.csv": "a"}, ["files/orders: The datasource 'orders' takes no files: its kind is http."]),
        ({"models/Bad.yaml": "sql: SELECT 1"}, ["models/Bad.yaml:1:1: The name 'Bad' cannot be used in SQL"]),
        ({"datasources/A b.yaml": "name: x\nkind: file"}, ["datasources/A b.yaml:1:1: The name 'A b' cannot be used"]),
        ({"datasources/notes.yaml": "name: x\nkind: file\nslug: y"}, ["datasources/notes.yaml:3:7: slug: The slug is"]),
        (
            {"datasources/orders.yaml": "name: x\nkind: http\nhttp:\n  urll: x\n"},
            [
                "datasources/orders.yaml:3:1: http.url: This field is required.",
                "datasources/orders.yaml:4:3: http.urll: Unknown field.",
            ],
        ),
        (
            {"datasources/orders.yaml": "name: x\nkind: http\nhttp: {url: https://x.org, params: {api_key: abc}}"},
            ["datasources/orders.yaml:3:46: http.params.api_key: 'api_key' looks like a credential"],
        ),
        (
            {"models/early.yaml": "sql: |\n  SELECT *\n  FROM nowhere\n"},
            ["models/early.yaml:3:8: sql: There is no table"],
        ),
        ({"models/early.yaml": "sql: SELECT FROM WHERE"}, ["models/early.yaml:1:"]),
        ({"endpoints/top.yaml": "sql: SELECT 1 FROM no"}, ["endpoints/top.yaml:1:20: sql: There is no table no"]),
        (
            {"reports/sales.yaml": "title: x\nsections:\n  - type: table\n    sql: SELECT now()\n"},
            ["reports/sales.yaml:4:10: sections[0].sql: now() would keep the time of the first run"],
        ),
        (
            {"models/early.yaml": "sql: SELECT * FROM a_late"},
            [f"models/{name}.yaml:1:6: sql: The models have a circular" for name in ("a_late", "early")],
        ),
        ({"models/notes.yaml": "sql: SELECT 1"}, ["models/notes.yaml:1:1: The name 'notes' is used by the assignment"]),
        ({"projects/shop.yaml": "name: x\ndatasources: [notes]"}, ["models/early.yaml", "projects/shop.yaml:2:14: "]),
        (
            {"projects/shop.yaml": "name: x\ndatasources:\n  orders: {rank: 1}\n"},
            ["projects/shop.yaml:3:12: datasources.orders.rank: Unknown field."],
        ),
        (
            {"projects/shop.yaml": "name: x\ndatasources:\n  orders: {alias: x}\n  notes: {alias: x}\n"},
            [
                "models/early.yaml:3:8: sql: There is no table orders",
                "projects/shop.yaml:3:19: datasources.orders.alias",
            ],
        ),
        (
            {"projects/shop.yaml": "name: x\ndatasources: {orders: 5}\n"},
            ["projects/shop.yaml:2:23: datasources.orders"],
        ),
    ],
    ids=str,
)
def test_faults_of_a_blueprint(tmp_path: Path, files: dict[str, str | None], expected: list[str]) -> None:
    reported = problems(write_blueprint(tmp_path, {**SHOP, **files}))
    assert len(reported) == len(expected), reported
    for fault, beginning in zip(reported, expected, strict=True):
        assert fault.startswith(beginning)


def test_all_faults_are_reported_with_their_places(tmp_path: Path) -> None:
    folder = write_blueprint(
        tmp_path,
        {
            **SHOP,
            "datasources/orders.yaml": "name: ${NONE}\nkind: http",
            "models/early.yaml": "sql: [",
            "endpoints/top.yaml": "sql: SELECT 1 FROM no",
        },
    )
    done = run_command(commands.validate, str(folder))
    assert done.code == 1
    assert done.error.splitlines()[0] == "The blueprint has 3 errors:"
    places = [line.strip().removeprefix(f"{folder}/").split(": ")[0] for line in done.error.splitlines()[1:]]
    assert places == ["datasources/orders.yaml:1:7", "endpoints/top.yaml:1:20", "models/early.yaml:2:1"]


def test_what_may_be_on_the_server_is_a_note(tmp_path: Path) -> None:
    folder = write_blueprint(tmp_path, {**SHOP, "blueprint.yaml": "name: x\n", "datasources/notes.yaml": None})
    done = run_command(commands.validate, str(folder))
    assert done.code == 0
    notes = [line for line in done.output.splitlines() if line.startswith("note: ")]
    assert notes == [
        f"note: {folder}/datasources/orders.yaml:5:32: the secret key is not in this blueprint",
        f"note: {folder}/projects/shop.yaml:6:3: the datasource notes is not in this blueprint",
    ]


def test_resources_of_several_projects(tmp_path: Path) -> None:
    second = {"projects/second.yaml": "name: Second\n", "projects/second/models/early.yaml": "sql: SELECT 1 AS a\n"}
    folder = write_blueprint(tmp_path, {**SHOP, **second})
    assert problems(folder) == []
    assert set(Blueprint(folder).of_type("model", "second")) == {"early"}
    write_blueprint(folder, {"blueprint.yaml": "name: x\n"})
    assert len([fault for fault in problems(folder) if "the blueprint has no single project" in fault.lower()]) == 4


def test_folder_without_blueprint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match=r"has no blueprint\.yaml"):
        Blueprint(tmp_path)


def test_sample_environment_and_files(tmp_path: Path) -> None:
    description = "sample:\n  command: server.py\n  environment: {URL: '${SAMPLE_URL}/v1'}\n"
    files = {"blueprint.yaml": description, "server.py": "", "files/notes/a.csv": "id\n"}
    blueprint = Blueprint(write_blueprint(tmp_path, {**SHOP, **files}))
    assert blueprint.sample_environment("http://x") == {"URL": "http://x/v1"}
    assert blueprint.sample_command() == tmp_path / "server.py"
    assert blueprint.files() == [("notes", tmp_path / "files/notes/a.csv")]
