"""Planning an erasure: the record is searched for in all pages of its datasource, which are read again."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sluice.container import Container
from sluice.domain.dataset_id import DatasetId
from sluice.domain.datasource import Datasource
from sluice.domain.expression import Path
from sluice.domain.json_text import canonical
from sluice.domain.names import now, parse_time
from sluice.domain.run import FetchIndex, PageReceipt
from sluice.erasure.loose import Loose
from sluice.erasure.matching import (
    Key,
    Located,
    cursor_expression,
    cursors_in,
    located_records,
    overlaps,
    required_path,
)
from sluice.erasure.page_search import PageSearch
from sluice.erasure.plan import PageChange, Plan, Use, find_manifest, rewritten_page
from sluice.erasure.quotations import SHORTEST, Quotations
from sluice.erasure.records import KeyedRows
from sluice.errors import CannotErase, NotFound, RunError
from sluice.extract.fingerprint import DECIDING
from sluice.formats.limits import Limits
from sluice.formats.parsed_page import open_page


@dataclass
class _Reference:
    """A page of a run."""

    datasource: str
    run: str
    receipt: PageReceipt


@dataclass
class _References:
    """Everything that refers to raw pages.

    Args:
        pages: the pages of all runs of all datasources, by hash.
        loose: hashes of bodies of failed requests, and of pages that were fetched again, by datasource.
    """

    pages: dict[str, list[_Reference]] = field(default_factory=lambda: defaultdict(list))
    loose: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, datasource: str, run: str, receipt: PageReceipt) -> None:
        if receipt.hash is not None:
            self.pages[receipt.hash].append(_Reference(datasource, run, receipt))
        for page_hash in [receipt.replaced, *(failure.get("hash") for failure in receipt.failures)]:
            if page_hash is not None:
                self.loose[page_hash].add(datasource)


class Planner:
    """Plans the erasure of one record.

    Args:
        services: the catalog and the lake.
        slug: the datasource.
        key: the key of the record.
        rewritten: the hashes of pages from which this run has removed the record already.
        before: the hashes of pages with the record that earlier runs have not removed.
    """

    def __init__(
        self,
        services: Container,
        slug: str,
        key: Key,
        rewritten: Collection[str] = (),
        before: Collection[str] = (),
    ) -> None:
        self._services = services
        self._slug = slug
        self._key = key
        self._rewritten, self._before = rewritten, before
        # Before the receipts are read: a run that ends meanwhile has stored them.
        self._settled_until = self._oldest_write()
        self._stored = {key.rpartition("/")[2]: moment for key, moment in services.lake.modified("raw").items()}
        self._rows = KeyedRows.find(services, slug, key)
        self._limits = Limits.of(services.settings)
        self._texts = {text for text in key.texts if len(text) >= SHORTEST}
        self._quotations = Quotations(set(self._texts))
        self._documents: dict[str, dict[str | None, Datasource]] = {}
        present = self._documents_of(slug).get(None)
        documents = [*([present] if present is not None else []), *self._distinct_documents()]
        self._search = PageSearch(key, self._rows, documents, self._limits)
        self._loose = Loose(services, slug, self._search, self._distinct_documents(), self._texts)

    def plan(self) -> Plan:
        """Read everything, and change nothing.

        Raises:
            CannotErase: the record cannot be removed from a page by itself.
        """
        references = self._references()
        plan = Plan(datasources=[self._slug])
        for page_hash, uses in references.pages.items():
            own = [use for use in uses if use.datasource == self._slug]
            if own and page_hash in self._stored:
                self._plan_page(plan, page_hash, own, uses)
        self._plan_rows(plan, references)
        known = {*references.pages}
        loose = {page_hash for page_hash, owners in references.loose.items() if self._slug in owners} - known
        orphans = self._stored.keys() - known - set(references.loose)
        for page_hash in sorted((loose | orphans) & self._stored.keys()):
            if page_hash in self._before or self._is_loose_with_record(page_hash):
                settled = page_hash in self._before or page_hash in loose or self._is_settled(page_hash)
                (plan.unusable if settled else plan.unsettled).append(page_hash)
        batches = [batch for _, batch in self._services.erasures.batches() if batch.hash in plan.pages]
        plan.batches = len(batches)
        plan.datasources = sorted({self._slug, *(use.datasource for use in plan.uses)})
        self._loose.plan_files(plan, self._stored)
        plan.texts = sorted(self._texts)
        return plan

    # ---------------------------------------------------------------- references

    def _references(self) -> _References:
        references = _References()
        lake, services = self._services.lake, self._services
        for key in lake.list_keys("raw-index"):
            index = FetchIndex.model_validate_json(lake.get(key))
            for receipt in [*index.pages, *index.unused_pages]:
                references.add(index.datasource, index.run, receipt)
        owners: dict[str, str] = {}
        for run, receipt in services.erasures.receipts():
            references.add(self._owner(owners, run), run, receipt)
        for run, batch in services.erasures.batches():
            receipt = PageReceipt(
                number=0, ok=True, url="", hash=batch.hash, media_type=batch.media_type, fetched_at=batch.received_at
            )
            references.add(self._owner(owners, run), run, receipt)
        return references

    def _owner(self, owners: dict[str, str], run: str) -> str:
        if run not in owners:
            stored = self._services.runs.find(run)
            owners[run] = (stored.datasource if stored else None) or ""
        return owners[run]

    def _oldest_write(self) -> datetime:
        """When the oldest request or run began that may have stored a page and not its receipt."""
        # S3 tells the second in which an object was written.
        begun = [
            parse_time(run.created_at).replace(microsecond=0)
            for run in self._services.runs.active()
            if run.erasure is None
        ]
        return min([now(), *begun]) - timedelta(seconds=self._services.settings.page_settling_seconds)

    def _is_settled(self, page_hash: str) -> bool:
        """Whether a page without references is one that nothing will refer to."""
        return self._stored[page_hash] < self._settled_until

    # ---------------------------------------------------------------- pages

    def _plan_page(self, plan: Plan, page_hash: str, own: list[_Reference], uses: list[_Reference]) -> None:
        located: list[Located] = []
        cursors: set[Path] = set()
        chosen: tuple[Datasource, PageReceipt] | None = None
        doubtful, readable = False, False
        for use, datasource in self._readings(own):
            with suppress(RunError):  # whoever reads it cannot either
                records = self._located(datasource, use.receipt, self._page(page_hash))
                readable = True
                result = self._search.search(records, use.run, use.receipt, datasource)
                doubtful = doubtful or result.is_doubtful
                self._texts |= result.texts
                located = [*located, *result.located]
                cursors |= self._cursors(page_hash, use.receipt, datasource)
                chosen = chosen or ((datasource, use.receipt) if result.located or cursors else None)
        paths = set(map(required_path, located))
        if chosen is None:
            if page_hash not in self._rewritten and (doubtful or not readable):
                self._plan_doubtful_page(plan, page_hash, uses, readable=readable)
            return
        datasource, receipt = chosen
        change = PageChange(
            paths=sorted(map(list, paths), key=canonical),
            cursors=sorted((list(path) for path in cursors if not overlaps(path, list(paths))), key=canonical),
            datasource=datasource.model_dump(mode="json", by_alias=True),
            receipt=receipt,
        )
        content = self._page(page_hash)
        rewritten = rewritten_page(content, change, self._limits)
        plan.pages[page_hash] = change
        for use, reading in self._readings(uses):
            plan.uses.append(self._use(use, reading, page_hash, list(paths), content, rewritten))

    def _plan_doubtful_page(self, plan: Plan, page_hash: str, uses: list[_Reference], *, readable: bool) -> None:
        """Plan the removal of a whole page that has the key as text but no record with it, if no version has it.

        Raises:
            CannotErase: a version was made of the page.
        """
        if not readable and not self._loose.mentions(self._page(page_hash)):
            return
        if not any(use.run in self._documents_of(use.datasource) for use in uses):
            plan.unusable.append(page_hash)
            return
        columns = ", ".join(self._key.columns)
        reason = (
            f"but its records have no {columns}; let `fields` name that for them, too, such as "
            f"`{self._key.columns[0]}: {self._key.columns[0]} || earlier_name`"
            if readable
            else "but cannot be read as the datasource says; correct the datasource"
        )
        raise CannotErase(
            f"The page {page_hash[:12]} has the key as text, {reason}, or remove the page by `retention`."
        )

    def _plan_rows(self, plan: Plan, references: _References) -> None:
        """Plan the rows of versions whose pages retention has removed; others go with their places in pages.

        Raises:
            CannotErase: the page of a row is stored but does not have the record, or the row lacks the key's columns.
        """
        stored = {
            (use.run, use.receipt.number)
            for page_hash, uses in references.pages.items()
            for use in uses
            if page_hash in self._stored and use.datasource == self._slug
        }
        planned = {(use.run, use.number) for use in plan.uses}
        for run, number in self._rows.named:
            if (run, number) in stored - planned:
                raise CannotErase(
                    f"A version has the record, but page {number} of the run {run}, of which it was made, cannot be "
                    "read as the datasource says; correct the datasource, or remove the page by `retention`."
                )
        for run, number in self._rows.mentioned:
            if (run, number) not in stored:
                raise CannotErase(
                    f"A version that was made of page {number} of the run {run} has the key, but not in the columns "
                    f"{', '.join(self._key.columns)}, and the page is not kept; remove old versions by `retention`."
                )
        for (run, number), rows in self._rows.renamed.items():
            if (run, number) not in stored:
                use = Use(
                    datasource=self._slug, run=run, number=number, hash="", erased=[], fresh=sorted(rows), gaps=[]
                )
                plan.uses.append(use)

    def _use(
        self,
        use: _Reference,
        datasource: Datasource,
        page_hash: str,
        paths: list[Path],
        content: bytes,
        rewritten: bytes,
    ) -> Use:
        """The positions of the erased records in a page, as a datasource reads it.

        Raises:
            CannotErase: other records of the page would change.
        """
        receipt = use.receipt
        before = self._located(datasource, receipt, content)
        fresh = [one.position for one in before if overlaps(required_path(one), paths)]
        erased = sorted({*receipt.erased, *fresh})
        kept = [(one.position, canonical(one.record)) for one in before if one.position not in fresh]
        # The tombstones are selected as records, or, as by a filter, not at all.
        for gaps in (receipt.gaps, sorted({*receipt.gaps, *fresh})):
            changed = receipt.model_copy(update={"erased": erased, "gaps": gaps})
            with suppress(RunError):
                after = self._located(datasource, changed, rewritten)
                if [(one.position, canonical(one.record)) for one in after] == kept:
                    return Use(
                        datasource=use.datasource,
                        run=use.run,
                        number=receipt.number,
                        hash=page_hash,
                        erased=erased,
                        fresh=fresh,
                        gaps=list(gaps),
                    )
        raise CannotErase(
            f"Without the record, the datasource {use.datasource!r} would read other records of page {receipt.number} "
            f"of the run {use.run} differently; correct its `records` or format, and try again."
        )

    def _located(self, datasource: Datasource, receipt: PageReceipt, content: bytes) -> list[Located]:
        with open_page(datasource, receipt, io.BytesIO(content), self._limits) as page:
            return list(located_records(page, receipt, self._limits))

    def _cursors(self, page_hash: str, receipt: PageReceipt, datasource: Datasource) -> set[Path]:
        """The places in a page where pagination reads the key of the record, such as the last key of the page."""
        expression = cursor_expression(datasource)
        if expression is None:
            return set()
        content = io.BytesIO(self._page(page_hash))
        with open_page(datasource, receipt, content, self._limits) as page:
            return {path for path, value in cursors_in(page, expression) if self._quotations.has(value)}

    def _is_loose_with_record(self, page_hash: str) -> bool:
        with suppress(NotFound):  # retention has removed it meanwhile
            return self._loose.has_record(self._page(page_hash))
        return False

    def _page(self, page_hash: str) -> bytes:
        with self._services.lake.raw(page_hash) as content:
            return content.read()

    # ---------------------------------------------------------------- documents

    def _readings(self, uses: Iterable[_Reference]) -> Iterator[tuple[_Reference, Datasource]]:
        """Each page with the document by which its run has read it; else with the current one."""
        for use in uses:
            documents = self._documents_of(use.datasource)
            datasource = documents.get(use.run) or documents.get(None)
            if datasource is not None:
                yield use, datasource

    def _documents_of(self, slug: str) -> dict[str | None, Datasource]:
        """The documents of a datasource by run; the current one, or the latest, under None."""
        if slug not in self._documents:
            documents: dict[str | None, Datasource] = {}
            dataset = DatasetId.of_datasource(slug) if slug else None
            for version in self._services.erasures.versions(dataset) if dataset else []:
                manifest = find_manifest(self._services, version.manifest_key)
                if manifest is not None:
                    document = Datasource.model_validate(manifest.spec["datasource"])
                    documents[manifest.run] = documents[None] = document
            definition = self._services.definitions.find("datasource", slug) if slug else None
            if definition is not None:
                documents[None] = Datasource.model_validate(definition.document)
            self._documents[slug] = documents
        return self._documents[slug]

    def _distinct_documents(self) -> list[Datasource]:
        documents = self._documents_of(self._slug).values()
        return list({canonical(one.model_dump(mode="json", include=DECIDING)): one for one in documents}.values())
