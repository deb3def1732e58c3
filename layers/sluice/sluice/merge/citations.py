"""Citations: the page, as received, and the place in it where a datasource's value stands."""

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
        lake: where the pages are read.
        settings: limits of the parsers.
        receipt: reads the receipt of a page from the catalog, by run and page number.
    """

    def __init__(self, lake: Lake, settings: Settings, receipt: Callable[[str, int], PageReceipt]) -> None:
        self._lake = lake
        self._settings = settings
        self._receipt = receipt
        self._manifests: dict[tuple[str, str], Manifest] = {}

    def cite_record(
        self, manifest: Manifest, version: Version, position: dict[str, Any], names: list[str]
    ) -> dict[str, Cited]:
        """Cite the values of one record.

        Args:
            manifest: the version's manifest.
            version: the version that has the record.
            position: the record's `_page` and `_row`, and `_run` if the version has records of several runs.
            names: the columns' names in the version.

        Returns:
            A citation for each column: `{"page", "pointer", "exact", "expression"}`.

        Raises:
            NotFound: the receipt of the page has expired.
        """
        run = position.get("_run") or version.run
        manifest = self._of_run(manifest, run)
        receipt = self._page(manifest, run, position["_page"])
        datasource = Datasource.model_validate(manifest.spec["datasource"])
        page = page_of(receipt, run)
        try:
            with self._lake.raw(receipt.hash or "") as content:
                limits = Limits.of(self._settings)
                found_places = find_places(datasource, receipt, content, limits, position["_row"], names)
        except NotFound:
            return {name: _cited_without_page(page) for name in names}
        return {
            name: {"page": page, "pointer": place.pointer, "exact": place.exact, "expression": place.expression}
            for name, place in found_places.items()
        }

    def _of_run(self, manifest: Manifest, run: str) -> Manifest:
        """Return the manifest that a run wrote.

        A version with records of several runs has a chain of manifests. The pages of each run must be read
        with the datasource's document of that time, which its own manifest has.
        """
        key = (manifest.run, run)
        if key not in self._manifests:
            candidate = manifest
            while candidate.run != run and candidate.previous is not None:
                candidate = self._lake.manifest(candidate.previous)
            self._manifests[key] = candidate if candidate.run == run else manifest
        return self._manifests[key]

    def _page(self, manifest: Manifest, run: str, number: int) -> PageReceipt:
        """Read the receipt of a page from the catalog, or, if it has expired there, from the lake's index."""
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

    def cite_document_part(
        self,
        manifest: Manifest,
        version: Version,
        pages: list[PageReceipt],
        path: tuple[str | int, ...],
        *,
        listed: bool,
    ) -> Cited:
        """Cite a part of a version's selected document.

        Args:
            manifest: the version's manifest.
            version: the version.
            pages: the receipts of its pages, in order.
            path: the keys and indexes that lead to the part.
            listed: whether the document is a list; only a list can come from several pages.

        Returns:
            The citation: `{"page", "pointer", "exact", "expression"}`.
        """
        datasource = Datasource.model_validate(manifest.spec["datasource"])
        for receipt in pages:
            with self._lake.raw(receipt.hash or "") as content:
                limits = Limits.of(self._settings)
                place = find_document_place(datasource, receipt, content, limits, path, listed=listed)
            if not isinstance(place, int):
                page = page_of(receipt, version.run)
                return {"page": page, "pointer": place.pointer, "exact": place.exact, "expression": place.expression}
            # `place` is the number of elements in this page; the part is in a later one.
            path = (int(path[0]) - place, *path[1:])
        raise AssertionError("no page of the document has the part")

    @staticmethod
    def cite_computed(cited: dict[str, Cited], expression: str) -> Cited:
        """Cite a value that an expression computed from a record.

        Args:
            cited: the citations of the record's columns.
            expression: the expression.

        Returns:
            A citation of the pointer that all columns have in common.
        """
        pointers = [citation["pointer"].split("/") for citation in cited.values()]
        common = []
        for parts in zip(*pointers, strict=False):
            if len(set(parts)) > 1:
                break
            common.append(parts[0])
        page = next(iter(cited.values()))["page"]
        return {"page": page, "pointer": "/".join(common), "exact": False, "expression": expression}


def _cited_without_page(page: dict[str, Any]) -> Cited:
    """The citation of a value whose page was removed by the datasource's `retention`."""
    return {"page": {**page, "removed": True}, "pointer": "", "exact": False, "expression": None}


def page_of(receipt: PageReceipt, run: str) -> dict[str, Any]:
    """Return a page as citations name it: `{"hash", "url", "number", "run"}`.

    Args:
        receipt: the receipt of the page.
        run: the run that fetched it.
    """
    return {"hash": receipt.hash, "url": receipt.url, "number": receipt.number, "run": run}
