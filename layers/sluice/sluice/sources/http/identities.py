"""Hashes of the records of a run's pages, by which overlapping and changed pages are detected."""

from __future__ import annotations

import asyncio
import hashlib
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from sluice.domain.datasource import Datasource
from sluice.domain.json_text import dumps
from sluice.domain.record_key import (
    IDENTITY_BYTES,
    content_identities,
    identified_by_content,
    identity_of,
    identity_settings_hash,
)
from sluice.domain.run import PageReceipt, Run
from sluice.formats.limits import Limits
from sluice.formats.parsed_page import open_page
from sluice.lake import object_keys
from sluice.lake.store import Lake

_LOADED_AT_ONCE = 16
_BUCKETS = 256
# Up to this number, all records are compared in one set, which needs about 100 bytes for each.
_ONE_SET = 1_000_000


@dataclass(frozen=True)
class PageIdentities:
    """The hashes of a page's records.

    Args:
        identities: an identity of 8 bytes for each record, of its primary key or else of its content.
        content: the SHA-256 of all records in order, in hexadecimal.
    """

    identities: bytes
    content: str


class Identities:
    """The identities of each page's records, by the page's hash.

    A call that hands over stores them in the lake, so that the next call need not parse the pages again. After a
    crash they are computed from the pages.

    Args:
        run: the run.
        datasource: its datasource, with the primary key.
        lake: where identities and pages are stored.
        limits: limits of the parsers.
        max_records: the most records whose identities are held in memory; with more, pages are not compared.
    """

    def __init__(self, run: Run, datasource: Datasource, lake: Lake, limits: Limits, max_records: int) -> None:
        self._datasource = datasource
        self._lake = lake
        self._limits = limits
        self._identity = identity_of(datasource)
        self._of_content = identified_by_content(datasource)
        self._folder = object_keys.identities(run, identity_settings_hash(datasource))
        self._attempt = run.attempt
        self._max_bytes = max_records * IDENTITY_BYTES
        self._held_bytes = 0
        self._known: dict[str, bytes] = {}
        self._kept: set[str] = set()

    def compute(self, records: list[Any]) -> PageIdentities:
        """Compute the identities of a page's records, and the hash of their content.

        Args:
            records: as `Page.compared_records` returns them.
        """
        if self._of_content:
            identities = content = content_identities(records)
        else:
            identities, content = b"".join(map(self._identity, records)), dumps(records)
        return PageIdentities(identities, hashlib.sha256(content).hexdigest())

    def remember(self, page_hash: str, identities: bytes) -> None:
        """Hold a page's identities in memory, up to the limit.

        Args:
            page_hash: the hash of the page's body.
            identities: those of its records.
        """
        self._held_bytes += len(identities)
        if self._held_bytes <= self._max_bytes:
            self._known[page_hash] = identities

    def store(self, next_page: int) -> None:
        """Store the identities of this call's pages in the lake, for a later call.

        Args:
            next_page: the number of the next page; it makes the object's key different from those of other calls.
        """
        unsaved = {page_hash: known for page_hash, known in self._known.items() if page_hash not in self._kept}
        if unsaved:
            sizes = orjson.dumps([[page_hash, len(known)] for page_hash, known in unsaved.items()])
            self._lake.put(
                f"{self._folder}/{self._attempt}-{next_page}", b"\n".join([sizes, b"".join(unsaved.values())])
            )

    def lack(self, pages: Iterable[PageReceipt]) -> bool:
        """Whether the identities of some of these pages are not in memory."""
        return any(page.hash is not None and page.hash not in self._known for page in pages)

    async def load(self, pages: Iterable[PageReceipt]) -> None:
        """Load the identities of these pages: from memory, from the lake, or by parsing the pages.

        Raises:
            UnreadableData: a page cannot be parsed with the datasource's document.
        """
        by_hash = {page.hash: page for page in pages if page.hash is not None}
        if not by_hash.keys() <= self._known.keys():
            await asyncio.to_thread(self._load_stored)
        turns = asyncio.Semaphore(_LOADED_AT_ONCE)

        async def load(page_hash: str, page: PageReceipt) -> None:
            async with turns:
                self._known[page_hash] = await asyncio.to_thread(self._parse, page_hash, page)

        missing = by_hash.keys() - self._known.keys()
        await asyncio.gather(*(load(page_hash, by_hash[page_hash]) for page_hash in missing))

    def of(self, page_hash: str | None) -> set[int]:
        """Return the distinct identities of a page that was loaded."""
        return set(array("Q", self._known[page_hash or ""]))

    def _load_stored(self) -> None:
        """Read what earlier calls have stored."""
        for key in self._lake.list_keys(self._folder):
            sizes, _, identities = self._lake.get(key).partition(b"\n")
            offset = 0
            for page_hash, size in orjson.loads(sizes):
                self._known.setdefault(page_hash, identities[offset : offset + size])
                self._kept.add(page_hash)
                offset += size

    def _parse(self, page_hash: str, page: PageReceipt) -> bytes:
        with (
            self._lake.raw(page_hash) as content,
            open_page(self._datasource, page, content, self._limits) as parsed,
        ):
            return b"".join(map(self._identity, parsed.compared_records()))


