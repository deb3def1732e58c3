"""The composition root: the only place that creates real adapters, lazily and once per process."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluice.access.api_keys import KeyRing
from sluice.access.cursors import Cursors
from sluice.access.links import Links
from sluice.access.secret_use import SecretUse
from sluice.access.secrets import Secrets, SecretsRegistry
from sluice.access.tokens import Tokens
from sluice.catalog.assignments import Assignments
from sluice.catalog.batches import Batches, WaitingRuns
from sluice.catalog.calls import CallStatistics
from sluice.catalog.datasets import Datasets
from sluice.catalog.definitions import Definitions
from sluice.catalog.locks import Locks
from sluice.catalog.outbox import Outbox
from sluice.catalog.project_resources import ProjectResources
from sluice.catalog.publications import Publications
from sluice.catalog.reservations import Reservations
from sluice.catalog.runs import Pages, Runs
from sluice.catalog.slots import Slots
from sluice.catalog.table import Table
from sluice.catalog.test_results import TestResults
from sluice.lake.cache import FileCache
from sluice.lake.direct import DirectObjects
from sluice.lake.store import Lake
from sluice.platform.glue_tables import GlueTables
from sluice.platform.schedules import Schedules
from sluice.platform.workflows import Workflows
from sluice.settings import Settings, load_settings
from sluice.sources.file.inbox import Inbox

if TYPE_CHECKING:
    import httpx

    from sluice.access.directory import Directory
    from sluice.access.rate_limits import RateLimits
    from sluice.catalog.alarms import Alarms
    from sluice.catalog.assets import Assets
    from sluice.catalog.audit import AuditTrail
    from sluice.catalog.commits import Commits
    from sluice.catalog.deliveries import Deliveries
    from sluice.catalog.erasures import Erasures
    from sluice.catalog.inputs import Inputs
    from sluice.catalog.members import Members
    from sluice.catalog.operations import Operations
    from sluice.catalog.people import People
    from sluice.catalog.pins import Pins
    from sluice.catalog.quarantine import Quarantine
    from sluice.catalog.reading_files import ReadingFiles
    from sluice.catalog.readings import ReadingBlocks
    from sluice.catalog.subtasks import SubtaskStates
    from sluice.platform.functions import Functions
    from sluice.platform.message_queue import MessageQueue
    from sluice.platform.timers import Timers
    from sluice.platform.user_pool import UserPool
    from sluice.readings.known_sensors import SensorsInCatalog
    from sluice.sandbox.sandbox import Sandbox
    from sluice.sources.address import AddressPolicy


@lru_cache(maxsize=1)
def session() -> Any:
    """This process's botocore session; it loads each service's description once, however many clients there are."""
    from botocore.session import get_session

    return get_session()


def _send_at_once(request: Any, **_: Any) -> None:
    """Remove `Expect: 100-continue`: for a small page, waiting for S3's go-ahead would double the round trips."""
    del request.headers["Expect"]


