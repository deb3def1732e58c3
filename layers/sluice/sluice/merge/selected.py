"""Read the document that a datasource's `records` selects in the pages of a version, for merges of documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sluice.domain.dataset import Manifest
from sluice.domain.datasource import Datasource
from sluice.domain.run import FetchIndex
from sluice.formats.limits import Limits
from sluice.formats.memory import collect_rows
from sluice.formats.parsed_page import open_page, without_tombstones
from sluice.lake.store import Lake


@dataclass(frozen=True)
class Selected:
    """A selected document; its value can be null, which is not the same as no document."""

    value: Any


def selected_document(manifest: Manifest, lake: Lake, limits: Limits) -> Selected | None:
    """Read the document of a version; several pages give one list.

    Args:
        manifest: the version's manifest.
        lake: where its pages are read.
        limits: limits of the parsers.

    Returns:
        The document; None if the version has rows only: it has records of several runs, or it is from CSV,
        whose cells have no types until they are extracted.
    """
    if manifest.document is not None:
        return Selected(lake.document(manifest.document))  # releases before 0.3 stored the document
    if manifest.stage != "records" or manifest.disposition != "replace":
        return None
    datasource = Datasource.model_validate(manifest.spec["datasource"])
    index = FetchIndex.model_validate_json(lake.get(manifest.spec["index"]))
    elements: list[Any] = []
    for receipt in index.pages:
        with (
            lake.raw(receipt.hash or "") as content,
            open_page(datasource, receipt, content, limits) as page,
        ):
            if page.form == "csv":
                return None
            selected = page.selection()
            selected = collect_rows(selected, limits) if isinstance(selected, Iterator) else selected
        if isinstance(selected, list):
            elements += [element for _, element in without_tombstones(selected, receipt)]
        elif receipt.erased:
            continue  # the page is a single record, which was erased
        elif len(index.pages) == 1:
            return Selected(selected)
        elif selected is not None:
            elements.append(selected)
    return Selected(elements)
