"""Layers by reference, as the local stack deploys them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sluice_cli.local.layers import reference_layers, remove_unused_layers

TEMPLATE = """
Resources:
  CodeLayer:
    Properties:
      ContentUri: CodeLayer
  OneFunction:
    Properties:
      CodeUri: OneFunction
"""


@pytest.fixture
def build(tmp_path: Path) -> Path:
    folder = tmp_path / "build"
    (folder / "CodeLayer" / "python").mkdir(parents=True)
    (folder / "CodeLayer" / "python" / "orjson.py").write_text("WHOSE = 'the layer'\n")
    (folder / "template.yaml").write_text(TEMPLATE)
    return folder


def imported(layer: Path) -> str:
    """What a process of the emulator finds that adds a layer's site directory, as Lambda does."""
    site = next((layer / "python" / "lib").glob("python*/site-packages"))
    code = f"import site; site.addsitedir({str(site)!r}); import orjson; print(getattr(orjson, 'WHOSE', 'another'))"
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_functions_import_from_the_layer_before_installed_packages(build: Path, tmp_path: Path) -> None:
    template = reference_layers(build, tmp_path / "layers" / "first")
    assert template.parent == build, "paths within it are relative to its folder"
    assert template.read_text() == TEMPLATE.replace("ContentUri: CodeLayer", "ContentUri: referenced/CodeLayer")
    assert imported(build / "referenced" / "CodeLayer") == "the layer"


def test_running_stack_keeps_its_layers_after_another_build(build: Path, tmp_path: Path) -> None:
    layers = tmp_path / "layers"
    reference_layers(build, layers / "first")
    (build / "CodeLayer" / "python" / "orjson.py").unlink()
    (build / "CodeLayer" / "python" / "orjson.py").write_text("WHOSE = 'the next layer'\n")
    reference_layers(build, layers / "second")
    assert "'the layer'" in (layers / "first" / "CodeLayer" / "python" / "orjson.py").read_text()
    assert imported(build / "referenced" / "CodeLayer") == "the next layer"
    remove_unused_layers(layers, {"second"})
    assert [folder.name for folder in layers.iterdir()] == ["second"]


def test_interrupted_copy_of_a_layer_is_replaced(build: Path, tmp_path: Path) -> None:
    half = tmp_path / "layers" / "first" / "CodeLayer.partial"
    half.mkdir(parents=True)
    reference_layers(build, tmp_path / "layers" / "first")
    assert imported(build / "referenced" / "CodeLayer") == "the layer"
    assert not half.exists()
