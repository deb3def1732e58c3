"""How Sphinx builds these pages: `make docs`.

The pages are plain Markdown that also reads well where it is stored. The only thing that Sphinx needs besides
is the order of the pages: it is the order of the links in each `index.md`.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

from sphinx.application import Sphinx

project = "Sluice"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
# As GitHub does, so that links to headings work in both places.
myst_heading_anchors = 4
# Quotation marks and dashes stay as they are written.
smartquotes = False
html_theme = "furo"
html_title = "Sluice"
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
html_theme_options = {
    # No web fonts: the site needs no network.
    "light_css_variables": {"color-brand-primary": "#0b5f8a", "color-brand-content": "#0b5f8a"},
    "dark_css_variables": {"color-brand-primary": "#6cb8e0", "color-brand-content": "#6cb8e0"},
}
html_static_path = ["static"]
html_css_files = ["tables.css"]

_LINKED_PAGE = re.compile(r"\]\((?!\.\./)([\w./-]+)\.md\)")


def linked_pages(text: str) -> list[str]:
    """The pages beside or below an index page that it links to, in their order, without the suffix."""
    return list(dict.fromkeys(_LINKED_PAGE.findall(text)))


def add_contents(app: Sphinx, name: str, source: list[str]) -> None:
    """Append the table of contents, which Sphinx builds the navigation from, to an index page.

    Args:
        app: the build.
        name: the page's path without its suffix.
        source: the page's text as its only element; changed in place.
    """
    if PurePosixPath(name).name == "index":
        pages = "\n".join(linked_pages(source[0]))
        source[0] += f"\n\n```{{toctree}}\n:hidden:\n\n{pages}\n```\n"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the above with Sphinx."""
    app.connect("source-read", add_contents)
    return {"parallel_read_safe": True}
