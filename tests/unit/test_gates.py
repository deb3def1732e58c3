"""The totals of the gates, whatever a ring does, and the Docker engine for tests."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from support.template import ROOT

RINGS = {
    "mixed": """
import pytest

@pytest.fixture
def broken():
    raise RuntimeError

@pytest.mark.parametrize("number", range(3))
def test_passes(number): pass

def test_fails(): assert False

def test_has_an_error(broken): pass

def test_is_skipped(): pytest.skip("no engine")
""",
    "good": "def test_passes(): pass",
    "crashed": "import os\ndef test_passes(): pass\ndef test_dies(): os._exit(0)",
    "unreadable": "import nothing_of_this_name",
    "empty": "",
}


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """`tools/check.py` with a gate `test` of small rings."""
    spec = importlib.util.spec_from_file_location("check", ROOT / "tools/check.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "check", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(sys, "argv", ["check.py"])
    for name, text in RINGS.items():
        (tmp_path / f"test_{name}.py").write_text(text)
    rootless = ["-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", str(tmp_path)]
    rings = {name: [*module.PYTEST, *rootless, str(tmp_path / f"test_{name}.py")] for name in RINGS}
    alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    module.GATES["test"] = [[(name, command, alone)] for name, command in rings.items()]
    module.GATES["good"] = [[("good", rings["good"], alone)]]
    module.GATES["lint"] = [[("lint", ["true"], {})]]
    module.GATES["bad lint"] = [[("bad lint", ["false"], {})]]
    return module


def closing(check: ModuleType, capfd: pytest.CaptureFixture[str], *gates: str) -> tuple[int, list[str]]:
    """The exit code, and the lines that were printed."""
    sys.argv[1:] = gates
    code = check.main()
    return code, capfd.readouterr().out.splitlines()


def test_last_line_has_the_totals_of_all_rings(check: ModuleType, capfd: pytest.CaptureFixture[str]) -> None:
    code, lines = closing(check, capfd, "test")
    # 2 of "mixed", and one for each ring that crashed, could not be read, or has no test.
    assert (code, lines[-1]) == (1, "4 passed, 5 failed, 1 skipped")
    assert lines[-2] == "failed: mixed, crashed, unreadable, empty"


def test_gates_without_tests_print_no_totals(check: ModuleType, capfd: pytest.CaptureFixture[str]) -> None:
    code, lines = closing(check, capfd, "bad lint", "good")
    assert (code, lines[-1]) == (1, "1 passed, 0 failed, 0 skipped")
    code, lines = closing(check, capfd, "lint")
    assert (code, "passed in" in lines[-1]) == (0, True)


def test_missing_prerequisite_of_the_engine_is_printed_and_succeeds(tmp_path: Path) -> None:
    # A copy, which finds no engine of this checkout to stop.
    (tmp_path / "tools").mkdir()
    engine = shutil.copy(ROOT / "tools/engine.py", tmp_path / "tools")
    for command in ("start", "stop"):
        done = subprocess.run(
            [sys.executable, engine, command],
            env={"PATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        reason = "will be skipped: (no Docker engine answers, and only root|apt-get and dpkg-deb are missing)"
        assert command == "stop" or re.search(reason, done.stdout), done.stdout
