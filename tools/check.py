"""Runs the gates `lint`, `test`, `coverage`, `proof` and `fuzz`, and prints the duration of each.

Gates run in parallel lanes, since some spend most of their time waiting for an emulator or for
containers.
"""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from xml.etree import ElementTree

from sluice_cli.local.processes import inherited_environment

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
PYTEST = [str(BIN / "pytest")]
SAM = {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}

Gate = tuple[str, list[str], dict[str, str]]
Lane = list[Gate]  # gates that run one after another

LINT: list[Lane] = [
    [
        ("ruff format", [str(BIN / "ruff"), "format", "--check", "."], {}),
        ("ruff check", [str(BIN / "ruff"), "check", "."], {}),
        ("mypy, strict", [str(BIN / "mypy")], {}),
        ("import-linter", [str(BIN / "lint-imports"), "--no-cache"], {"PYTHONPATH": "functions"}),
    ],
    [
        ("generated files", [sys.executable, "tools/generate.py", "--check"], {}),
        ("types of the console", [sys.executable, "tools/console_types.py"], {}),
        ("documentation", ["make", "--no-print-directory", "docs"], {}),
        ("cfn-lint", [str(BIN / "cfn-lint"), "template.yaml"], {}),
        ("sam validate --lint", [str(BIN / "sam"), "validate", "--lint"], SAM),
    ],
]
UNIT = [*PYTEST, "tests/unit", "tests/fetching", "-n", "2", "--dist", "worksteal"]
# Measuring coverage doubles the time of the tests, so it is a separate gate.
COVERAGE: list[Lane] = [[("coverage of the unit tests", [*UNIT, "--cov", "--cov-report=term"], {})]]
TEST: list[Lane] = [
    [
        # The longest ring, which waits most of its time: it starts first and has a lane of its own.
        ("tests: stack", [*PYTEST, "tests/stack"], {}),
    ],
    # Together they have another stack, since the tests in `tests/stack` kill processes of theirs.
    [("tests: console and sam", [*PYTEST, "tests/console", "tests/sam", "-rs", "-m", "not long"], {})],
    [
        ("tests: localstack", [*PYTEST, "tests/localstack", "-rs"], {}),
        ("tests: workflows", [*PYTEST, "tests/workflows"], {}),
    ],
    # These tests never wait. Their low priority leaves the processors to the other lanes.
    [("tests: unit and fetching", ["nice", "-n", "10", *UNIT], {})],
]
PROOF: list[Lane] = [
    [
        (
            "proof: a kill after every call",
            [*PYTEST, "tests/unit/test_crashes.py", "tests/unit/test_erasure_kills.py", "-n", "2"],
            {"PROOF": "1"},
        ),
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
                        "plain_numbers",
                        "explain",
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
            [
                *PYTEST,
                *(
                    f"tests/unit/test_{name}.py"
                    for name in ("drop_bursts", "dead_letters", "key_moves", "reading_stores")
                ),
                "-n",
                "2",
            ],
            {"PROOF": "1"},
        ),
        ("proof: all hostile requests", [*PYTEST, "tests/unit/test_hostile_inputs.py"], {"PROOF": "1"}),
        ("proof: a million readings", [*PYTEST, "tests/unit/test_exactly_once.py"], {"PROOF": "1"}),
        ("proof: any order of responses", [*PYTEST, "tests/unit/test_fetch_overlap.py"], {"PROOF": "1"}),
    ]
]
PROOF += [[("proof: every command of the documentation", [*PYTEST, "tests/stack/test_docs.py"], {"PROOF": "1"})]]
PROOF += [[("proof: every function in a container", [*PYTEST, "tests/sam/test_invoke.py", "-rs"], {})]]
PROOF += [[("proof: the whole console", [*PYTEST, "tests/console", "-rs"], {})]]
PROOF += [[("proof: a thousand dropped files", [*PYTEST, "tests/stack/test_bursts.py"], {"PROOF": "1"})]]
# Random requests to a deployed stack; the unit tests send a few of them to the handlers.
FUZZ: list[Lane] = [[("fuzz: a deployed stack", [*PYTEST, "tests/fuzz"], {})]]
GATES = {"lint": LINT, "test": TEST, "coverage": COVERAGE, "proof": PROOF, "fuzz": FUZZ}


@dataclass(frozen=True)
class Totals:
    """The number of tests that passed, failed (including errors) and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Totals) -> Totals:
        return Totals(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


@dataclass(frozen=True)
class Outcome:
    """The result of a gate; `totals` is null for a gate without tests."""

    title: str
    passed: bool
    totals: Totals | None


def run_gate(gate: Gate, folder: Path, *, live: bool) -> Outcome:
    """Run a gate and print its output.

    Args:
        gate: its title, its command and further environment variables.
        folder: for the report of a gate that runs tests.
        live: print the output as it comes, instead of in one piece at the end.
    """
    title, command, environment = gate
    report = folder / f"{title.replace('/', ' ')}.xml" if PYTEST[0] in command else None
    start = time.monotonic()
    if live:
        print(f"── {title}", flush=True)
    # Into a file instead of a pipe: a process that a test leaves behind would keep the pipe open forever.
    with TemporaryFile("w+", dir=folder) as output:
        result = subprocess.run(
            [*command, f"--junitxml={report}"] if report else command,
            cwd=ROOT,
            env={**inherited_environment(), **environment},
            stdin=subprocess.DEVNULL,
            stdout=None if live else output,
            stderr=None if live else subprocess.STDOUT,
            check=False,
        )
        output.seek(0)
        text = "" if live else f"── {title}\n{output.read()}"
    totals = totals_of(report, passed=result.returncode == 0) if report else None
    passed = result.returncode == 0 and (totals is None or totals.failed == 0)
    # In one call, since lanes print at the same time.
    print(f"{text}   {'passed' if passed else 'FAILED'} in {time.monotonic() - start:.0f} s\n", end="", flush=True)
    return Outcome(title, passed, totals)


def totals_of(report: Path, *, passed: bool) -> Totals:
    """The totals of a JUnit report.

    A missing report means that pytest crashed. A failed run without a failed test broke in some other
    way, such as an import error. Each counts as one failed test.

    Args:
        report: the XML file.
        passed: whether pytest's exit code was 0.
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
    """Run lanes in parallel, each to its end even if a gate fails.

    Args:
        folder: for the reports of tests.

    Returns:
        The outcome of every gate, in the order of the lanes.
    """
    with ThreadPoolExecutor(len(lanes)) as pool:
        finished = pool.map(lambda lane: [run_gate(gate, folder, live=len(lanes) == 1) for gate in lane], lanes)
        return [outcome for lane in finished for outcome in lane]


def main() -> int:
    """Run the gates named on the command line, all of them even if one fails.

    The last line of the output has the totals of all tests.

    Returns:
        The exit code: 1 if a gate failed.
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
