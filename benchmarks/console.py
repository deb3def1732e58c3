"""The web console in a browser on the local stack: its weight, its first paint, and how it scrolls 100,000 rows.

The peer of the first page is Swagger UI, which the same stack serves; that of scrolling is a plain table with the
same rows in the same browser. Sizes are those of gzip, by which the gateway compresses on AWS.
"""

from __future__ import annotations

import argparse
import gzip
import secrets
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Response, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from sluice_cli.local.stack import LocalStack  # noqa: E402
from support.browser import BROWSER_ARGUMENTS, find_browser  # noqa: E402
from support.stack import Deployed, free_port, until  # noqa: E402

ROWS, COLUMNS, ROUNDS, SCROLLS = 100_000, 8, 5, 60
LONG_TASK_MS = 50
OBSERVE = """
window.paints = []; window.tasks = [];
new PerformanceObserver((list) => window.paints.push(...list.getEntries().map((entry) => entry.startTime)))
  .observe({ type: 'largest-contentful-paint', buffered: true });
new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((entry) => entry.duration)))
  .observe({ type: 'longtask', buffered: true });
"""
PLAIN_TABLE = """
([rows, columns]) => {
  const cell = (row, column) => `<td>${column === 0 ? row : (row * (column + 7)) % 99991}</td>`;
  const line = (row) => `<tr>${Array.from({ length: columns }, (_, column) => cell(row, column)).join('')}</tr>`;
  document.body.innerHTML = `<div id="box" style="height:600px;overflow:auto"><table>${
    Array.from({ length: rows }, (_, row) => line(row)).join('')}</table></div>`;
}
"""
SCROLL = """
async ([selector, steps]) => {
  const box = document.querySelector(selector);
  window.tasks.length = 0;
  const frames = [];
  let before = performance.now();
  for (let step = 1; step <= steps; step++) {
    box.scrollTop = (box.scrollHeight - box.clientHeight) * step / steps;
    await new Promise(requestAnimationFrame);
    frames.push(performance.now() - before);
    before = performance.now();
  }
  await new Promise((resolve) => setTimeout(resolve, 300));
  return { frames, tasks: [...window.tasks] };
}
"""


@contextmanager
def tab(browser: Browser) -> Iterator[Page]:
    """A new tab, without anything cached, that observes its own paints and long tasks."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.add_init_script(OBSERVE)
    try:
        yield page
    finally:
        context.close()


def paint(page: Page) -> float:
    """The largest contentful paint of a page, in seconds, once it is quiet."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(200)
    return float(page.evaluate("Math.max(...window.paints)")) / 1000


def weigh(page: Page, sizes: dict[str, int]) -> None:
    """Record the compressed size of what a page loads, except answers of the API."""

    def record(response: Response) -> None:
        if response.request.resource_type in ("document", "script", "stylesheet", "font", "image"):
            sizes[response.url] = len(gzip.compress(response.body(), 6))

    page.on("response", record)


def first_page(browser: Browser, deployed: Deployed, rounds: int) -> tuple[list[float], int]:
    """The paints of the console's first page for somebody who is signed in, and its compressed bytes."""
    paints: list[float] = []
    sizes: dict[str, int] = {}
    key = deployed.description["api_key"]
    for _ in range(rounds):
        with tab(browser) as page:
            weigh(page, sizes)
            page.add_init_script(f"sessionStorage.setItem('sluice.credential', '{key}')")
            page.goto(f"{deployed.url}/console/")
            page.get_by_role("heading", level=1, name="Home").wait_for()
            paints.append(paint(page))
    return paints, sum(sizes.values())


def swagger(browser: Browser, deployed: Deployed, rounds: int) -> tuple[list[float], int]:
    """The same of Swagger UI, until it shows the API's title."""
    paints: list[float] = []
    sizes: dict[str, int] = {}
    for _ in range(rounds):
        with tab(browser) as page:
            weigh(page, sizes)
            page.goto(f"{deployed.url}/docs")
            page.locator("h1, h2").filter(has_text="Sluice").first.wait_for()
            paints.append(paint(page))
    return paints, sum(sizes.values())


