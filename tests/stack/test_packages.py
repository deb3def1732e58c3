"""What Lambda gets: each function with its layers, as `sam build` has made them.

The emulator cannot tell: it adds references to the layers, and its functions find the packages of this checkout, too.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from samcli.yamlhelper import yaml_parse

from support.stack import Deployed

# Lambda has these itself.
OF_THE_RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six.py")
# Files that are served, and a driver that comes with DuckDB.
NEVER_IMPORTED = {"drf_spectacular_sidecar", "adbc_driver_duckdb"}
IMPORT_ALL = """
import importlib, pathlib, sys
sys.path[:] = [path for path in sys.path if "site-packages" not in path] + sys.argv[2:]
for name in sys.argv[1].split(","):
    importlib.import_module(name)
"""


@pytest.fixture(scope="module")
def build(deployed: Deployed) -> Path:
    if deployed.local is None:
        pytest.skip("the stack was built by somebody else")
    return deployed.local.local / "build"


@pytest.fixture(scope="module")
def functions(build: Path) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The module of the handler and the layers of each function, by its logical id."""
    template = yaml_parse((build / "template.yaml").read_text())
    everywhere = template["Globals"]["Function"]["Layers"]
    found = {}
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            properties = resource["Properties"]
            layers = tuple(reference["Ref"] for reference in [*everywhere, *properties.get("Layers", [])])
            found[name] = properties["Handler"].rpartition(".")[0], layers
    assert found
    return found


def test_every_function_fits_lambdas_size_limit(build: Path, functions: dict[str, tuple[str, tuple[str, ...]]]) -> None:
    sizes: dict[str, int] = {}
    for name, (_, layers) in functions.items():
        for part in (name, *layers):
            if part not in sizes:
                sizes[part] = sum(file.stat().st_size for file in (build / part).rglob("*") if file.is_file())
        unzipped = sum(sizes[part] for part in (name, *layers))
        assert 0 < unzipped <= 250 * 2**20, f"{name} has {unzipped:,} bytes unzipped"


def test_functions_and_packages_are_imported_from_their_layers_alone(
    build: Path, functions: dict[str, tuple[str, tuple[str, ...]]], tmp_path: Path
) -> None:
    """One function for each set of layers, and every package in them: parts of packages are left out of layers."""
    installed = Path(sys.prefix, "lib", f"python{sys.version_info.major}.{sys.version_info.minor}", "site-packages")
    for name in OF_THE_RUNTIME:
        (tmp_path / name).symlink_to(installed / name)
    for layers, (function, module) in {layers: (name, module) for name, (module, layers) in functions.items()}.items():
        folders = [build / layer / "python" for layer in layers]
        packages = {file.parent.name for folder in folders for file in folder.glob("*/__init__.py")} - NEVER_IMPORTED
        paths = [str(path) for path in (build / function, *folders, tmp_path)]
        # Without the packages of this checkout: neither by an environment variable nor by `site`.
        command = [sys.executable, "-I", "-S", "-c", IMPORT_ALL, ",".join([module, *sorted(packages)]), *paths]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{function} with {layers}: {done.stderr}"
