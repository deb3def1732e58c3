"""The Docker engine, as far as tests ask after it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent


def engine_answers() -> bool:
    try:
        asked = subprocess.run(["docker", "info"], capture_output=True, timeout=20, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def image_is_here() -> bool:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    name = f"public.ecr.aws/lambda/python:{version}-x86_64"
    return subprocess.run(["docker", "image", "inspect", name], capture_output=True, check=False).returncode == 0
