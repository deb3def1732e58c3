"""A real browser on the console of a deployed stack.

`SLUICE_STACK` may name the `stack.json` of a stack that runs already. `CONSOLE_SCREENSHOTS` names the folder for
the screenshots, one of each screen; without it they go to a temporary folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from support.browser import BROWSER_ARGUMENTS, Console, find_browser
from support.server import Server
from support.stack import Deployed


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, as the machine has it."""
    path = find_browser()
    if path is None:
        pytest.skip("no Chromium on this machine; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=BROWSER_ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def deployed(browser: Browser, deployed: Deployed) -> Deployed:
    """A stack with its console; none is started if there is no browser."""
    return deployed


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """An upstream with answers that tests choose."""
    with Server().running() as running:
        yield running


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    named = os.environ.get("CONSOLE_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def console(browser: Browser, deployed: Deployed, screenshots: Path) -> Iterator[Console]:
    """The console, signed in as an admin. A test fails if the browser logs an error or a request is refused."""
    with Console(browser, deployed, screenshots).opened(str(deployed.description["api_key"])) as opened:
        yield opened


_names = iter(range(1_000_000))


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"c{next(_names)}"