@dataclass(frozen=True)
class Repeats:
    """Records that are on more than one page.

    Args:
        count: the number of repetitions.
        pages: the numbers of two pages that have a record in common.
    """

    count: int
    pages: tuple[int, int]


def repeats(pages: list[PageReceipt], identities: Identities) -> Repeats | None:
    """Find records that are on more than one page.

    Memory is bounded: 8 bytes for each record, and one set of a bucket, or of at most a million records, at a time.

    Args:
        pages: the pages to compare; they must be loaded.
        identities: the identities of their records.

    Returns:
        The repeated records; None if no record is on two pages.
    """
    if sum(page.rows or 0 for page in pages) <= _ONE_SET and _are_distinct(pages, identities):
        return None
    count, example = 0, None
    for bucket in _buckets(pages, identities):
        distinct = set(bucket)
        count += len(bucket) - len(distinct)
        if example is None and len(bucket) > len(distinct):
            example = _twice(bucket)
    if example is None:
        return None
    first, second, *_ = (page.number for page in pages if example in identities.of(page.hash))
    return Repeats(count, (first, second))


def _are_distinct(pages: list[PageReceipt], identities: Identities) -> bool:
    """Return whether no record is on two pages: the usual case, for which one set of all records is fastest."""
    seen: set[int] = set()
    for page in pages:
        present = identities.of(page.hash)
        if not seen.isdisjoint(present):
            return False
        seen |= present
    return True


def differences(pages: list[PageReceipt], others: list[PageReceipt], identities: Identities) -> int:
    """Count the records that only one of two passes has.

    Args:
        pages: the pages of one pass; they must be loaded.
        others: the pages of the other pass; they must be loaded.
        identities: the identities of their records.
    """
    buckets = zip(_buckets(pages, identities), _buckets(others, identities), strict=True)
    return sum(len(set(bucket) ^ set(other)) for bucket, other in buckets)


def _buckets(pages: list[PageReceipt], identities: Identities) -> Iterator[array[int]]:
    """Divide the identities of all pages into buckets; equal ones are in the same bucket."""
    buckets = [array("Q") for _ in range(_BUCKETS)]
    for page in pages:
        for identity in identities.of(page.hash):
            buckets[identity % _BUCKETS].append(identity)
    return iter(buckets)


def _twice(bucket: array[int]) -> int:
    seen: set[int] = set()
    return min(identity for identity in bucket if identity in seen or seen.add(identity))  # type: ignore[func-returns-value]


assert array("Q").itemsize == IDENTITY_BYTES
