"""Pins every package with hashes: `requirements/dev.txt`, and the layers' requirements with the same versions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
_COMMON = ["--quiet", "--generate-hashes", "--no-header"]
# Only packages and hashes, so that the files work with any index.
_COMMON += ["--no-emit-index-url", "--no-emit-find-links"]
_TARGETS = {
    "requirements/dev.txt": ["--all-extras"],
    "layers/runtime/requirements.txt": ["--extra", "runtime", "--constraints", "requirements/dev.txt"],
    "layers/reports/requirements.txt": ["--extra", "reports", "--constraints", "requirements/dev.txt"],
    "layers/databases/requirements.txt": ["--extra", "databases", "--constraints", "requirements/dev.txt"],
    "layers/numeric/requirements.txt": ["--extra", "numeric", "--constraints", "requirements/dev.txt"],
    "layers/solver/requirements.txt": ["--extra", "solver", "--constraints", "requirements/dev.txt"],
    "layers/analytics/requirements.txt": ["--extra", "analytics", "--constraints", "requirements/dev.txt"],
}
# Separate environments, each with its Python version.
_SEPARATE = {
    "requirements/localstack": "3.13",
    "requirements/lambda": "3.11",
    "requirements/node": "3.11",
    "benchmarks/environments/airbyte": "3.11",
    "benchmarks/environments/bare": "3.11",
    "benchmarks/environments/dlt": "3.11",
    "benchmarks/environments/dlt-sql": "3.11",
    "benchmarks/environments/functions": "3.11",
    "benchmarks/environments/ingestr": "3.11",
}


def main() -> int:
    """Write the files; with `--upgrade`, pin the newest versions.

    Returns:
        The exit code.
    """
    upgrade = [flag for flag in sys.argv[1:] if flag == "--upgrade"]
    uv = str(Path(sys.executable).with_name("uv"))
    for target, arguments in _TARGETS.items():
        command = [
            uv,
            "pip",
            "compile",
            *_COMMON,
            "--universal",
            "--python-version",
            "3.11",
            *arguments,
            *upgrade,
            "pyproject.toml",
            "--output-file",
            target,
        ]
        subprocess.run(command, cwd=ROOT, check=True)
        print(f"wrote {target}")
    for name, version in _SEPARATE.items():
        command = [uv, "pip", "compile", *_COMMON, *upgrade, f"{name}.in", "--output-file", f"{name}.txt"]
        subprocess.run([*command, "--python-version", version], cwd=ROOT, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
