"""The generated part of `docs/`: reference pages and JSON Schemas, from models, settings and errors.

Each module here makes some of the files and exports one function; `FILES` lists them. A new generated page is a
module with such a function, and a line in `FILES`.
"""

from __future__ import annotations

from collections.abc import Callable

from reference.access_page import access_page
from reference.algorithms_page import algorithms_page
from reference.cli_page import cli_page
from reference.deprecations_page import deprecations_page
from reference.documents import document_pages
from reference.errors_page import errors_page
from reference.schemas import schema_files
from reference.settings_page import settings_page

# Each returns the text of files by their paths below `docs/`.
FILES: tuple[Callable[[], dict[str, str]], ...] = (
    access_page,
    algorithms_page,
    cli_page,
    deprecations_page,
    document_pages,
    errors_page,
    schema_files,
    settings_page,
)


def reference_files() -> dict[str, str]:
    """The text of all generated files by their paths below `docs/`."""
    return {path: text for files in FILES for path, text in files().items()}
