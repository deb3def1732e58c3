"""Links between the Markdown files lead to files and headings that exist, as they are shown where they are stored."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from support.template import ROOT

PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(
    (ROOT / "docs").rglob("*.md")
)
_CODE = re.compile(r"^(`{3,}).*?^\1[^\n]*$|`[^`\n]+`", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\((?!\w+:)([^)\s]+)\)")


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, by GitHub's rules."""
    found: set[str] = set()
    # A line that begins with # in a code block is no heading.
    for heading in re.findall(r"^#{1,6} (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.M), re.M):
        words = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", heading)).strip().lower()
        anchor = words.replace(" ", "-")
        repeated = sum(1 for known in found if re.fullmatch(re.escape(anchor) + r"(-\d+)?", known))
        found.add(f"{anchor}-{repeated}" if repeated else anchor)
    return found


def broken_links(page: Path) -> list[str]:
    """The relative links of a page that lead nowhere."""
    broken = []
    for link in _LINK.findall(_CODE.sub("", page.read_text())):
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            broken.append(link)
    return broken


def test_broken_links_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "b.md").write_text("# The `a`, in short\n## Twice\n## Twice\n```\n# no heading\n```\n")
    page = tmp_path / "a.md"
    links = ["b.md", "b.md#the-a-in-short", "b.md#twice-1", "#here", "https://example.com/x"]
    wrong = ["c.md", "b.md#no-heading", "b.md#twice-2", "#there"]
    page.write_text("# Here\n" + "\n".join(f"[x]({link})" for link in links + wrong) + "\n`[x](y.md)`\n")
    assert broken_links(page) == wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(page: Path) -> None:
    assert broken_links(page) == []
