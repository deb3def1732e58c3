"""Responses about the documents that users write: datasources, projects and their resources."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sluice.api.responses.base import (
    CreatedAt,
    CreatedBy,
    ETag,
    ProjectSlug,
    Response,
    RunId,
    list_model,
    record_model,
    view_model,
)
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

    calls: int = Field(description="How many calls were sent since the datasource was created, retries included.")
    average_success_ms: float | None = Field(
        description="The average duration of the successful calls, in milliseconds. Null: there were none."
    )
    success_rate: float | None = Field(
        description="The share of calls that succeeded, in percent. Null: there were no calls."
    )
    timeout_rate: float | None = Field(
        description="The share of calls that got no response in time, in percent. Null: there were no calls."
    )
    error_rate: float | None = Field(
        description="The share of calls that failed otherwise, in percent. Null: there were no calls."
    )
    first_call: str | None = Field(description="When the first call ended, RFC 3339 in UTC. Null: there were no calls.")
    last_call: str | None = Field(description="When the latest call ended, RFC 3339 in UTC. Null: there were no calls.")


AssignmentView: Any = record_model(
    "AssignmentView",
    Assignment,
    project=(ProjectSlug, ...),
    datasource=(str, Field(description="The slug of the datasource.")),
    created_at=(CreatedAt, ...),
    created_by=(CreatedBy, ...),
    etag=(ETag, ...),
)
AssignmentViewList: Any = list_model(AssignmentView)

OverrideView: Any = record_model("OverrideView", Override, etag=(ETag, ...))
OverrideViewList: Any = list_model(OverrideView)


class TestResults(Response):
    """The latest results of a model's tests."""

    run: RunId
    checked_at: str = Field(description="When the tests ran, RFC 3339 in UTC.")
    results: list[TestResult] = Field(description="The result of each test, in the order of the document.")


_OF_PROJECT: dict[str, Any] = {
    "name": (str, Field(description="The name in URLs and, for a model, in SQL; unique in the project.")),
    "project": (ProjectSlug, ...),
}
ModelView: Any = view_model(
    Model,
    **_OF_PROJECT,
    test_results=(TestResults | None, Field(description="The latest results of its tests. Null: they have not run.")),
)
ModelViewList: Any = list_model(ModelView)
ReportView: Any = view_model(Report, **_OF_PROJECT)
ReportViewList: Any = list_model(ReportView)
EndpointView: Any = view_model(Endpoint, **_OF_PROJECT)
EndpointViewList: Any = list_model(EndpointView)


class LinkView(Response):
    """A signed link."""

    id: str = Field(description="The id of the link, for `DELETE /projects/{slug}/links/{link_id}`.")
    url: str = Field(description="The address to give away; whoever has it can read the target.")
    target: str = Field(description="What the link opens, with its query parameters.")
    created_at: CreatedAt
    created_by: CreatedBy
    expires_at: str = Field(
        description="When the link stops working, RFC 3339 in UTC; earlier if the key that created it is revoked."
    )


LinkViewList: Any = list_model(LinkView)
