"""The gates: `lint`, `test`, `coverage`, `proof`. Each says what it does and how long it took.

Gates that mostly wait, for an emulator or for containers, run beside each other.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
PYTEST = [str(BIN / "pytest")]
SAM = {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}

Gate = tuple[str, list[str], dict[str, str]]
Side = list[Gate]  # gates that run at the same time

LINT: list[Side] = [
    [("ruff format", [str(BIN / "ruff"), "format", "--check", "."], {})],
    [("ruff check", [str(BIN / "ruff"), "check", "."], {})],
    [
        (
            "mypy, strict",
            [str(BIN / "mypy"), "-p", "sluice", "-p", "api", "-p", "query", "-p", "probe", "-p", "sluice_cli"],
            {},
        )
    ],
    [("import-linter", [str(BIN / "lint-imports"), "--no-cache"], {"PYTHONPATH": "functions"})],
    [("made from the code", [sys.executable, "tools/generate.py", "--check"], {})],
    [("cfn-lint", [str(BIN / "cfn-lint"), "template.yaml"], {})],
    [("sam validate --lint", [str(BIN / "sam"), "validate", "--lint"], SAM)],
]
UNIT = [*PYTEST, "tests/unit", "tests/fetching", "-n", "2"]
# Measuring takes as long again as the tests, so it is a gate of its own.
COVERAGE: list[Side] = [[("coverage of the unit tests", [*UNIT, "--cov", "--cov-report=term"], {})]]
TEST: list[Side] = [
    [
        # The stack waits much of its time, which the others use; it comes first where both want to run.
        ("tests: stack", [*PYTEST, "tests/stack"], {}),
        ("tests: unit and fetching", ["nice", "-n", "10", *UNIT], {}),
    ],
    [
        ("tests: workflows", [*PYTEST, "tests/workflows"], {}),
        ("tests: localstack", [*PYTEST, "tests/localstack", "-rs"], {}),
        ("tests: sam", [*PYTEST, "tests/sam", "-rs"], {}),
    ],
]
PROOF: list[Side] = [
    [("proof: a kill after every call", [*PYTEST, "tests/unit/test_crashes.py", "-n", "2"], {"PROOF": "1"})],
    [
        (
            "proof: random merges and values",
            [*PYTEST, "tests/unit/test_properties.py", "tests/unit/test_merge_properties.py", "-n", "2"],
            {"PROOF": "1"},
        )
    ],
]
PROOF += [[("proof: a thousand dropped files", [*PYTEST, "tests/stack/test_bursts.py"], {"PROOF": "1"})]]
GATES = {"lint": LINT, "test": TEST, "coverage": COVERAGE, "proof": PROOF}


def passes(side: Side) -> list[bool]:
    """Run gates at the same time; what each prints is shown when it ends, at once where it is alone."""
    running = [(gate, *_started(gate, shown=len(side) == 1)) for gate in side]
    results = []
    for (title, _, _), process, began in running:
        said, _ = process.communicate()
        if said is not None:
            print(f"── {title}\n{said}", end="", flush=True)
        print(f"   {'passed' if process.returncode == 0 else 'FAILED'} in {time.monotonic() - began:.0f} s", flush=True)
        results.append(process.returncode == 0)
    return results


def _started(gate: Gate, *, shown: bool) -> tuple[subprocess.Popen[str], float]:
    title, command, more = gate
    if shown:
        print(f"── {title}", flush=True)
    output = None if shown else subprocess.PIPE
    error = None if shown else subprocess.STDOUT
    environment = {**os.environ, **more}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=error, text=True)
    return process, time.monotonic()


def main() -> int:
    """Run the gates named; all of them, even when one fails, so that one look shows everything."""
    chosen = [side for name in sys.argv[1:] for side in GATES[name]]
    failed = [gate[0] for side in chosen for gate, passed in zip(side, passes(side), strict=True) if not passed]
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
