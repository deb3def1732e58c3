"""The Python client as a package: its public names, its error tree, its types, its wheel, and what it imports."""

from __future__ import annotations

import inspect
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import get_type_hints

import pytest

import sluice_client
from client_types import client_types
from sluice_client import SluiceError, _errors, types
from support.conformance import DOCUMENT
from support.template import ROOT

PUBLIC = set(sluice_client.__all__)
CLASSES = [getattr(sluice_client, name) for name in sorted(PUBLIC) if not name.startswith("__")]


def test_public_surface_is_complete() -> None:
    names = {name for name in vars(sluice_client) if not name.startswith("_")}
    submodules = {name for name in names if inspect.ismodule(getattr(sluice_client, name))}
    assert submodules <= {"types"}
    assert names - submodules == PUBLIC - {"__version__"}
    assert sluice_client.__all__ == sorted(sluice_client.__all__)
    assert {found.__module__ for found in CLASSES} == {"sluice_client"}


def test_every_public_method_is_documented_and_typed() -> None:
    for owner in CLASSES:
        assert owner.__doc__, owner
        methods = inspect.getmembers(owner, inspect.isfunction)
        for name, method in methods:
            if not name.startswith("_") and method.__module__.startswith("sluice_client"):
                assert method.__doc__, f"{owner.__name__}.{name}"
                assert "return" in method.__annotations__, f"{owner.__name__}.{name}"


def tree(root: type[BaseException]) -> set[type[BaseException]]:
    return {root}.union(*(tree(child) for child in root.__subclasses__()))


def test_drawing_of_the_error_tree_is_complete() -> None:
    drawing = (_errors.__doc__ or "").splitlines()
    drawn: dict[str, str] = {}
    ancestors: list[str] = []
    for line in drawing:
        match = re.match(r"    ((?:│   |    )*)(?:├── |└── )?([A-Z]\w+)(?:$|\s{2,})", line)
        if match:
            depth = line.index(match[2]) // 4 - 1
            ancestors[depth:] = [match[2]]
            drawn[match[2]] = ancestors[depth - 1] if depth else ""
    classes = tree(SluiceError)
    assert drawn == {found.__name__: found.__bases__[0].__name__ for found in classes} | {"SluiceError": ""}
    assert set(drawn) <= PUBLIC


def test_statuses_in_the_drawing_are_those_of_the_classes() -> None:
    statuses = dict(re.findall(r"(\w+) +(4\d\d)$", _errors.__doc__ or "", re.MULTILINE))
    assert statuses == {name.__name__: str(status) for status, name in _errors._BY_STATUS.items()}


def test_types_are_those_of_the_document() -> None:
    schemas = json.loads(DOCUMENT.read_text())["components"]["schemas"]
    assert client_types(schemas) == (ROOT / "client/sluice_client/types.py").read_bytes()
    assert set(schemas) <= set(vars(types))
    run = get_type_hints(types.RunView)
    assert set(run) == set(schemas["RunView"]["properties"])
    assert types.RunView.__required_keys__ == set(schemas["RunView"]["required"])
    assert types.DatasourceView


@pytest.mark.parametrize(
    ("schemas", "expected"),
    [
        ({"A": {"properties": {"x": {"type": "string"}}, "required": ["x"]}}, "class A(TypedDict):\n    x: str\n"),
        ({"A": {"properties": {"x": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}}}, "NotRequired[int | None]"),
        ({"A": {"properties": {"from": {"const": 1}}}}, '"from": "NotRequired[Literal[1]]"'),
        ({"A": {"oneOf": [{"title": "B", "properties": {"y": {}}}, {"$ref": "#/x/C"}]}}, 'A: TypeAlias = "B | C"'),
        ({"A": {"type": "object", "patternProperties": {"^a": {"enum": ["x", 1]}}}}, "dict[str, Literal['x', 1]]"),
        (
            {"A": {"type": "array", "items": {"properties": {"y": {}}, "required": ["y"]}}},
            'A: TypeAlias = "list[AItem]"',
        ),
    ],
)
def test_types_of_schemas(schemas: dict[str, types.JsonValue], expected: str) -> None:
    assert expected in client_types(schemas).decode()


@pytest.mark.parametrize(
    "schemas", [{"A": {"type": "tuple"}}, {"B": {}, "A": {"oneOf": [{"title": "B", "properties": {"y": {}}}]}}]
)
def test_schemas_that_the_generator_does_not_know_are_refused(schemas: dict[str, types.JsonValue]) -> None:
    with pytest.raises(ValueError, match=r"is unknown|both be called"):
        client_types(schemas)


def test_client_imports_httpx_only() -> None:
    code = "import json, sys, sluice_client; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    packages = {name.partition(".")[0] for name in json.loads(done.stdout)}
    # httpx itself imports the packages of its command line if they are installed.
    heavy = {"pandas", "polars", "pyarrow", "numpy", "boto3", "pydantic", "sluice", "sluice_cli"}
    assert not packages & heavy
    assert "sluice_client.types" not in json.loads(done.stdout)


def test_wheel_is_typed(tmp_path: Path) -> None:
    # From a copy: setuptools writes into the folder that it builds.
    shutil.copytree(ROOT / "client", tmp_path / "client", ignore=shutil.ignore_patterns("build", "*.egg-info"))
    uv = Path(sys.executable).with_name("uv")
    command = [str(uv), "build", "--quiet", "--offline", "--no-build-isolation", "--python", sys.executable, "--wheel"]
    subprocess.run([*command, str(tmp_path / "client")], check=True, capture_output=True)
    (wheel,) = (tmp_path / "client/dist").glob("sluice_client-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = archive.read(next(name for name in names if name.endswith("/METADATA"))).decode()
    assert {name for name in names if "dist-info" not in name} == {
        f"sluice_client/{path.name}"
        for path in (ROOT / "client/sluice_client").iterdir()
        if path.suffix == ".py" or path.name == "py.typed"
    }
    assert f"Version: {sluice_client.__version__}" in metadata
    required = re.findall(r"^Requires-Dist: ([\w-]+)(?!.*extra)", metadata, re.MULTILINE)
    assert required == ["httpx"]
