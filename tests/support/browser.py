"""The console in a browser, as tests use it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import urlencode

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Route, expect

from support.stack import Deployed

# The sandbox needs rights that a container's root has not; the rest keeps the browser from calling home.
BROWSER_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_WAIT_MS = 60_000
Theme = Literal["light", "dark"]
_SERIOUS = ("serious", "critical")


def find_browser() -> str | None:
    """The path of a Chromium; null if the machine has none."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


class Console:
    """The console of a stack in a tab of its own.

    Args:
        browser: Chromium.
        deployed: the stack.
        screenshots: the folder for screenshots.
    """

    def __init__(self, browser: Browser, deployed: Deployed, screenshots: Path) -> None:
        self._browser = browser
        self._screenshots = screenshots
        self.deployed = deployed
        self.address = f"{deployed.url}/console/"
        self.errors: list[str] = []
        # The console asks again when the emulator has no function to spare.
        self.expected_statuses: set[int] = {429}
        self.page: Page

    @contextmanager
    def opened(
        self, key: str | None, *, width: int = 1280, height: int = 900, theme: Theme = "light"
    ) -> Iterator[Console]:
        """Open the console, signed in with a key; at the end, fail if the browser logged an error.

        Args:
            key: an API key; null: nobody is signed in.
            width, height: of the window, in pixels.
            theme: `light` or `dark`.
        """
        context = self._browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
        context.set_default_timeout(_WAIT_MS)
        expect.set_options(timeout=_WAIT_MS)
        try:
            self._watch(context)
            self.page.goto(self.address)
            if key is not None:
                self.sign_in(key)
            yield self
        finally:
            context.close()
        assert not self.errors, "\n".join(self.errors)

    def _watch(self, context: BrowserContext) -> None:
        self.page = context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(f"error: {error}"))
        self.page.on("console", self._log)

    def _log(self, message: ConsoleMessage) -> None:
        # 429 is the emulator's word under load; the console asks again.
        # Chromium ends requests when a container of another test adds a network interface; the console asks again.
        if "ERR_NETWORK_CHANGED" in message.text:
            return
        expected = any(f"status of {status} " in message.text for status in self.expected_statuses | {429})
        if message.type in ("error", "warning") and not expected:
            self.errors.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    def sign_in(self, key: str) -> None:
        self.page.get_by_label("API key").fill(key)
        self.page.keyboard.press("Enter")
        self.page.get_by_role("button", name="Sign out").wait_for(state="attached")

    def go(self, place: str, **query: str) -> None:
        """Open a place, such as `/projects/top-coins`."""
        self.page.goto(f"{self.address}#{place}" + (f"?{urlencode(query)}" if query else ""))

    def leave(self) -> None:
        """Close the page: it would go on asking for what a test removes."""
        self.page.close()

    def expect_refusals(self, *statuses: int) -> None:
        """Requests with these statuses are part of the test: browsers log each as an error."""
        self.expected_statuses |= set(statuses)

    @contextmanager
    def held(self, address: str, method: str = "POST") -> Iterator[None]:
        """Let the requests of the block wait until its end, as those of a slow API do.

        Args:
            address: a pattern, such as `**/erase`.
        """
        waiting: list[Route] = []

        def hold(route: Route) -> None:
            if route.request.method == method:
                waiting.append(route)
            else:
                route.fallback()

        self.page.route(address, hold)
        yield
        deadline = time.monotonic() + 60
        while not waiting:
            assert time.monotonic() < deadline, f"there was no {method} of {address}"
            self.page.wait_for_timeout(20)
        for route in waiting:
            route.fallback()
        self.page.unroute(address, hold)

    def heading(self, text: str) -> None:
        """Wait until the page has this title."""
        expect(self.page.get_by_role("heading", level=1, name=text)).to_be_visible()

    def settle(self) -> None:
        """Wait until nothing is loading."""
        expect(self.page.locator(".loading")).to_have_count(0)

    def screenshot(self, name: str) -> None:
        """Keep a screenshot of the whole page."""
        self.settle()
        self.page.screenshot(path=self._screenshots / f"{name}.png", full_page=True)

    def check_accessibility(self) -> None:
        """Fail if axe finds something serious on the present page."""
        self.settle()
        found = [one for one in Axe().run(self.page).response["violations"] if one["impact"] in _SERIOUS]
        assert not found, "\n".join(
            f"{one['id']}: {one['help']}: {[node['html'][:200] for node in one['nodes'][:5]]}" for one in found
        )

    def check_narrow(self) -> None:
        """Fail if the page is wider than a phone's 390 pixels; the width of the window stays so."""
        self.page.set_viewport_size({"width": 390, "height": 844})
        self.settle()
        width = self.page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, f"the page is {width} pixels wide"
