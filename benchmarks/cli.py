"""How long the commands take that people wait for most: `--help`, `data`, `apply --plan`.

A stack runs, with the blueprint top-coins on it. Each command is a process of its own. They take turns with what people
would type instead, on the same machine at the same time; medians are compared:

- `--help` and `-h`: dlt's `--help`;
- `data`: curl, or without curl a script of httpx that requests the same rows;
- `apply --plan`: a script of httpx that requests the same documents, one after the other, and compares nothing.

`cli.py --rounds N`; with `--without-dlt` its packages are not installed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from benchmarks.support import ROOT, Comparison, environment, free_port, lower_is_better, show
from sluice_cli.local.samples import SampleServers
from sluice_cli.local.stack import LocalStack

BLUEPRINT = ROOT / "blueprints/top-coins"
SLUICE = str(Path(sys.executable).with_name("sluice"))
# The documents that `apply --plan` compares.
DOCUMENTS = (
    "secrets",
    "datasources/coinmarketcap",
    "datasources/cryptocompare",
    "datasources/watch-list",
    "projects/top-coins",
    "projects/top-coins/datasources",
    "projects/top-coins/models",
    "projects/top-coins/reports",
    "projects/top-coins/endpoints",
)
SCRIPT = """
import os, sys, httpx
headers = {"x-api-key": os.environ["SLUICE_API_KEY"]}
with httpx.Client(headers=headers, trust_env=False) as client:
    for path in sys.argv[1:]:
        client.get(f"{os.environ['SLUICE_API']}/{path}").raise_for_status()
"""
HELP_SECONDS = 0.3


def seconds(command: list[str], variables: dict[str, str]) -> float:
    """How long a command takes.

    Raises:
        SystemExit: it failed.
    """
    begin = time.perf_counter()
    done = subprocess.run(command, env=variables, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    took = time.perf_counter() - begin
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed: {done.stderr[-2000:] or done.stdout[-2000:]}")
    return took


def cases(variables: dict[str, str], dlt: Path | None) -> dict[str, tuple[list[str], list[str], str]]:
    """Each case: our command, the peer's, and the peer's name."""
    rows = "projects/top-coins/data?limit=20"
    script = [sys.executable, "-c", SCRIPT]
    curl = ["curl", "--silent", "--fail", "-H", f"x-api-key: {variables['SLUICE_API_KEY']}"]
    reading = (
        ([*curl, f"{variables['SLUICE_API']}/{rows}"], "curl") if shutil.which("curl") else ([*script, rows], "httpx")
    )
    found = {
        "data": ([SLUICE, "data", "project", "top-coins", "--limit", "20"], *reading),
        "apply --plan": ([SLUICE, "apply", str(BLUEPRINT), "--plan"], [*script, *DOCUMENTS], "the same GETs by httpx"),
    }
    if dlt is not None:
        found = {"--help": ([SLUICE, "--help"], [str(dlt.with_name("dlt")), "--help"], "dlt --help"), **found}
    return found


def measure(variables: dict[str, str], rounds: int, dlt: Path | None) -> list[Comparison]:
    """The medians of all cases, which take turns in each round."""
    ours, peers = defaultdict(list), defaultdict(list)
    compared = cases(variables, dlt)
    for _ in range(rounds):
        for case, (our_command, peer_command, _) in compared.items():
            ours[case].append(seconds(our_command, variables))
            peers[case].append(seconds(peer_command, variables))
    helps = [seconds([SLUICE, "--help"], variables) for _ in range(rounds)]
    comparisons = [
        lower_is_better("cli", case, statistics.median(ours[case]), statistics.median(peers[case]), name, "s")
        for case, (_, _, name) in compared.items()
    ]
    limit = lower_is_better("cli", "--help, limit", statistics.median(helps), HELP_SECONDS, "the limit", "s", 1.0)
    return [*comparisons, limit]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--without-dlt", action="store_true")
    options = parser.parse_args()
    dlt = None if options.without_dlt else environment("dlt")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        stack = LocalStack(ROOT, Path(folder), free_port())
        samples = SampleServers(Path(folder) / "samples", free_port())
        try:
            description = stack.up()
            url = samples.start("top-coins", BLUEPRINT / "server.py")
            variables = {
                **os.environ,
                "SLUICE_API": description["api"],
                "SLUICE_API_KEY": description["api_key"],
                "COINMARKETCAP_URL": url,
                "CRYPTOCOMPARE_URL": url,
                "COINMARKETCAP_KEY": "sample-key",
            }
            seconds([SLUICE, "apply", str(BLUEPRINT), "--yes"], variables)
            seconds([SLUICE, "drop", "watch-list", str(BLUEPRINT / "files/watch-list/notes.csv")], variables)
            seconds([SLUICE, "run", "project", "top-coins"], variables)
            show(measure(variables, options.rounds, dlt))
        finally:
            samples.stop_all()
            stack.down()


if __name__ == "__main__":
    main()
