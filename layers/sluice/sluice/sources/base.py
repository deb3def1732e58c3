"""The protocol of a kind of datasource: fetching pages, a check and a preview."""

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
    from sluice.catalog.definitions import Definitions
    from sluice.catalog.reading_files import ReadingFiles
    from sluice.catalog.readings import ReadingBlocks
    from sluice.catalog.runs import Pages, Runs
    from sluice.lake.store import Lake
    from sluice.sources.address import AddressPolicy


class HandOver(Exception):
    """The time limit of this call is near; the next call continues from the stored receipts."""


@dataclass(frozen=True)
class CheckResult:
    """The result of one live request.

    Args:
        ok: whether the request succeeded and its page could be read.
        status: the HTTP status; None if there was no response, or the upstream does not speak HTTP.
        elapsed_ms: the duration of the check in milliseconds.
        records: the number of records of the first page; None if the check failed.
        reason: why the check failed; None if it succeeded.
    """

    ok: bool
    status: int | None
    elapsed_ms: int
    records: int | None
    reason: str | None


# Called with the receipt that a page would have, and its content.
PageVisitor = Callable[[PageReceipt, IO[bytes]], None]
# Returns the value of a secret by its name.
Secret = Callable[[str], str]


@dataclass(frozen=True)
class Call:
    """One call of the fetch stage.

    Args:
        secret: returns a secret's value by its name; raises an error if the datasource may not use it.
        seconds_left: returns the seconds until the call must end.
        count: stores the numbers and durations of requests to the upstream.
    """

    secret: Secret
    seconds_left: Callable[[], float]
    count: Callable[[Tally], None]


class Services(Protocol):
    """The services that sources use. The container creates each one on first use."""

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
    def definitions(self) -> Definitions: ...
    @property
    def reading_blocks(self) -> ReadingBlocks: ...
    @property
    def reading_files(self) -> ReadingFiles: ...
    @property
    def s3(self) -> S3Client: ...
    def source_transport(self) -> httpx.AsyncBaseTransport: ...
    def address_policy(self) -> AddressPolicy: ...


class Source(Protocol):
    """One kind of datasource. Its documents are instances of the subclass of `Datasource` with the same kind."""

    def fetch(self, run: Run, datasource: Datasource, services: Services, call: Call) -> FetchIndex | None:
        """Store every page of a run in the lake and its receipt in the catalog.

        The run may have receipts of an earlier call that was interrupted; fetching continues after them.

        Args:
            run: the run.
            datasource: the datasource's document, as the run has it.
            services: the lake, the catalog and the settings.
            call: the time limit and the secrets of this call.

        Returns:
            The index of the pages; None if there is nothing to publish.

        Raises:
            HandOver: too little time is left; the workflow calls the step again.
            RunError: the pages cannot be fetched; the run fails.
        """
        ...

    def check(self, datasource: Datasource, services: Services, secret: Secret) -> CheckResult:
        """Check the datasource with one live request; nothing is stored.

        Args:
            datasource: the datasource to check; it need not be stored.
            services: the settings and the network.
            secret: returns a secret's value by its name.

        Returns:
            The result. Errors of the upstream are part of it and are not raised.

        Raises:
            Conflict: the kind has no upstream.
        """
        ...

    def preview(
        self, datasource: Datasource, services: Services, secret: Secret, max_pages: int, visit: PageVisitor
    ) -> int:
        """Fetch the first pages and pass each to `visit`; nothing is stored.

        Args:
            datasource: the datasource to preview; it need not be stored.
            services: the settings and the network.
            secret: returns a secret's value by its name.
            max_pages: the most pages to fetch.
            visit: is called with each page; its body is closed afterwards.

        Returns:
            The number of pages.

        Raises:
            Conflict: the kind has no upstream.
            RunError: the pages cannot be fetched.
        """
        ...


class NoUpstream:
    """Base of sources whose data is sent to the platform: they can be neither checked nor previewed."""

    def check(self, datasource: Datasource, services: Services, secret: Secret) -> CheckResult:
        """Raise `Conflict`: there is no upstream to call."""
        raise _no_upstream(datasource)

    def preview(
        self, datasource: Datasource, services: Services, secret: Secret, max_pages: int, visit: PageVisitor
    ) -> int:
        """Raise `Conflict`: there is no upstream to call."""
        raise _no_upstream(datasource)


def _no_upstream(datasource: Datasource) -> Conflict:
    return Conflict(f"A datasource of kind {datasource.kind} has no upstream that can be called.")
