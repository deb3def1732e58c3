"""The composition root: the only place that creates real adapters, lazily and once per process."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluice.access.api_keys import KeyRing
from sluice.access.cursors import Cursors
from sluice.access.secrets import Secrets, SecretsRegistry
from sluice.catalog.definitions import Definitions
from sluice.container.catalog import Catalog
from sluice.platform.workflows import Workflows
from sluice.settings import load_settings

if TYPE_CHECKING:
    import httpx

    from sluice.access.directory import Directory
    from sluice.access.links import Links
    from sluice.access.rate_limits import RateLimits
    from sluice.access.secret_use import SecretUse
    from sluice.access.tokens import Tokens
    from sluice.lake.store import Lake
    from sluice.platform.functions import Functions
    from sluice.platform.glue_tables import GlueTables
    from sluice.platform.message_queue import MessageQueue
    from sluice.platform.schedules import Schedules
    from sluice.platform.timers import Timers
    from sluice.platform.user_pool import UserPool
    from sluice.readings.known_sensors import SensorsInCatalog
    from sluice.sandbox.sandbox import Sandbox
    from sluice.sources.address import AddressPolicy
    from sluice.sources.file.inbox import Inbox


class Container(Catalog):
    """Every adapter that the layer's code needs, each created when it is first used."""

    @cached_property
    def known_sensors(self) -> SensorsInCatalog:
        """Which sensors exist."""
        from sluice.readings.known_sensors import SensorsInCatalog

        return SensorsInCatalog(self.definitions, self.settings.known_sensor_seconds)

    @cached_property
    def rate_limits(self) -> RateLimits:
        """The rate limit of each caller of the API."""
        from sluice.access.rate_limits import RateLimits  # only the functions behind the API have callers

        return RateLimits(self.locks, self.settings.key_requests_per_second, self.settings.key_burst)

    @property
    def s3(self) -> Any:
        """The S3 client."""
        return self.clients.s3

    @property
    def presigned_origin(self) -> str:
        """The scheme and host of presigned URLs."""
        scheme, _, rest = str(self.clients.presigning.meta.endpoint_url).partition("://")
        return f"{scheme}://{rest.partition('/')[0]}"

    @cached_property
    def inbox(self) -> Inbox:
        """The bucket that files are dropped into."""
        from sluice.sources.file.inbox import Inbox  # few functions know dropped files

        clients, settings = self.clients, self.settings
        return Inbox(clients.s3, clients.presigning, settings.inbox_bucket, settings.presigned_seconds)

    @cached_property
    def lake(self) -> Lake:
        """The lake."""
        from sluice.lake.cache import FileCache  # some functions know only the catalog
        from sluice.lake.store import Lake

        clients, settings = self.clients, self.settings
        cache = FileCache(Path(settings.cache_dir or tempfile.gettempdir()) / "sluice", settings.cache_bytes)
        return Lake(
            clients.s3,
            clients.presigning,
            settings.lake_bucket,
            settings.workspace,
            cache,
            settings.presigned_seconds,
            clients.direct_objects(),
        )

    @cached_property
    def glue_tables(self) -> GlueTables | None:
        """The Glue tables; null if the stack has no Glue database."""
        database = self.settings.glue_database
        if not database:
            return None
        from sluice.platform.glue_tables import GlueTables  # only one follower keeps them

        # A follower that hangs holds up those behind it: better to fail soon and be tried again.
        patience: Any = {"read_timeout": 10, "retries": {"mode": "standard", "max_attempts": 2}}
        return GlueTables(self.clients.make("glue", **patience), database, self.lake)

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
        return Secrets(self.clients.make("ssm"), self.settings.stack, self.settings.workspace)

    @cached_property
    def secrets_registry(self) -> SecretsRegistry:
        """The catalog's entries of secrets, kept together with their values."""
        return SecretsRegistry(self.secrets, self.definitions)

    @cached_property
    def secret_use(self) -> SecretUse:
        """The rules for which datasource may use which secret."""
        from sluice.access.secret_use import SecretUse  # only functions that call upstreams, or let them be called

        return SecretUse(self.secrets, self.definitions, self.assignments)

    @cached_property
    def keys(self) -> KeyRing:
        """The API keys."""
        access = Definitions(self._table(self.settings.access_table), self.settings.workspace)
        return KeyRing(access, self.definitions, timedelta(seconds=self.settings.last_use_seconds))

    @cached_property
    def user_pool(self) -> UserPool | None:
        """The stack's own user pool; null if it has none."""
        from sluice.platform.user_pool import UserPool  # few functions ask the user pool

        pool = self.settings.user_pool
        return UserPool(self.clients.make("cognito-idp"), pool) if pool else None

    @cached_property
    def directory(self) -> Directory:
        """The people and API keys that something can be shared with."""
        from sluice.access.directory import Directory  # only one route searches it

        return Directory(self.people, self.keys, self.user_pool, self.settings.max_searched_people)

    @cached_property
    def tokens(self) -> Tokens:
        """Authentication by tokens of the OIDC issuer."""
        from sluice.access.tokens import Tokens  # only the authorizer checks tokens

        return Tokens(self.settings)

    @cached_property
    def cursors(self) -> Cursors:
        """Signed cursors of lists."""
        return Cursors(self.secrets.signing_key())

    @cached_property
    def links(self) -> Links:
        """The signed links."""
        from sluice.access.links import Links  # few functions know signed links

        return Links(self.definitions, self.resources, self.cursors)

    @cached_property
    def workflows(self) -> Workflows:
        """The state machines."""
        return Workflows(self.clients.make("stepfunctions"), self.settings.workflow_prefix)

    @cached_property
    def undelivered(self) -> MessageQueue | None:
        """The queue of events that a function has failed on; null if the stack has none."""
        from sluice.platform.message_queue import MessageQueue  # only the sweep of `run_events` reads it

        url = self.settings.undelivered_queue
        # An emulator has one server, which misses no message.
        return MessageQueue(self.clients.make("sqs"), url, 0 if self.settings.emulated else 1) if url else None

    @cached_property
    def webhook_secrets(self) -> Secrets:
        """The secrets that sign what is sent to webhooks."""
        return Secrets(self.clients.make("ssm"), self.settings.stack, self.settings.workspace, "webhooks")

    @cached_property
    def functions(self) -> Functions:
        """Asynchronous calls of the stack's functions."""
        from sluice.platform.functions import Functions

        return Functions(self.clients.make("lambda"))

    @cached_property
    def timers(self) -> Timers:
        """Timers in EventBridge Scheduler."""
        from sluice.platform.timers import Timers

        settings = self.settings
        scheduler = self.clients.make("scheduler")
        return Timers(scheduler, settings.schedule_group, settings.schedule_role, settings.workspace)

    @cached_property
    def schedules(self) -> Schedules:
        """The schedules in EventBridge Scheduler."""
        from sluice.platform.schedules import Schedules  # only the API changes schedules

        settings = self.settings
        scheduler = self.clients.make("scheduler")
        return Schedules(
            scheduler, settings.schedule_group, settings.scheduled_function, settings.schedule_role, settings.workspace
        )


@lru_cache(maxsize=1)
def container() -> Container:
    """This process's container, with the settings of its environment."""
    return Container(load_settings())
