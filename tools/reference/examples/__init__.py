"""Examples of documents: those of the OpenAPI document first, then some for the fields that these do not use.

Together the examples of a page use each of its fields. Each example is a document that the API accepts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reference.examples.assets import ASSETS
from reference.examples.datasources import DATASOURCES
from reference.examples.projects import PROJECTS
from sluice.api.responses.examples import EXAMPLES as RESPONSES
from sluice.api.responses.examples.requests import REQUESTS


@dataclass(frozen=True)
class Example:
    """An example of a document.

    Args:
        title: what it describes, as a heading.
        document: as the API takes it.
    """

    title: str
    document: dict[str, Any]


def _requests() -> dict[str, list[Example]]:
    """The OpenAPI document's examples of request bodies, by page."""
    pages: dict[str, list[Example]] = {}
    for title, document in REQUESTS["Datasource"].values():
        pages.setdefault(f"datasource-{document['kind']}", []).append(Example(title, document))
    pages["project"] = [Example(title, document) for title, document in REQUESTS["Project"].values()]
    for name in ("Model", "Report", "Endpoint"):
        pages[name.lower()] = [Example("In short", RESPONSES[name])]
    for name in ("Site", "Equipment", "Sensor"):
        pages[name.lower()] = [Example("In short", RESPONSES[name])]
    pages["input"] = [
        Example("In short", RESPONSES["InputRequest"]),
        Example("From a workbook beside it", {"kind": "topology", "comment": "Survey of May", "file": "north.xlsx"}),
    ]
    pages["operation"] = [Example("In short", RESPONSES["OperationRequest"])]
    return pages


def _all_examples() -> dict[str, tuple[Example, ...]]:
    pages = _requests()
    for page, documents in {**DATASOURCES, **PROJECTS, **ASSETS}.items():
        pages.setdefault(page, []).extend(Example(title, document) for title, document in documents.items())
    return {page: tuple(examples) for page, examples in pages.items()}


EXAMPLES = _all_examples()
