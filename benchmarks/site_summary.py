"""Two hundred readers of a vessel's summary on the local stack, while readings arrive and the project is refreshed.

The blueprint `fpso` with a day of readings; the readers ask its endpoint `site_summary` as those of `readers.py` do.
Meanwhile the vessels send on: each minute of a hundred sensors at once, again and again, and the project is refreshed.
Nothing is compared with a peer.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "blueprints/fpso"))

from feed import batches  # type: ignore[import-not-found]  # noqa: E402

from benchmarks.concurrent_readers import Readers  # noqa: E402
from sluice_cli.blueprints.apply import apply_blueprint  # noqa: E402
from sluice_cli.blueprints.folder import Blueprint  # noqa: E402
from sluice_cli.errors import StepFailed  # noqa: E402
from sluice_cli.local.stack import LocalStack  # noqa: E402
from sluice_client import Sluice  # noqa: E402
from support.stack import Deployed, free_port  # noqa: E402

READERS, SECONDS, PAUSE = 200, 60, 10.0
PATH = "/endpoints/fpso/site_summary?site=FPSO-ALMA"
ROWS = 50  # sensors of a vessel


def judged(answer: httpx.Response) -> tuple[str, int | None]:
    """Whether an answer is whole, and its version."""
    if answer.status_code != 200:
        return f"error: {answer.status_code}", None
    summary = answer.json()
    if len(summary["items"]) != ROWS:
        return f"{len(summary['items'])} rows", None
    return answer.headers["X-Cache"], summary["version"]


def send_on(sluice: Sluice, stop: threading.Event, sent: list[int]) -> None:
    """Send the readings of the minutes after now, and refresh the project each time, until the end."""
    while not stop.is_set():
        end = int(time.time())
        for batch in batches(list(sluice.items("/sensors")), end - 60, end, 10):
            sent[0] += sluice.post("/readings", batch)["accepted"]
        sluice.project("fpso").run(wait=True)
        stop.wait(1)


def show(readers: Readers, options: argparse.Namespace, elapsed: float, sent: int) -> dict[str, int]:
    """Print how long the readers have waited, and what went wrong; return that."""
    faults = {name: count for name, count in readers.outcomes.items() if name not in ("hit", "miss")}
    print(f"{options.readers} readers of a vessel's summary: {readers.speed(elapsed)}")
    print(f"  {sent} readings arrived; answers of {len(readers.marks)} versions; errors: {faults or 'none'}")
    kept, computed = readers.outcomes["hit"], readers.outcomes["miss"]
    print(f"  kept {kept}, computed {computed}; refused for being busy, and asked again: {readers.refusals}")
    return faults


def main() -> int:
    """Read while readings arrive; 1 when a read failed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--readers", type=int, default=READERS)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    parser.add_argument("--pause", type=float, default=PAUSE, help="seconds between a reader's requests")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        stack = LocalStack(ROOT, Path(folder), free_port())
        try:
            deployed = Deployed(stack.up(), stack)
            with Sluice(deployed.description["api"], deployed.description["api_key"]) as sluice:
                apply_blueprint(Blueprint(ROOT / "blueprints/fpso"), sluice)
                end = int(time.time())
                for batch in batches(list(sluice.items("/sensors")), end - 86_400, end, 60):
                    sluice.post("/readings", batch)
                sluice.project("fpso").run(wait=True)
                stop, sent = threading.Event(), [0]
                sender = threading.Thread(target=send_on, args=(sluice, stop, sent))
                begun = time.monotonic()
                with Readers(deployed, PATH, judged, options.readers, options.pause) as readers:
                    sender.start()
                    time.sleep(options.seconds)
                elapsed = time.monotonic() - begun
                stop.set()
                sender.join()
            faults = show(readers, options, elapsed, sent[0])
            deployed.close()
        finally:
            with suppress(StepFailed):  # after so many requests it may take longer to end than is waited for
                stack.down()
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
