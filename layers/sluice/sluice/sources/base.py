"""What every kind of datasource does: it fetches pages, and can be tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Protocol

from sluice.catalog.calls import Tally
from sluice.domain.datasource import Datasource
from sluice.domain.run import FetchIndex, PageReceipt, Run
from sluice.errors import Conflict
from sluice.settings import Settings

if TYPE_CHECKING:
    import httpx
    from mypy_boto3_s3 import S3Client

    from sluice.catalog.batches import Batches
    from sluice.catalog.runs import Pages, Runs
    from sluice.lake.store import Lake
    from sluice.sources.address import AddressPolicy


class HandOver(Exception):
    """The time of this call is nearly over: the next one goes on from the receipts."""


@dataclass(frozen=True)
class Checked:
    """What one live request has shown.

    Args:
        status: of HTTP; none where there was no answer, or the upstream has no such thing.
        records: how many the first page has.
        reason: why it failed.
    """

    ok: bool
    status: int | None
    elapsed_ms: int
    records: int | None
    reason: str | None


# Is given the receipt that a page would have, and its content.
Look = Callable[[PageReceipt, IO[bytes]], None]
# Gives a secret's value by its name.
Secret = Callable[[str], str]


@dataclass(frozen=True)
class Call:
    """One call of the fetch stage.

    Args:
        secret: gives a secret's value by its name, where the datasource may use it.
        seconds_left: how long the call may still run.
        count: stores how requests to the upstream were answered.
    """

    secret: Secret
    seconds_left: Callable[[], float]
    count: Callable[[Tally], None]


class Services(Protocol):
    """What sources work with; each is made when it is first used."""

    @property
    def settings(self) -> Settings: ...
    @property
    def lake(self) -> Lake: ...
    @property
    def pages(self) -> Pages: ...
    @property
    def runs(self) -> Runs: ...
    @property
    def batches(self) -> Batches: ...
    @property
    def s3(self) -> S3Client: ...
    def source_transport(self) -> httpx.AsyncBaseTransport: ...
    def address_policy(self) -> AddressPolicy: ...


class Source(Protocol):
    """One kind of datasource. Its documents are of the subclass of `Datasource` with the same kind."""

    def fetch(self, run: Run, datasource: Datasource, services: Services, call: Call) -> FetchIndex | None:
        """Bring every page of a run into the lake, each with its receipt; go on from the receipts that are there.

        Returns:
            What was fetched; none when there is nothing that the run could publish.

        Raises:
            HandOver: too little time is left; the step is called again.
            RunError: the pages cannot be had.
        """
        ...

    def check(self, datasource: Datasource, services: Services, secret: Secret) -> Checked:
        """Try the datasource with one live request; nothing is stored, nothing raised for what an upstream does.

        Raises:
            Conflict: there is nothing that could be asked.
        """
        ...

    def preview(self, datasource: Datasource, services: Services, secret: Secret, most: int, look: Look) -> int:
        """Look at the first pages; nothing is stored.

        Returns:
            How many there were.

        Raises:
            Conflict: there is nothing that could be asked.
            RunError: the pages cannot be had.
        """
        ...


class NothingToAsk:
    """The part of a source whose data arrives by itself."""

    def check(self, datasource: Datasource, services: Services, secret: Secret) -> Checked:
        """There is nothing to try.

        Raises:
            Conflict: always.
        """
        raise _nothing(datasource)

    def preview(self, datasource: Datasource, services: Services, secret: Secret, most: int, look: Look) -> int:
        """There is nothing to look at.

        Raises:
            Conflict: always.
        """
        raise _nothing(datasource)


def _nothing(datasource: Datasource) -> Conflict:
    return Conflict(f"A datasource of kind {datasource.kind} has no upstream that could be asked.")
