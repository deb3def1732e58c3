"""Makes the screenshots of the README again: the demonstration on a stack of its own, in a real browser."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from sluice_cli.local.demo import demonstrate  # noqa: E402
from sluice_cli.local.stack import LocalStack  # noqa: E402
from support.browser import BROWSER_ARGUMENTS, find_browser  # noqa: E402
from support.stack import Deployed, free_port  # noqa: E402

FOLDER = ROOT / "docs/images"
SIZE: ViewportSize = {"width": 1280, "height": 800}


def lineage(page: Page, address: str) -> None:
    """How the project of the demonstration stands, from its sources to its endpoint."""
    page.goto(f"{address}#/projects/top-coins")
    page.get_by_role("heading", name="Lineage").wait_for()
    page.locator("svg").first.wait_for()


def explain(page: Page, address: str) -> None:
    """Where a price comes from, with the page as it was received."""
    page.goto(f"{address}#/projects/top-coins/data?order=rank")
    page.locator("[data-cell='0,4']").click()
    page.get_by_role("dialog").wait_for()
    page.locator("dialog mark").first.wait_for()


VIEWS = {"console-lineage": lineage, "console-explain": explain}


def main() -> int:
    """Write the images; 1 if the machine has no browser."""
    chromium = find_browser()
    if chromium is None:
        print("no Chromium on this machine; on Debian: apt-get install chromium")
        return 1
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, sync_playwright() as playwright:
        stack = LocalStack(ROOT, Path(folder), free_port())
        try:
            demonstrate(ROOT, stack, "top-coins")
            deployed = Deployed(stack.up(), stack)
            browser = playwright.chromium.launch(executable_path=chromium, args=BROWSER_ARGUMENTS)
            for name, show in VIEWS.items():
                page = browser.new_context(viewport=SIZE, color_scheme="light").new_page()
                page.add_init_script(
                    f"sessionStorage.setItem('sluice.credential', '{deployed.description['api_key']}')"
                )
                show(page, f"{deployed.url}/console/")
                page.locator(".loading").first.wait_for(state="detached")
                FOLDER.mkdir(exist_ok=True)
                page.screenshot(path=FOLDER / f"{name}.png")
                print(f"wrote docs/images/{name}.png")
            browser.close()
        finally:
            stack.down()
    return 0


if __name__ == "__main__":
    sys.exit(main())
