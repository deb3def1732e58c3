"""Citations: where, in which page as it was received, what a datasource says stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sluice.domain.dataset import Manifest, Version
from sluice.domain.datasource import Datasource
from sluice.domain.run import FetchIndex, PageReceipt
from sluice.errors import NotFound
from sluice.formats.limits import Limits
from sluice.formats.pointers import find_document_place, find_places
from sluice.lake.store import Lake
from sluice.settings import Settings

Cited = dict[str, Any]


class Citer:
    """Cites the pages of datasources' versions.

    Args:
        receipt: gives the receipt of a page by its run and number.
    """

    def __init__(self, lake: Lake, settings: Settings, receipt: Callable[[str, int], PageReceipt]) -> None:
        self._lake = lake
        self._settings = settings
        self._receipt = receipt
        self._of_runs: dict[tuple[str, str], Manifest] = {}

    def cited(
        self, manifest: Manifest, version: Version, position: dict[str, Any], names: list[str]
    ) -> dict[str, Cited]:
        """Where the values of one record stand.

        Args:
            position: the record's `_page` and `_row`, and `_run` where the version is of several.
            names: the columns, as the version has them.
        """
        run = position.get("_run") or version.run
        manifest = self._of_run(manifest, run)
        receipt = self._page(manifest, run, position["_page"])
        datasource = Datasource.model_validate(manifest.spec["datasource"])
        with self._lake.raw(receipt.hash or "") as content:
            found = find_places(datasource, receipt, content, Limits.of(self._settings), position["_row"], names)
        page = page_of(receipt, run)
        return {
            name: {"page": page, "pointer": place.pointer, "exact": place.exact, "expression": place.expression}
            for name, place in found.items()
        }

    def _of_run(self, manifest: Manifest, run: str) -> Manifest:
        """The manifest that a run has made: its datasource's document was the one by which pages were read."""
        key = (manifest.run, run)
        if key not in self._of_runs:
            found = manifest
            while found.run != run and found.previous is not None:
                found = self._lake.manifest(found.previous)
            self._of_runs[key] = found if found.run == run else manifest
        return self._of_runs[key]

    def _page(self, manifest: Manifest, run: str, number: int) -> PageReceipt:
        """The receipt of a page: from the catalog, which forgets it some day, or from the lake, which does not."""
        try:
            return self._receipt(run, number)
        except NotFound:
            if manifest.run != run:
                raise
            index = FetchIndex.model_validate_json(self._lake.get(manifest.spec["index"]))
            for page in index.pages:
                if page.number == number:
                    return page
            raise

    def in_document(
        self,
        manifest: Manifest,
        version: Version,
        pages: list[PageReceipt],
        way: tuple[str | int, ...],
        *,
        listed: bool,
    ) -> Cited:
        """Where a part of a version's selected document stands.

        Args:
            way: of the part in the document.
            listed: whether the document is a list, which may be of several pages.
        """
        datasource = Datasource.model_validate(manifest.spec["datasource"])
        for receipt in pages:
            with self._lake.raw(receipt.hash or "") as content:
                limits = Limits.of(self._settings)
                place = find_document_place(datasource, receipt, content, limits, way, listed=listed)
            if not isinstance(place, int):
                page = page_of(receipt, version.run)
                return {"page": page, "pointer": place.pointer, "exact": place.exact, "expression": place.expression}
            way = (int(way[0]) - place, *way[1:])
        raise AssertionError("a document is made of its pages")

    @staticmethod
    def whole_record(cited: dict[str, Cited], expression: str) -> Cited:
        """The citation of what an expression made of a record: the columns' common place."""
        pointers = [one["pointer"].split("/") for one in cited.values()]
        common = []
        for parts in zip(*pointers, strict=False):
            if len(set(parts)) > 1:
                break
            common.append(parts[0])
        page = next(iter(cited.values()))["page"]
        return {"page": page, "pointer": "/".join(common), "exact": False, "expression": expression}


def page_of(receipt: PageReceipt, run: str) -> dict[str, Any]:
    """A page as citations name it."""
    return {"hash": receipt.hash, "url": receipt.url, "number": receipt.number, "run": run}
