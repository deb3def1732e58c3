"""One protocol for each adapter of the container, for functions that say what they need.

A function that takes `services: Container` may use everything. One that takes a protocol composed of
these is held by mypy to what it names:

    class Services(WithLake, WithRuns, Protocol):
        "What the stage needs."
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sluice.access.api_keys import KeyRing
    from sluice.access.secret_use import SecretUse
    from sluice.catalog.assignments import Assignments
    from sluice.catalog.audit import AuditTrail
    from sluice.catalog.calls import CallStatistics
    from sluice.catalog.commits import Commits
    from sluice.catalog.datasets import Datasets
    from sluice.catalog.definitions import Definitions
    from sluice.catalog.inputs import Inputs
    from sluice.catalog.members import Members
    from sluice.catalog.people import People
    from sluice.catalog.pins import Pins
    from sluice.catalog.project_resources import ProjectResources
    from sluice.catalog.runs import Runs
    from sluice.catalog.subtasks import SubtaskStates
    from sluice.catalog.test_results import TestResults
    from sluice.lake.store import Lake
    from sluice.sandbox.sandbox import Sandbox
    from sluice.settings import Settings


class WithSettings(Protocol):
    """Has the settings."""

    @property
    def settings(self) -> Settings: ...


class WithDefinitions(Protocol):
    """Has what users wrote."""

    @property
    def definitions(self) -> Definitions: ...


class WithMembers(Protocol):
    """Has with whom resources are shared."""

    @property
    def members(self) -> Members: ...


class WithPeople(Protocol):
    """Has the people who have signed in."""

    @property
    def people(self) -> People: ...


class WithKeys(Protocol):
    """Has the API keys."""

    @property
    def keys(self) -> KeyRing: ...


class WithAssignments(Protocol):
    """Has which datasources are in which projects."""

    @property
    def assignments(self) -> Assignments: ...


class WithResources(Protocol):
    """Has the projects' models, reports, endpoints and links."""

    @property
    def resources(self) -> ProjectResources: ...


class WithInputs(Protocol):
    """Has the inputs of algorithms, and which versions projects pin."""

    @property
    def inputs(self) -> Inputs: ...

    @property
    def pins(self) -> Pins: ...


class WithRuns(Protocol):
    """Has the runs."""

    @property
    def runs(self) -> Runs: ...


class WithSubtasks(Protocol):
    """Has the restarts of runs of algorithms."""

    @property
    def subtasks(self) -> SubtaskStates: ...


class WithDatasets(Protocol):
    """Has versions and pointers."""

    @property
    def datasets(self) -> Datasets: ...


class WithCommits(Protocol):
    """Has the commits of versions."""

    @property
    def commits(self) -> Commits: ...


class WithTestResults(Protocol):
    """Has how tests have ended."""

    @property
    def test_results(self) -> TestResults: ...


class WithAudit(Protocol):
    """Has the audit."""

    @property
    def audit(self) -> AuditTrail: ...


class WithCalls(Protocol):
    """Has the statistics of calls of upstreams."""

    @property
    def calls(self) -> CallStatistics: ...


class WithLake(Protocol):
    """Has the lake."""

    @property
    def lake(self) -> Lake: ...


class WithSandbox(Protocol):
    """Has the process in which users' SQL is run."""

    @property
    def sandbox(self) -> Sandbox: ...


class WithSecretUse(Protocol):
    """Has which datasource may use which secret, and their values."""

    @property
    def secret_use(self) -> SecretUse: ...
