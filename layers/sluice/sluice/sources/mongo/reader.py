"""Reading a collection in the order of `_id`: one cursor, and another one behind the last document if it breaks."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from secrets import token_hex
from typing import Any

from bson.timestamp import Timestamp

from sluice.domain.datasource.mongo_source import MongoSource
from sluice.errors import RunError, SourceRefused, SourceUnreachable, UnreadableData
from sluice.sources.base import HandOver
from sluice.sources.mongo.connection import Connection, MongoTools, connected
from sluice.sources.mongo.documents import Documents, query_of, value_of
from sluice.sources.mongo.faults import Broken
from sluice.sources.mongo.order import after
from sluice.sources.mongo.pages import MongoPage, PageCutter, Place

# The first documents that are asked for: nobody knows yet how large they are.
_FIRST_DOCUMENTS = 100
_BATCH_BYTES = 2_000_000


async def read_pages(source: MongoSource, tools: MongoTools, begin: Place) -> AsyncGenerator[MongoPage, None]:
    """The raw pages of the documents that the source selects, from a place on; none where there are no more.

    A connection or cursor that breaks is followed by another one, which goes on behind the last document.

    Raises:
        HandOver: the time that is left is too short for more; all pages before are whole.
        AddressForbidden: no host of the URI may be called.
        SecretMissing, SecretForbidden, SecretUnusable: there is no usable URI.
        SourceUnreachable: no server could be read after every try.
        SourceRefused: the server refuses the user or the query, or worked too long.
        UnreadableData, DataTooLarge: a document cannot be kept.
    """
    place, tries = begin, 0
    while True:
        try:
            async with aclosing(_pages(source, tools, place)) as pages:
                async for page in pages:
                    if page.rows:
                        tries = 0
                        yield page
                    place = page.place
            return
        except Broken as error:
            tries += 1
            if tries >= tools.settings.fetch_attempts:
                attempts = "1 try" if tries == 1 else f"{tries} tries"
                raise SourceUnreachable(
                    f"No server of the URI in the secret {source.uri!r} could be read after {attempts}: {error.reason}."
                ) from None
        await asyncio.sleep(_pause(tries, tools))


def _pause(tries: int, tools: MongoTools) -> float:
    settings = tools.settings
    longest = min(settings.fetch_max_backoff_seconds, settings.fetch_backoff_seconds * 2 ** (tries - 1))
    return random.uniform(0, longest)  # noqa: S311 - it decides about a pause only


async def _pages(source: MongoSource, tools: MongoTools, begin: Place) -> AsyncGenerator[MongoPage, None]:
    """The pages that one cursor gives; what it gave before it broke is a page, too."""
    cutter = PageCutter(source, tools.settings, begin)
    async with connected(source, tools) as connection:
        cursor = Cursor(connection, source, tools, begin)
        ended: BaseException | None = None
        batch = min(_FIRST_DOCUMENTS, max(source.page_documents, 2))  # the last one is kept back
        try:
            waiting = asyncio.ensure_future(cursor.begin(batch))
            while documents := await _awaited(waiting, tools):
                waiting = asyncio.ensure_future(cursor.more(min(batch, cutter.room(len(documents)))))
                await asyncio.sleep(0)  # so that the request is on its way while these documents become a page
                for page in cutter.add(documents, cursor.snapshot):
                    yield page
                batch = cutter.adapted(batch, _BATCH_BYTES)
            for page in cutter.end(cursor.snapshot):
                yield page
        except (Broken, HandOver) as error:
            ended = error
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            if not isinstance(ended, Broken):
                await cursor.aclose()
        last = cutter.last(cursor.snapshot)
        if last.rows:
            yield last
        if isinstance(ended, Broken) and ended.snapshot_lost:
            yield MongoPage(b"", 0, {}, Place(last.place.after))  # what follows is read in another snapshot
        if ended is not None:
            raise ended


async def _awaited(waiting: asyncio.Task[Documents], tools: MongoTools) -> Documents:
    """The documents that were asked for, where they come in time.

    Raises:
        HandOver: they do not.
    """
    left = tools.seconds_left() - tools.settings.fetch_reserve_seconds
    done, _ = await asyncio.wait({waiting}, timeout=max(0.0, left))
    if not done or left <= 0:
        raise HandOver
    return waiting.result()


class Cursor:
    """One cursor of the server, in the order of `_id`, in a snapshot where the server offers one.

    Args:
        begin: where it begins.
    """

    def __init__(self, connection: Connection, source: MongoSource, tools: MongoTools, begin: Place) -> None:
        self._connection = connection
        self._source = source
        self._tally = tools.tally
        self._begin = begin
        self._id = 0
        self.snapshot: str | None = None

    async def begin(self, most: int) -> Documents:
        """The first documents; none where there are none.

        Raises:
            Broken, RunError: as `Connection.command`.
        """
        if not self._connection.offers_snapshots:
            return await self._find(most, None)
        at = _time_of(self._begin.snapshot)
        try:
            return await self._find(most, {"level": "snapshot", **({"atClusterTime": at} if at else {})})
        except Broken as error:
            if not error.snapshot_lost or at is None:
                raise
            return await self._find(most, {"level": "snapshot"})
        except SourceRefused:
            # Some collections and servers have none; a query that is wrong is refused once more.
            return await self._find(most, None)

    async def _find(self, most: int, snapshot: Mapping[str, Any] | None) -> Documents:
        source, concern = self._source, self._connection.read_concern
        command: dict[str, Any] = {"find": source.collection, "filter": _filter(source, self._begin)}
        projection = _projection(source)
        if projection is not None:
            command["projection"] = projection
        command |= {"sort": {"_id": 1}, "batchSize": most, "maxTimeMS": 1000 * source.max_time_seconds}
        if snapshot is not None or concern is not None:
            command["readConcern"] = snapshot or {"level": concern}
        answer = await self._connection.command(command, self._tally)
        documents = self._taken(answer, "firstBatch")
        if snapshot is not None:
            time = answer["cursor"].get("atClusterTime")
            # A snapshot without a time is one that no other cursor can read.
            self.snapshot = f"{time.time}.{time.inc}" if isinstance(time, Timestamp) else token_hex(4)
        return documents or await self.more(most)

    async def more(self, most: int) -> Documents:
        """The next documents; none at the end.

        Raises:
            Broken, RunError: as `Connection.command`.
        """
        while self._id:  # batches may be empty before the end
            command = {"getMore": self._id, "collection": self._source.collection, "batchSize": most}
            documents = self._taken(await self._connection.command(command, self._tally), "nextBatch")
            if documents:
                return documents
        return []

    def _taken(self, answer: Mapping[str, Any], name: str) -> Documents:
        try:
            cursor = answer["cursor"]
            self._id = cursor["id"]
            documents = cursor[name]
        except (KeyError, TypeError):
            raise _no_documents() from None
        if not isinstance(self._id, int) or type(documents) is not list:
            raise _no_documents()
        for document in documents:
            if type(document) is not dict:
                raise _no_documents()
            if "_id" not in document:
                raise UnreadableData("The server sent a document without the _id that was asked for.")
        return documents

    async def aclose(self) -> None:
        """Have the server forget the cursor."""
        if self._id:
            with suppress(Broken, RunError):
                command = {"killCursors": self._source.collection, "cursors": [self._id]}
                await self._connection.command(command, self._tally)


def _no_documents() -> UnreadableData:
    return UnreadableData("The server's answer has no documents.")


def _filter(source: MongoSource, begin: Place) -> dict[str, Any]:
    selected = query_of(source.filter)
    if begin.after is None:
        return selected
    behind = after(value_of(begin.after))
    return {"$and": [selected, behind]} if selected else behind


def _projection(source: MongoSource) -> dict[str, Any] | None:
    """The projection with `_id`, which is needed to go on."""
    if source.projection is None:
        return None
    fields = {key: value for key, value in query_of(source.projection).items() if key != "_id"}
    return fields or ({"_id": 1} if source.keeps_id else None)


def _time_of(snapshot: str | None) -> Timestamp | None:
    seconds, point, increment = (snapshot or "").partition(".")
    return Timestamp(int(seconds), int(increment)) if point else None
