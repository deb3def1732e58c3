"""Answers about what users write: datasources, projects and all that belongs to them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sluice.api.responses.base import Response, complete, listed, shown
from sluice.domain.datasource import Datasource
from sluice.domain.endpoint import Endpoint
from sluice.domain.model import Model, TestResult
from sluice.domain.override import Override
from sluice.domain.project import Assignment, Project
from sluice.domain.report import Report

DatasourceView: Any = shown(Datasource)
DatasourceViewList: Any = listed(DatasourceView)
ProjectView: Any = shown(Project)
ProjectViewList: Any = listed(ProjectView)


class DatasourceStats(Response):
    """How an upstream has answered: rates in percent, null with 0 calls."""

    calls: int
    average_success_ms: float | None
    success_rate: float | None
    timeout_rate: float | None
    error_rate: float | None
    first_call: str | None
    last_call: str | None


AssignmentView: Any = complete(
    "AssignmentView",
    Assignment,
    project=(str, ...),
    datasource=(str, ...),
    created_at=(str, ...),
    created_by=(str, ...),
    etag=(str, ...),
)
AssignmentViewList: Any = listed(AssignmentView)

OverrideView: Any = complete("OverrideView", Override, etag=(str, Field("", description="Absent in lists.")))
OverrideViewList: Any = listed(OverrideView)


class TestResults(Response):
    """How the tests of a model have ended last."""

    run: str
    checked_at: str
    results: list[TestResult]


_OF_PROJECT: dict[str, Any] = {"name": (str, ...), "project": (str, ...)}
ModelView: Any = shown(Model, **_OF_PROJECT, test_results=(TestResults | None, ...))
ModelViewList: Any = listed(ModelView)
ReportView: Any = shown(Report, **_OF_PROJECT)
ReportViewList: Any = listed(ReportView)
EndpointView: Any = shown(Endpoint, **_OF_PROJECT)
EndpointViewList: Any = listed(EndpointView)


class LinkView(Response):
    """A signed link."""

    id: str
    url: str
    target: str
    created_at: str
    created_by: str
    expires_at: str


LinkViewList: Any = listed(LinkView)
