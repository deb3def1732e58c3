"""The gates: `lint`, `test`, `coverage`, `proof`. Each says what it does and how long it took.

Gates run in lanes beside each other, since some wait most of their time for an emulator or for
containers.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from xml.etree import ElementTree

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
PYTEST = [str(BIN / "pytest")]
SAM = {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}

Gate = tuple[str, list[str], dict[str, str]]
Lane = list[Gate]  # gates that run one after the other

LINT: list[Lane] = [
    [
        ("ruff format", [str(BIN / "ruff"), "format", "--check", "."], {}),
        ("ruff check", [str(BIN / "ruff"), "check", "."], {}),
        ("mypy, strict", [str(BIN / "mypy")], {}),
        ("import-linter", [str(BIN / "lint-imports"), "--no-cache"], {"PYTHONPATH": "functions"}),
    ],
    [
        ("made from the code", [sys.executable, "tools/generate.py", "--check"], {}),
        ("cfn-lint", [str(BIN / "cfn-lint"), "template.yaml"], {}),
        ("sam validate --lint", [str(BIN / "sam"), "validate", "--lint"], SAM),
    ],
]
UNIT = [*PYTEST, "tests/unit", "tests/fetching", "-n", "2", "--dist", "worksteal"]
# Measuring takes as long again as the tests, so it is a gate of its own.
COVERAGE: list[Lane] = [[("coverage of the unit tests", [*UNIT, "--cov", "--cov-report=term"], {})]]
TEST: list[Lane] = [
    [
        # The stack is the longest ring and waits much of its time.
        ("tests: stack", [*PYTEST, "tests/stack"], {}),
    ],
    [
        ("tests: sam", [*PYTEST, "tests/sam", "-rs"], {}),
        ("tests: localstack", [*PYTEST, "tests/localstack", "-rs"], {}),
        ("tests: workflows", [*PYTEST, "tests/workflows"], {}),
    ],
    # These tests wait for nothing: they take what the other lanes leave of the processors.
    [("tests: unit and fetching", ["nice", "-n", "10", *UNIT], {})],
]
PROOF: list[Lane] = [
    [
        ("proof: a kill after every call", [*PYTEST, "tests/unit/test_crashes.py", "-n", "2"], {"PROOF": "1"}),
        (
            "proof: random merges and values",
            [
                *PYTEST,
                *(
                    f"tests/unit/test_{name}.py"
                    for name in (
                        "properties",
                        "merge_properties",
                        "merge_parts",
                        "mixed_type_properties",
                        "completeness_properties",
                    )
                ),
                "-n",
                "2",
            ],
            {"PROOF": "1"},
        ),
        ("proof: files of a gigabyte", [*PYTEST, "tests/unit/test_large_files.py"], {"PROOF": "1"}),
        (
            "proof: all ways of reading",
            [
                *PYTEST,
                *(f"tests/unit/test_{name}.py" for name in ("columnar", "reading_parts", "widening")),
                "-n",
                "2",
            ],
            {"PROOF": "1"},
        ),
        (
            "proof: tables of ten million rows",
            [*PYTEST, "tests/fetching/test_sql_sources.py", "-k", "large"],
            {"PROOF": "1"},
        ),
        (
            "proof: a million documents",
            [*PYTEST, "tests/fetching/test_mongo_sources.py", "-k", "large"],
            {"PROOF": "1"},
        ),
        (
            "proof: any order of events",
            [*PYTEST, *(f"tests/unit/test_{name}.py" for name in ("drop_bursts", "dead_letters")), "-n", "2"],
            {"PROOF": "1"},
        ),
        ("proof: any order of answers", [*PYTEST, "tests/unit/test_fetch_overlap.py"], {"PROOF": "1"}),
    ]
]
PROOF += [[("proof: a thousand dropped files", [*PYTEST, "tests/stack/test_bursts.py"], {"PROOF": "1"})]]
GATES = {"lint": LINT, "test": TEST, "coverage": COVERAGE, "proof": PROOF}


@dataclass(frozen=True)
class Totals:
    """How many tests passed, failed (errors included) and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Totals) -> Totals:
        return Totals(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


@dataclass(frozen=True)
class Outcome:
    """How a gate ended: its tests, if it runs any."""

    title: str
    passed: bool
    totals: Totals | None


def run_gate(gate: Gate, folder: Path, *, shown: bool) -> Outcome:
    """Run a gate to its end and print what it prints, at once or when it has ended.

    A gate that runs tests writes a report of them into the folder.
    """
    title, command, more = gate
    report = folder / f"{title.replace('/', ' ')}.xml" if PYTEST[0] in command else None
    began = time.monotonic()
    if shown:
        print(f"── {title}", flush=True)
    # Into a file, not a pipe: a process that a test left behind would hold a pipe open for ever.
    with TemporaryFile("w+", dir=folder) as output:
        done = subprocess.run(
            [*command, f"--junitxml={report}"] if report else command,
            cwd=ROOT,
            env={**os.environ, **more},
            stdin=subprocess.DEVNULL,
            stdout=None if shown else output,
            stderr=None if shown else subprocess.STDOUT,
            check=False,
        )
        output.seek(0)
        said = "" if shown else f"── {title}\n{output.read()}"
    totals = totals_of(report, passed=done.returncode == 0) if report else None
    passed = done.returncode == 0 and (totals is None or totals.failed == 0)
    # In one piece: lanes print at the same time.
    print(f"{said}   {'passed' if passed else 'FAILED'} in {time.monotonic() - began:.0f} s\n", end="", flush=True)
    return Outcome(title, passed, totals)


def totals_of(report: Path, *, passed: bool) -> Totals:
    """The totals in a report of pytest.

    A run that wrote no report crashed. A run that failed without a failed test broke in some other
    way. Both count as one failed test.
    """
    try:
        suite = ElementTree.parse(report).getroot().find("testsuite")
    except (FileNotFoundError, ElementTree.ParseError):
        suite = None
    if suite is None:
        return Totals(failed=1)
    tests, failures, errors, skipped = (int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped"))
    failed = failures + errors
    return Totals(tests - failed - skipped, failed if passed or failed else 1, skipped)


def run(lanes: list[Lane], folder: Path) -> list[Outcome]:
    """Run lanes beside each other, each to its end, whatever fails."""
    with ThreadPoolExecutor(len(lanes)) as pool:
        ended = pool.map(lambda lane: [run_gate(gate, folder, shown=len(lanes) == 1) for gate in lane], lanes)
        return [outcome for lane in ended for outcome in lane]


def main() -> int:
    """Run the gates named; all of them, even when one fails, so that one look shows everything.

    The last line has the totals of all tests, for readers who look at the end only.
    """
    with TemporaryDirectory() as folder:
        outcomes = [outcome for name in sys.argv[1:] for outcome in run(GATES[name], Path(folder))]
    failed = [outcome.title for outcome in outcomes if not outcome.passed]
    if failed:
        print(f"failed: {', '.join(failed)}")
    totals = [outcome.totals for outcome in outcomes if outcome.totals is not None]
    if totals:
        print(sum(totals, Totals()))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
