"""Pins every package, with hashes: `requirements/dev.txt`, and of the same versions the layers'."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
_COMMON = ["--quiet", "--generate-hashes", "--no-header"]
# The files name packages and hashes only: any index that has them will do.
_COMMON += ["--no-emit-index-url", "--no-emit-find-links"]
_TARGETS = {
    "requirements/dev.txt": ["--all-extras"],
    "layers/runtime/requirements.txt": ["--extra", "runtime", "--constraints", "requirements/dev.txt"],
    "layers/reports/requirements.txt": ["--extra", "reports", "--constraints", "requirements/dev.txt"],
    "layers/databases/requirements.txt": ["--extra", "databases", "--constraints", "requirements/dev.txt"],
    "layers/analytics/requirements.txt": ["--extra", "analytics", "--constraints", "requirements/dev.txt"],
}
# Environments of their own, with the Python that each runs on.
_ALONE = {
    "requirements/localstack": "3.13",
    "requirements/lambda": "3.11",
    "benchmarks/environments/airbyte": "3.11",
    "benchmarks/environments/bare": "3.11",
    "benchmarks/environments/dlt": "3.11",
    "benchmarks/environments/dlt-sql": "3.11",
    "benchmarks/environments/functions": "3.11",
    "benchmarks/environments/ingestr": "3.11",
}


def main() -> int:
    """Write the files; `--upgrade` takes the newest versions."""
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
    for name, version in _ALONE.items():
        alone = [uv, "pip", "compile", *_COMMON, *upgrade, f"{name}.in", "--output-file", f"{name}.txt"]
        subprocess.run([*alone, "--python-version", version], cwd=ROOT, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
