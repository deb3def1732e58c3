"""Every command of the tutorial and the how-to guides, run in the order of its page against the deployed stack.

With PROOF=1 all pages, otherwise those of QUICK: each command is a process, and there are hundreds.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from support.stack import ROOT, Deployed, free_port
from walkthrough import Result, matches, run_page, steps_of

# Its recipes are Python, too: test_tools.py runs them.
OTHERS = {"tools.md"}
# Their output has times and is not compared.
RECORDED = {"journeys.md"}
QUICK = {"two-apis-and-a-file.md", "failing-source.md"}
PAGES = sorted(
    page
    for folder in ("tutorial", "how-to")
    for page in (ROOT / "docs" / folder).glob("*.md")
    if page.name not in OTHERS
    and (page.name in QUICK or os.environ.get("PROOF"))
    and steps_of(page.read_text(), page.name)
)
# The pages' server, which gets a free port of as many digits.
PORT = "48100"
# Commands mostly wait for the stack.
PARALLEL = 3


def run(page: Path, deployed: Deployed, folder: Path) -> list[Result]:
    """Run a page as a reader whose local stack is the deployed one."""
    (folder / ".local").mkdir()
    (folder / ".local/stack.json").write_text(json.dumps(deployed.description))
    text = page.read_text().replace(PORT, str(free_port()))
    return list(run_page(steps_of(text, page.name), folder, {"SLUICE_LOCAL": str(folder / ".local")}))


@pytest.fixture(scope="module")
def runs(
    deployed: Deployed, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[dict[Path, Future[list[Result]]]]:
    """The pages of the selected tests, which all begin at once."""
    names = {item.name for item in request.session.items}
    selected = [page for page in PAGES if f"test_page[{page.stem}]" in names]
    with ThreadPoolExecutor(PARALLEL) as pool:
        yield {page: pool.submit(run, page, deployed, tmp_path_factory.mktemp(page.stem)) for page in selected}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page(runs: dict[Path, Future[list[Result]]], page: Path) -> None:
    for result in runs[page].result():
        expected = result.step.output
        if expected is not None and page.name not in RECORDED:
            where = f"{page.name}:{result.step.line}"
            assert matches(expected, result.output), f"{where} printed:\n{result.output}\nand not:\n{expected}"
