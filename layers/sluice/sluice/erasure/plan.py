"""What the plan of an erasure says: every place that has the record."""

from __future__ import annotations

import io
from typing import Any

from pydantic import Field

from sluice.container import Container
from sluice.domain.base import Record
from sluice.domain.dataset import Manifest
from sluice.domain.dataset_id import DatasetId
from sluice.domain.datasource import Datasource
from sluice.domain.run import PageReceipt
from sluice.formats.limits import Limits
from sluice.formats.parsed_page import open_page
from sluice.formats.tombstones import with_tombstones


class PageChange(Record):
    """A page that has the record.

    Args:
        paths: the places of the record in the page.
        cursors: the places of cursors, and addresses of next pages, that have its key.
        datasource: the document by which the page is read.
        receipt: a receipt of the page.
    """

    paths: list[list[str | int]]
    cursors: list[list[str | int]] = Field(default_factory=list)
    datasource: dict[str, Any]
    receipt: PageReceipt


class Use(Record):
    """The positions of erased records in one page of one run.

    Args:
        hash: the page; empty if retention has removed it, so that only rows of versions have the record.
        erased: all positions, those of earlier erasures included.
        fresh: those of this erasure.
        gaps: those of `erased` whose tombstones `records` does not select.
    """

    datasource: str
    run: str
    number: int
    hash: str
    erased: list[int]
    fresh: list[int]
    gaps: list[int]


class Plan(Record):
    """Where the record is.

    Args:
        datasources: the datasources whose versions may have it: its own, and those that share a page with it.
        pages: the pages to rewrite, by hash.
        uses: the positions of the record by run and page.
        unusable: hashes of pages that nothing reads, such as bodies of failed requests: they are removed.
        unsettled: hashes of pages with the record that a request or a run may just have stored: no receipt of them is
            there yet, which would say whose they are.
        files: the keys and versions of dropped files that have the record.
        markers: the keys and versions of deletion markers of which no file is left.
        batches: how many pushes wait that have it.
        texts: the texts of the record, to find quotations of it; the plan is removed at the end.
        versions: the versions that have the record, of datasources and projects.
        hashes: the hashes of their contents.
        merge_keys: the keys under which merges have the record, by dataset.
        projects: the projects that may have used it.
        counts: how much is removed, by kind.
    """

    datasources: list[str] = Field(default_factory=list)
    pages: dict[str, PageChange] = Field(default_factory=dict)
    uses: list[Use] = Field(default_factory=list)
    unusable: list[str] = Field(default_factory=list)
    unsettled: list[str] = Field(default_factory=list)
    files: list[tuple[str, str]] = Field(default_factory=list)
    markers: list[tuple[str, str]] = Field(default_factory=list)
    batches: int = 0
    texts: list[str] = Field(default_factory=list)
    versions: list[tuple[DatasetId, int]] = Field(default_factory=list)
    hashes: list[str] = Field(default_factory=list)
    merge_keys: dict[str, list[tuple[str, ...]]] = Field(default_factory=dict)
    projects: list[str] = Field(default_factory=list)
    counts: dict[str, int] = Field(default_factory=dict)

    @property
    def found(self) -> bool:
        """Whether any page, file or version of a datasource has the record."""
        return bool(self.pages or self.unusable or self.files or self.counts.get("records"))

    def with_earlier(self, plan: Plan) -> Plan:
        """This plan with the scope of an earlier one, so that what it has left is removed, too.

        Args:
            plan: the earlier plan, of this run or of one that has ended.
        """
        changes: dict[str, Any] = {
            name: sorted({*getattr(self, name), *getattr(plan, name)})
            for name in ("datasources", "projects", "versions", "hashes", "texts")
        }
        names = {*self.merge_keys, *plan.merge_keys}
        keys = {
            name: sorted({*self.merge_keys.get(name, []), *plan.merge_keys.get(name, [])}) for name in sorted(names)
        }
        return self.model_copy(update={**changes, "merge_keys": keys})


def rewritten_page(content: bytes, change: PageChange, limits: Limits) -> bytes:
    """A page with tombstones in the place of the record.

    Args:
        content: the page as received.
        change: where the record is.
        limits: the caps of the readers.

    Raises:
        CannotErase: the format does not allow it.
    """
    datasource = Datasource.model_validate(change.datasource)
    with open_page(datasource, change.receipt, io.BytesIO(content), limits) as page:
        return with_tombstones(content, page, list(map(tuple, change.paths)), list(map(tuple, change.cursors)))


def find_manifest(services: Container, key: str) -> Manifest | None:
    """A manifest; None if it was removed."""
    document = services.lake.find_json(key)
    return Manifest.model_validate(document) if document is not None else None