class Container:
    """Every adapter that the layer's code needs, each created when it is first used."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def _client(self, service: Any, endpoint_url: str | None = None, **config: Any) -> Any:
        # botocore instead of boto3, imported here: boto3 would add 300 ms to every cold start.
        from botocore.config import Config

        # botocore's default mode does not retry all throttling errors, and its default time-outs of 60 s would
        # use up a function's time.
        retries: Any = {"mode": "standard", "max_attempts": 5}
        settings: Any = {"retries": retries, "connect_timeout": 5, "read_timeout": 60, **config}
        client_config = Config(**settings)
        return session().create_client(service, config=client_config, endpoint_url=endpoint_url)

    @cached_property
    def _dynamodb(self) -> Any:
        # botocore would check every value of every item: `catalog/table.py` encodes them and DynamoDB checks them.
        return self._client("dynamodb", parameter_validation=False)

    def _table(self, name: str) -> Table:
        return Table(self._dynamodb, name)

    @cached_property
    def s3(self) -> Any:
        """The S3 client."""
        client = self._client("s3")
        client.meta.events.register("before-sign.s3.PutObject", _send_at_once)
        return client

    @cached_property
    def definitions(self) -> Definitions:
        """The documents that users write."""
        return Definitions(self._table(self.settings.definitions_table), self.settings.workspace)

    @cached_property
    def reservations(self) -> Reservations:
        """The counts and names that the projects' tables reserve."""
        return Reservations(self._table(self.settings.definitions_table), self.settings.workspace)

    @cached_property
    def assets(self) -> Assets:
        """The sites, equipment and sensors."""
        from sluice.catalog.assets import Assets  # most functions know no assets

        return Assets(self._table(self.settings.definitions_table), self.settings.workspace)

    @cached_property
    def inputs(self) -> Inputs:
        """The inputs of algorithms."""
        from sluice.catalog.inputs import Inputs  # few functions know inputs

        return Inputs(self._table(self.settings.definitions_table), self.settings.workspace)

    @cached_property
    def members(self) -> Members:
        """With whom projects, datasources and inputs are shared."""
        from sluice.catalog.members import Members  # only functions with routes decide who sees what

        table = self._table(self.settings.definitions_table)
        return Members(table, self.definitions, self.settings.workspace)

    @cached_property
    def pins(self) -> Pins:
        """The versions of inputs that projects pin."""
        from sluice.catalog.pins import Pins

        table = self._table(self.settings.definitions_table)
        return Pins(table, self.definitions, self.settings.workspace)

    @cached_property
    def operations(self) -> Operations:
        """The operations on equipment."""
        from sluice.catalog.operations import Operations  # only the API reads them

        return Operations(self._table(self.settings.operations_table), self.settings.workspace)

    @cached_property
    def assignments(self) -> Assignments:
        """The assignments of datasources to projects."""
        table = self._table(self.settings.assignments_table)
        return Assignments(table, self.definitions, self.reservations, self.settings.workspace)

    @cached_property
    def runs(self) -> Runs:
        """The runs."""
        settings = self.settings
        table = self._table(settings.runs_table)
        return Runs(table, self.outbox, settings.workspace, settings.lease_seconds, settings.run_days)

    @cached_property
    def pages(self) -> Pages:
        """The page receipts."""
        return Pages(self._table(self.settings.pages_table), self.settings.workspace, self.settings.run_days)

    @cached_property
    def subtasks(self) -> SubtaskStates:
        """The restarts of runs of algorithms."""
        from sluice.catalog.subtasks import SubtaskStates  # few functions handle algorithms

        settings = self.settings
        return SubtaskStates(self._table(settings.subtasks_table), settings.workspace, settings.run_days)

    @cached_property
    def datasets(self) -> Datasets:
        """Versions and pointers."""
        settings = self.settings
        datasets, versions = self._table(settings.datasets_table), self._table(settings.versions_table)
        return Datasets(datasets, versions, self.publications, settings.workspace)

    @cached_property
    def commits(self) -> Commits:
        """The commits of versions."""
        from sluice.catalog.commits import Commits  # only the function commit needs it

        settings = self.settings
        tables = self._table(settings.datasets_table), self._table(settings.versions_table)
        return Commits(tables, self.datasets, self.runs, self.publications, settings.workspace)

    @cached_property
    def publications(self) -> Publications:
        """The history of publications."""
        return Publications(self._table(self.settings.datasets_table), self.outbox, self.settings.workspace)

    @cached_property
    def outbox(self) -> Outbox:
        """The events that followers have yet to get."""
        return Outbox(self._table(self.settings.datasets_table), self.settings.workspace)

    @cached_property
    def test_results(self) -> TestResults:
        """The latest results of tests."""
        return TestResults(self._table(self.settings.datasets_table), self.settings.workspace)

    @cached_property
    def calls(self) -> CallStatistics:
        """Statistics of the calls to upstreams."""
        return CallStatistics(self._table(self.settings.datasets_table), self.settings.workspace)

    @cached_property
    def erasures(self) -> Erasures:
        """Tombstones of erased records, and the changes of what is immutable otherwise."""
        from sluice.catalog.erasures import Erasures  # few functions erase or explain

        settings = self.settings
        return Erasures(
            self._table(settings.definitions_table),
            self._table(settings.datasets_table),
            self._table(settings.versions_table),
            self._table(settings.pages_table),
            self._table(settings.runs_table),
            self._table(settings.batches_table),
            self._table(settings.locks_table),
            self._table(settings.deliveries_table),
            settings.workspace,
        )

    @cached_property
    def batches(self) -> Batches:
        """Pushed records that wait for a run."""
        return Batches(self._table(self.settings.batches_table), self.settings.workspace)

    @cached_property
    def waiting_runs(self) -> WaitingRuns:
        """The queue of runs of dropped files."""
        return WaitingRuns(self._table(self.settings.batches_table), self.settings.workspace)

    @cached_property
    def reading_blocks(self) -> ReadingBlocks:
        """Recent readings and their rollups."""
        from sluice.catalog.readings import ReadingBlocks  # few functions handle readings

        settings = self.settings
        table = Table(self._direct_dynamodb(), settings.readings_table)
        return ReadingBlocks(table, settings.workspace, settings.reading_days)

    def _direct_dynamodb(self) -> Any:
        """The direct DynamoDB client for blocks of readings, see `catalog/direct.py`; tests override this."""
        from sluice.catalog.direct import DirectDynamoDB

        return DirectDynamoDB(self._dynamodb, session())

    @cached_property
    def reading_files(self) -> ReadingFiles:
        """The lake's files of readings."""
        from sluice.catalog.reading_files import ReadingFiles

        return ReadingFiles(self._table(self.settings.readings_table), self.settings.workspace)

    @cached_property
    def quarantine(self) -> Quarantine:
        """Refused readings."""
        from sluice.catalog.quarantine import Quarantine

        return Quarantine(self._table(self.settings.readings_table), self.settings.workspace)

    @cached_property
    def known_sensors(self) -> SensorsInCatalog:
        """Which sensors exist."""
        from sluice.readings.known_sensors import SensorsInCatalog

        return SensorsInCatalog(self.definitions, self.settings.known_sensor_seconds)

    @cached_property
    def slots(self) -> Slots:
        """Counting semaphores: a limited number of slots that runs or calls hold."""
        return Slots(self._table(self.settings.locks_table), self.settings.workspace)

    @cached_property
    def locks(self) -> Locks:
        """Locks, and the stored answers of idempotent requests."""
        return Locks(self._table(self.settings.locks_table), self.settings.workspace)

    @cached_property
    def audit(self) -> AuditTrail:
        """The audit."""
        from sluice.catalog.audit import AuditTrail  # most functions answer no requests

        settings = self.settings
        return AuditTrail(self._table(settings.audit_table), settings.workspace, settings.audit_days)

    @cached_property
    def rate_limits(self) -> RateLimits:
        """The rate limit of each caller of the API."""
        from sluice.access.rate_limits import RateLimits  # only the functions behind the API have callers

        return RateLimits(self.locks, self.settings.key_requests_per_second, self.settings.key_burst)

    @cached_property
    def _links(self) -> Any:
        """An S3 client for presigned URLs, which must have a host name that the outside can reach."""
        # SigV4, which presigned forms need. Path style, since an emulator's host name has no buckets in it.
        endpoint = self.settings.public_s3_url or None
        return self._client("s3", endpoint, signature_version="s3v4", s3={"addressing_style": "path"})

    @property
    def presigned_origin(self) -> str:
        """The scheme and host of presigned URLs."""
        scheme, _, rest = str(self._links.meta.endpoint_url).partition("://")
        return f"{scheme}://{rest.partition('/')[0]}"

    @cached_property
    def inbox(self) -> Inbox:
        """The bucket that files are dropped into."""
        return Inbox(self.s3, self._links, self.settings.inbox_bucket, self.settings.presigned_seconds)

    @cached_property
    def lake(self) -> Lake:
        """The lake."""
        settings = self.settings
        cache = FileCache(Path(settings.cache_dir or tempfile.gettempdir()) / "sluice", settings.cache_bytes)
        return Lake(
            self.s3,
            self._links,
            settings.lake_bucket,
            settings.workspace,
            cache,
            settings.presigned_seconds,
            self._direct_objects(),
        )

    def _direct_objects(self) -> DirectObjects | None:
        """The direct S3 client for pages, see `lake/direct.py`; tests override this."""
        return DirectObjects(self.s3, session(), self.settings.lake_bucket)

    @cached_property
    def glue_tables(self) -> GlueTables | None:
        """The Glue tables; null if the stack has no Glue database."""
        database = self.settings.glue_database
        if not database:
            return None
        # A follower that hangs holds up those behind it: better to fail soon and be tried again.
        patience: Any = {"read_timeout": 10, "retries": {"mode": "standard", "max_attempts": 2}}
        return GlueTables(self._client("glue", **patience), database, self.lake)

    def source_transport(self) -> httpx.AsyncBaseTransport:
        """A new HTTP transport for the requests of one run; it connects to allowed addresses only."""
        from sluice.sources.http.client import vetted_transport

        return vetted_transport(self.address_policy())

    def address_policy(self) -> AddressPolicy:
        """The policy of which addresses sources may connect to."""
        from sluice.sources.address import AddressPolicy  # only `fetch` and `probe` call sources

        settings = self.settings
        # A datasource must call neither this stack's API nor its S3 endpoint.
        own = [settings.public_url, settings.public_s3_url]
        return AddressPolicy(settings.private_networks, own, settings.aws_endpoint_url)

    @cached_property
    def sandbox(self) -> Sandbox:
        """The process that runs users' SQL."""
        from sluice.sandbox.sandbox import Sandbox  # most functions run no SQL

        return Sandbox(self.settings)

    @cached_property
    def secrets(self) -> Secrets:
        """The values of secrets."""
        return Secrets(self._client("ssm"), self.settings.stack, self.settings.workspace)

    @cached_property
    def secrets_registry(self) -> SecretsRegistry:
        """The catalog's entries of secrets, kept together with their values."""
        return SecretsRegistry(self.secrets, self.definitions)

    @cached_property
    def secret_use(self) -> SecretUse:
        """The rules for which datasource may use which secret."""
        return SecretUse(self.secrets, self.definitions, self.assignments)

    @cached_property
    def resources(self) -> ProjectResources:
        """The projects' models, reports, endpoints and links."""
        return ProjectResources(self.definitions, self.reservations)

    @cached_property
    def keys(self) -> KeyRing:
        """The API keys."""
        access = Definitions(self._table(self.settings.access_table), self.settings.workspace)
        return KeyRing(access, self.definitions, timedelta(seconds=self.settings.last_use_seconds))

    @cached_property
    def people(self) -> People:
        """The people who have signed in."""
        from sluice.catalog.people import People  # only two functions know people

        interval = timedelta(seconds=self.settings.last_use_seconds)
        return People(self._table(self.settings.access_table), self.settings.workspace, interval)

    @cached_property
    def user_pool(self) -> UserPool | None:
        """The stack's own user pool; null if it has none."""
        from sluice.platform.user_pool import UserPool  # few functions ask the user pool

        pool = self.settings.user_pool
        return UserPool(self._client("cognito-idp"), pool) if pool else None

    @cached_property
    def directory(self) -> Directory:
        """The people and API keys that something can be shared with."""
        from sluice.access.directory import Directory  # only one route searches it

        return Directory(self.people, self.keys, self.user_pool, self.settings.max_searched_people)

    @cached_property
    def tokens(self) -> Tokens:
        """Authentication by tokens of the OIDC issuer."""
        return Tokens(self.settings)

    @cached_property
    def cursors(self) -> Cursors:
        """Signed cursors of lists."""
        return Cursors(self.secrets.signing_key())

    @cached_property
    def links(self) -> Links:
        """The signed links."""
        return Links(self.definitions, self.resources, self.cursors)

    @cached_property
    def workflows(self) -> Workflows:
        """The state machines."""
        return Workflows(self._client("stepfunctions"), self.settings.workflow_prefix)

    @cached_property
    def undelivered(self) -> MessageQueue | None:
        """The queue of events that a function has failed on; null if the stack has none."""
        from sluice.platform.message_queue import MessageQueue  # only the sweep of `run_events` reads it

        url = self.settings.undelivered_queue
        # An emulator has one server, which misses no message.
        return MessageQueue(self._client("sqs"), url, 0 if self.settings.emulated else 1) if url else None

    @cached_property
    def alarms(self) -> Alarms:
        """The alarms of sensors."""
        from sluice.catalog.alarms import Alarms  # only functions with alarms need it

        settings = self.settings
        return Alarms(self._table(settings.alarms_table), self.outbox, settings.workspace, settings.alarm_days)

    @cached_property
    def deliveries(self) -> Deliveries:
        """The deliveries of events to webhooks."""
        from sluice.catalog.deliveries import Deliveries  # only functions with subscriptions need it

        settings = self.settings
        return Deliveries(self._table(settings.deliveries_table), settings.workspace, settings.webhook_days)

    @cached_property
    def webhook_secrets(self) -> Secrets:
        """The secrets that sign what is sent to webhooks."""
        return Secrets(self._client("ssm"), self.settings.stack, self.settings.workspace, "webhooks")

    @cached_property
    def functions(self) -> Functions:
        """Asynchronous calls of the stack's functions."""
        from sluice.platform.functions import Functions

        return Functions(self._client("lambda"))

    @cached_property
    def timers(self) -> Timers:
        """Timers in EventBridge Scheduler."""
        from sluice.platform.timers import Timers

        settings = self.settings
        return Timers(self._client("scheduler"), settings.schedule_group, settings.schedule_role, settings.workspace)

    @cached_property
    def schedules(self) -> Schedules:
        """The schedules in EventBridge Scheduler."""
        settings = self.settings
        scheduler = self._client("scheduler")
        return Schedules(
            scheduler, settings.schedule_group, settings.scheduled_function, settings.schedule_role, settings.workspace
        )


@lru_cache(maxsize=1)
def container() -> Container:
    """This process's container, with the settings of its environment."""
    return Container(load_settings())
