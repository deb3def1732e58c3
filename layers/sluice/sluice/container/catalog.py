"""The adapters of the catalog, each made of one or more DynamoDB tables."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from sluice.catalog.assignments import Assignments
from sluice.catalog.datasets import Datasets
from sluice.catalog.definitions import Definitions
from sluice.catalog.locks import Locks
from sluice.catalog.outbox import Outbox
from sluice.catalog.project_resources import ProjectResources
from sluice.catalog.publications import Publications
from sluice.catalog.reservations import Reservations
from sluice.catalog.runs import Pages, Runs
from sluice.catalog.table import Table
from sluice.container.clients import Clients
from sluice.settings import Settings

if TYPE_CHECKING:
    from sluice.catalog.alarms import Alarms
    from sluice.catalog.assets import Assets
    from sluice.catalog.audit import AuditTrail
    from sluice.catalog.batches import Batches, WaitingRuns
    from sluice.catalog.calls import CallStatistics
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
    from sluice.catalog.slots import Slots
    from sluice.catalog.subtasks import SubtaskStates
    from sluice.catalog.test_results import TestResults


class Catalog:
    """Every adapter of the catalog, each created when it is first used."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clients = Clients(settings)

    def _table(self, name: str) -> Table:
        return Table(self.clients.dynamodb, name)

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
    def resources(self) -> ProjectResources:
        """The projects' models, reports, endpoints and links."""
        return ProjectResources(self.definitions, self.reservations)

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
        from sluice.catalog.test_results import TestResults  # few functions know tests

        return TestResults(self._table(self.settings.datasets_table), self.settings.workspace)

    @cached_property
    def calls(self) -> CallStatistics:
        """Statistics of the calls to upstreams."""
        from sluice.catalog.calls import CallStatistics  # only functions that call upstreams count the calls

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
        from sluice.catalog.batches import Batches  # few functions know pushed records

        return Batches(self._table(self.settings.batches_table), self.settings.workspace)

    @cached_property
    def waiting_runs(self) -> WaitingRuns:
        """The queue of runs of dropped files."""
        from sluice.catalog.batches import WaitingRuns  # only functions that start or end runs know the queue

        return WaitingRuns(self._table(self.settings.batches_table), self.settings.workspace)

    @cached_property
    def reading_blocks(self) -> ReadingBlocks:
        """Recent readings and their rollups."""
        from sluice.catalog.readings import ReadingBlocks  # few functions handle readings

        settings = self.settings
        table = Table(self.clients.direct_dynamodb(), settings.readings_table)
        return ReadingBlocks(table, settings.workspace, settings.reading_days)

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
    def slots(self) -> Slots:
        """Counting semaphores: a limited number of slots that runs or calls hold."""
        from sluice.catalog.slots import Slots  # few functions limit what is done at a time

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
    def people(self) -> People:
        """The people who have signed in."""
        from sluice.catalog.people import People  # only two functions know people

        interval = timedelta(seconds=self.settings.last_use_seconds)
        return People(self._table(self.settings.access_table), self.settings.workspace, interval)

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
