"""Which records the pages of a run have, as hashes: what tells whether pages overlap or have changed."""

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
# So many records are compared as one set, of about 100 bytes for each.
_ONE_SET = 1_000_000


@dataclass(frozen=True)
class Look:
    """What was seen of a page's records.

    Args:
        content: a hash that pages with the same records in the same order have in common.
    """

    identities: bytes
    content: str


class Identities:
    """The identities of each page's records, by the page's hash.

    A call that hands over keeps them in the lake, so that a later one need not parse the pages
    again; where they are not, as after a crash, they are made again from the pages.

    Args:
        most: the most records of which they are held in memory; beyond it pages are not compared.
    """

    def __init__(self, run: Run, datasource: Datasource, lake: Lake, limits: Limits, most: int) -> None:
        self._datasource = datasource
        self._lake = lake
        self._limits = limits
        self._identity = identity_of(datasource)
        self._of_content = identified_by_content(datasource)
        self._folder = object_keys.identities(run, identity_settings_hash(datasource))
        self._attempt = run.attempt
        self._most_bytes = most * IDENTITY_BYTES
        self._held_bytes = 0
        self._known: dict[str, bytes] = {}
        self._kept: set[str] = set()

    def look(self, records: list[Any]) -> Look:
        """The identities of a page's records, and a hash of their content."""
        if self._of_content:
            made = content = content_identities(records)
        else:
            made, content = b"".join(map(self._identity, records)), dumps(records)
        return Look(made, hashlib.sha256(content).hexdigest())

    def remember(self, page_hash: str, identities: bytes) -> None:
        """Take note of a page's records."""
        self._held_bytes += len(identities)
        if self._held_bytes <= self._most_bytes:
            self._known[page_hash] = identities

    def keep(self, number: int) -> None:
        """Have what this call has taken note of at hand for a later call.

        Args:
            number: that of the next page, which tells this call from the others.
        """
        mine = {page_hash: known for page_hash, known in self._known.items() if page_hash not in self._kept}
        if mine:
            sizes = orjson.dumps([[page_hash, len(known)] for page_hash, known in mine.items()])
            self._lake.put(f"{self._folder}/{self._attempt}-{number}", b"\n".join([sizes, b"".join(mine.values())]))

    async def load(self, pages: Iterable[PageReceipt]) -> None:
        """Have the identities of these pages at hand.

        Raises:
            UnreadableData: a page cannot be read by the datasource's present document.
        """
        wanted = {page.hash: page for page in pages if page.hash is not None}
        if not wanted.keys() <= self._known.keys():
            await asyncio.to_thread(self._load_kept)
        turns = asyncio.Semaphore(_LOADED_AT_ONCE)

        async def load(page_hash: str, page: PageReceipt) -> None:
            async with turns:
                self._known[page_hash] = await asyncio.to_thread(self._made_again, page_hash, page)

        missing = wanted.keys() - self._known.keys()
        await asyncio.gather(*(load(page_hash, wanted[page_hash]) for page_hash in missing))

    def of(self, page_hash: str | None) -> set[int]:
        """The identities of a page that was loaded, each once."""
        return set(array("Q", self._known[page_hash or ""]))

    def _load_kept(self) -> None:
        """Read what earlier calls have kept."""
        for key in self._lake.names(self._folder):
            sizes, _, identities = self._lake.get(key).partition(b"\n")
            at = 0
            for page_hash, size in orjson.loads(sizes):
                self._known.setdefault(page_hash, identities[at : at + size])
                self._kept.add(page_hash)
                at += size

    def _made_again(self, page_hash: str, page: PageReceipt) -> bytes:
        with (
            self._lake.raw(page_hash) as content,
            open_page(self._datasource, page, content, self._limits) as opened,
        ):
            return b"".join(map(self._identity, opened.records()))


@dataclass(frozen=True)
class Repeats:
    """Records that are on more than one page: how often they are there again, and two such pages."""

    count: int
    pages: tuple[int, int]


def repeats(pages: list[PageReceipt], identities: Identities) -> Repeats | None:
    """The records that came on more than one page; none when each page has its own.

    Memory is bounded: 8 bytes for each record, and a set of one bucket or of so many records at a time.
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
    """Whether no record is on two pages, which is so as a rule and takes a set of all to know."""
    seen: set[int] = set()
    for page in pages:
        present = identities.of(page.hash)
        if not seen.isdisjoint(present):
            return False
        seen |= present
    return True


def differences(pages: list[PageReceipt], others: list[PageReceipt], identities: Identities) -> int:
    """How many records are in one of two readings only."""
    buckets = zip(_buckets(pages, identities), _buckets(others, identities), strict=True)
    return sum(len(set(bucket) ^ set(other)) for bucket, other in buckets)


def _buckets(pages: list[PageReceipt], identities: Identities) -> Iterator[array[int]]:
    """The identities of all pages in parts that hold equal ones together."""
    buckets = [array("Q") for _ in range(_BUCKETS)]
    for page in pages:
        for identity in identities.of(page.hash):
            buckets[identity % _BUCKETS].append(identity)
    return iter(buckets)


def _twice(bucket: array[int]) -> int:
    seen: set[int] = set()
    return min(identity for identity in bucket if identity in seen or seen.add(identity))  # type: ignore[func-returns-value]


assert array("Q").itemsize == IDENTITY_BYTES