def fill(deployed: Deployed, rows: int) -> str:
    """Publish a project with many rows; return its slug."""
    slug = f"bench-{secrets.token_hex(3)}"
    names = ["id", *(f"value_{column}" for column in range(1, COLUMNS))]
    lines = [",".join(names)]
    lines += [
        ",".join([str(row), *(str((row * (column + 7)) % 99991) for column in range(1, COLUMNS))])
        for row in range(rows)
    ]
    document = {"name": slug, "kind": "file", "format": "csv", "primary_key": ["id"], "types": {"id": "bigint"}}
    deployed.done("POST", "/datasources", document)
    deployed.done(
        "POST", "/projects", {"name": slug, "refresh_on": "manual", "merge": {"strategy": "join", "key": ["id"]}}
    )
    deployed.done("PUT", f"/projects/{slug}/datasources/{slug}", {})
    deployed.drop(f"{slug}/rows.csv", "\n".join(lines).encode())
    until(lambda: deployed.done("GET", f"/datasources/{slug}/versions")["items"])
    deployed.ended(deployed.done("POST", f"/projects/{slug}/runs", {}))
    return slug


def scroll_console(page: Page, deployed: Deployed, slug: str, rows: int) -> dict[str, Any]:
    """Scroll the console's data grid from its first row to its last."""
    page.add_init_script(f"sessionStorage.setItem('sluice.credential', '{deployed.description['api_key']}')")
    page.goto(f"{deployed.url}/console/#/projects/{slug}/data")
    page.locator(f"[role=grid][aria-rowcount='{rows + 1}']").wait_for(timeout=60_000)
    page.wait_for_load_state("networkidle")
    measured: dict[str, Any] = page.evaluate(SCROLL, ["[role=grid]", SCROLLS])
    page.locator(f"[role=row][aria-rowindex='{rows + 1}']").wait_for()
    return measured


def scroll_plain(page: Page, rows: int) -> dict[str, Any]:
    """Scroll a plain table of as many rows."""
    page.goto("about:blank")
    page.evaluate(OBSERVE)
    page.evaluate(PLAIN_TABLE, [rows, COLUMNS])
    measured: dict[str, Any] = page.evaluate(SCROLL, ["#box", SCROLLS])
    return measured


def show_scroll(name: str, measured: dict[str, Any]) -> float:
    """Print the frames and long tasks of a scroll; return the longest frame in milliseconds."""
    frames, tasks = measured["frames"], measured["tasks"]
    print(
        f"  {name:<14} frame: median {statistics.median(frames):6.1f} ms, longest {max(frames):7.1f} ms; "
        f"tasks over {LONG_TASK_MS} ms: {len(tasks)}, longest {max(tasks, default=0.0):.0f} ms"
    )
    return float(max(frames))


def main() -> int:
    """Print the weight, the paints and the scrolls; 1 if the machine has no browser."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    chromium = find_browser()
    if chromium is None:
        print("no Chromium on this machine; on Debian: apt-get install chromium")
        return 1
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, sync_playwright() as playwright:
        stack = LocalStack(ROOT, Path(folder), free_port())
        try:
            deployed = Deployed(stack.up(), stack)
            browser = playwright.chromium.launch(executable_path=chromium, args=BROWSER_ARGUMENTS)
            compare(browser, deployed, options.rows, options.rounds)
            browser.close()
        finally:
            stack.down()
    return 0


def compare(browser: Browser, deployed: Deployed, rows: int, rounds: int) -> None:
    """Measure the console and its peers, and print both with the ratios."""
    slug = fill(deployed, rows)
    (ours, weight), (theirs, peer_weight) = (
        first_page(browser, deployed, rounds),
        swagger(browser, deployed, rounds),
    )
    print(f"first load, compressed: console {weight / 1000:.0f} kB, Swagger UI {peer_weight / 1000:.0f} kB", end="")
    print(f", {peer_weight / weight:.1f} x lighter")
    mine, peers = statistics.median(ours), statistics.median(theirs)
    print(
        f"largest contentful paint, median of {rounds}: console {mine:.2f} s (longest {max(ours):.2f}), "
        f"Swagger UI {peers:.2f} s, {peers / mine:.1f} x faster"
    )
    print(f"{rows} rows of {COLUMNS} columns, scrolled to the end in {SCROLLS} steps:")
    with tab(browser) as page:
        longest = show_scroll("console", scroll_console(page, deployed, slug, rows))
    with tab(browser) as page:
        peer = show_scroll("plain table", scroll_plain(page, rows))
    print(f"  the longest frame of the plain table takes {peer / longest:.1f} x as long")


if __name__ == "__main__":
    sys.exit(main())
