"""Pages and dropped files that no receipt says how to read: they are removed as a whole if they have the record."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from sluice.container import Container
from sluice.domain.datasource import Datasource
from sluice.domain.run import FAILED, UNKNOWN, PageReceipt
from sluice.erasure.matching import located_records
from sluice.erasure.page_search import PageSearch
from sluice.erasure.plan import Plan
from sluice.erasure.quotations import WORD
from sluice.errors import RunError
from sluice.formats.packed import open_unpacked
from sluice.formats.parsed_page import open_page
from sluice.lake.purge import ObjectVersion, VersionedObjects


@dataclass(frozen=True)
class Loose:
    """Searches pages and dropped files without receipts for one record.

    Args:
        services: the catalog and the inbox.
        slug: the datasource of the record.
        search: searches the records of a page.
        documents: the documents of the datasource that differ in how they read a page.
        texts: gets the texts of the record.
    """

    services: Container
    slug: str
    search: PageSearch
    documents: Sequence[Datasource]
    texts: set[str]

    def has_record(self, content: bytes, filename: str | None = None) -> bool:
        """Whether a page has the record, or, if no document can read it, the key as text.

        Args:
            content: the page, packed if it was.
            filename: the name of a dropped file; for one, it is enough that its records have the key in any place, if
                no document knows their columns. Pages without references may be of other datasources.
        """
        results = []
        receipt = PageReceipt(number=1, ok=True, url="", filename=filename, fetched_at="1970-01-01T00:00:00.000Z")
        limits = self.search.limits
        for datasource in self.documents:
            with suppress(RunError), open_page(datasource, receipt, io.BytesIO(content), limits) as page:
                records = list(located_records(page, receipt, limits))
                results.append(self.search.search(records, "", receipt, datasource))
        for result in results:
            self.texts.update(result.texts)
        if any(result.located for result in results):
            return True
        if not results:
            return self.mentions(content)
        return filename is not None and all(result.is_doubtful for result in results)

    def mentions(self, content: bytes) -> bool:
        """Whether a content, or what is packed in it, has all texts of the key."""
        with suppress(RunError), open_unpacked(io.BytesIO(content), None, self.search.limits) as (plain, _):
            content = plain.read()
        return all(text.encode() in content for text in self.search.key.texts)

    def plan_files(self, plan: Plan, stored: Collection[str]) -> None:
        """Plan the removal of dropped files that have the record, and of the reasons beside those that were set aside.

        Of other datasources, the files that are one of the pages. A deletion marker goes with its last version.

        Args:
            plan: the plan, with its pages.
            stored: the hashes of all pages in the lake.
        """
        inbox = VersionedObjects(self.services.s3, self.services.inbox.bucket)
        for slug in plan.datasources:
            definition = self.services.definitions.find("datasource", slug)
            if definition is not None and Datasource.KINDS[definition.document["kind"]].KEEPS_DROPS:
                continue
            for folder in ("", FAILED, UNKNOWN):
                versions = sorted(inbox.versions(f"{folder}{slug}/"), key=attrgetter("key"))
                for key, group in groupby(versions, attrgetter("key")):
                    present = list(group)
                    files = [version for version in present if not version.marker]
                    gone = [one for one in files if self._is_file_with_record(plan, stored, slug, one, inbox.read(one))]
                    plan.files += [(key, one.version) for one in gone]
                    if gone == files and (gone or self._is_named_after_record(slug, key)):
                        plan.markers += [(key, one.version) for one in present if one.marker]

    def _is_file_with_record(
        self, plan: Plan, stored: Collection[str], slug: str, version: ObjectVersion, content: bytes
    ) -> bool:
        content_hash = hashlib.sha256(content).hexdigest()
        if content_hash in {*plan.pages, *plan.unusable}:
            return True
        if slug != self.slug:
            return False
        if self._is_named_after_record(slug, version.key):
            # Files that wait for their run stay: nothing else has their other records.
            return content_hash in stored or version.key.startswith((FAILED, UNKNOWN))
        if version.key.endswith(".reason.json"):
            return self.mentions(content)
        return self.has_record(content, version.key.rpartition("/")[2])

    def _is_named_after_record(self, slug: str, key: str) -> bool:
        """Whether the name of a dropped file has the whole key of the record."""
        name = key.partition(f"{slug}/")[2]
        return slug == self.slug and all(len(text) >= WORD and text in name for text in self.search.key.texts)
