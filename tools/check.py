"""The gates, one after the other: `lint`, `test`, `proof`. Each says what it does and how long it took."""

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

LINT: list[Gate] = [
    ("ruff format", [str(BIN / "ruff"), "format", "--check", "."], {}),
    ("ruff check", [str(BIN / "ruff"), "check", "."], {}),
    (
        "mypy, strict",
        [str(BIN / "mypy"), "-p", "sluice", "-p", "api", "-p", "query", "-p", "probe", "-p", "sluice_cli"],
        {},
    ),
    ("import-linter", [str(BIN / "lint-imports"), "--no-cache"], {"PYTHONPATH": "functions"}),
    ("made from the code", [sys.executable, "tools/generate.py", "--check"], {}),
    ("cfn-lint", [str(BIN / "cfn-lint"), "template.yaml"], {}),
    ("sam validate --lint", [str(BIN / "sam"), "validate", "--lint"], SAM),
]
COVERAGE = ["--cov", "--cov-report=term"]
TEST: list[Gate] = [
    ("tests: unit and fetching", [*PYTEST, "tests/unit", "tests/fetching", "-n", "2", *COVERAGE], {}),
    ("tests: workflows", [*PYTEST, "tests/workflows"], {}),
    ("tests: localstack", [*PYTEST, "tests/localstack", "-rs"], {}),
    ("tests: stack", [*PYTEST, "tests/stack"], {}),
    ("tests: sam", [*PYTEST, "tests/sam", "-n", "2", "--dist", "loadfile", "-rs"], {}),
]
PROOF: list[Gate] = [
    ("proof: a kill after every call", [*PYTEST, "tests/unit/test_crashes.py", "-n", "2"], {"PROOF": "1"}),
    ("proof: random merges and values", [*PYTEST, "tests/unit/test_properties.py", "-n", "2"], {"PROOF": "1"}),
]
GATES = {"lint": LINT, "test": TEST, "proof": PROOF}


def passes(gate: Gate) -> bool:
    """Run one gate; what it prints is shown."""
    title, command, more = gate
    print(f"── {title}", flush=True)
    started = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **more}, check=False)
    print(f"   {'passed' if done.returncode == 0 else 'FAILED'} in {time.monotonic() - started:.0f} s", flush=True)
    return done.returncode == 0


def main() -> int:
    """Run the gates named; all of them, even when one fails, so that one look shows everything."""
    chosen = [gate for name in sys.argv[1:] for gate in GATES[name]]
    failed = [gate[0] for gate in chosen if not passes(gate)]
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
