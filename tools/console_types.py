"""Checks the console's types: those of its code, and that those of the API are generated from the OpenAPI document.

With `--write`, generates the latter.
"""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

from sluice_cli.local.console import npm_command

ROOT = Path(__file__).parents[1]
CONSOLE = ROOT / "console"


def main() -> int:
    """Install the packages of the lock file, for development too, and check.

    Returns:
        The exit code; 0 as well on a machine that reaches no npm registry, where nothing can be checked.
    """
    with (CONSOLE / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the stack's build installs in the same folder
        npm = npm_command(ROOT / ".local/node", ROOT / "requirements/node.txt")
        if not (CONSOLE / "node_modules/typescript").exists():
            install = [*npm, "ci", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1"]
            if subprocess.run(install, cwd=CONSOLE, check=False).returncode != 0:
                print("the console's packages cannot be installed; its types are not checked")
                return 0
    written = [] if "--write" in sys.argv else ["--", "--check"]
    checks = (["run", "--silent", "types", *written], ["run", "--silent", "check"])
    return max(subprocess.run([*npm, *arguments], cwd=CONSOLE, check=False).returncode for arguments in checks)


if __name__ == "__main__":
    sys.exit(main())
