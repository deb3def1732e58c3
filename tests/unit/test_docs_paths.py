"""The paths in the pages that say where a change goes exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers/sluice/sluice"
PAGES = ["docs/explanation/architecture.md", "docs/explanation/decisions.md", "CONTRIBUTING.md"]
# A path of the code: below a folder at the root, or below the layer's own, perhaps written `…/`.
FOLDERS = {path.name for folder in (ROOT, LAYER) for path in folder.iterdir() if path.is_dir()}
PATH = re.compile(r"`(…/)?([\w.-]+(?:/[\w.-]+)*/?)`")


def paths_on(page: str) -> list[str]:
    """The paths that a page mentions."""
    words = [match.group(2) for match in PATH.finditer((ROOT / page).read_text())]
    return sorted({path for path in words if "/" in path and path.partition("/")[0] in FOLDERS})


@pytest.mark.parametrize("page", PAGES)
def test_every_path_on_the_page_exists(page: str) -> None:
    paths = paths_on(page)
    assert len(paths) > 5, "the page has paths"
    missing = [path for path in paths if not any((root / path).exists() for root in (ROOT, LAYER))]
    assert missing == []
