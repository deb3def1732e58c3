"""Responses about the documents that users write: datasources, projects and their resources."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sluice.api.responses.base import Response, list_model, record_model, view_model
from sluice.domain.datasource import Datasource
from sluice.domain.endpoint import Endpoint
from sluice.domain.model import Model, TestResult
from sluice.domain.override import Override
from sluice.domain.project import Assignment, Project
from sluice.domain.report import Report

DatasourceView: Any = view_model(Datasource)
DatasourceViewList: Any = list_model(DatasourceView)
ProjectView: Any = view_model(Project)
ProjectViewList: Any = list_model(ProjectView)


class DatasourceStats(Response):
    """Statistics of the calls to an upstream: rates in percent, null without calls."""

    calls: int
    average_success_ms: float | None
    success_rate: float | None
    timeout_rate: float | None
    error_rate: float | None
    first_call: str | None
    last_call: str | None


AssignmentView: Any = record_model(
    "AssignmentView",
    Assignment,
    project=(str, ...),
    datasource=(str, ...),
    created_at=(str, ...),
    created_by=(str, ...),
    etag=(str, ...),
)
AssignmentViewList: Any = list_model(AssignmentView)

OverrideView: Any = record_model("OverrideView", Override, etag=(str, Field("", description="Absent in lists.")))
OverrideViewList: Any = list_model(OverrideView)


class TestResults(Response):
    """The latest results of a model's tests."""

    run: str
    checked_at: str
    results: list[TestResult]


_OF_PROJECT: dict[str, Any] = {"name": (str, ...), "project": (str, ...)}
ModelView: Any = view_model(Model, **_OF_PROJECT, test_results=(TestResults | None, ...))
ModelViewList: Any = list_model(ModelView)
ReportView: Any = view_model(Report, **_OF_PROJECT)
ReportViewList: Any = list_model(ReportView)
EndpointView: Any = view_model(Endpoint, **_OF_PROJECT)
EndpointViewList: Any = list_model(EndpointView)


class LinkView(Response):
    """A signed link."""

    id: str
    url: str
    target: str
    created_at: str
    created_by: str
    expires_at: str


LinkViewList: Any = list_model(LinkView)
