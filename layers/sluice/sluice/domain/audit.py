"""Entries of the audit: who did what, when, from where, on which resource, and with which result."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import Field

from sluice.domain.base import Record
from sluice.domain.identity import Role
from sluice.domain.member import MemberRole

Outcome = Literal["succeeded", "refused", "failed", "unfinished"]


class AuditEntry(Record):
    """A recorded request.

    Besides `granted`, it has no values of the request: no body, headers, query parameters or secrets.
    """

    id: str = Field(description="The id of the entry, a ULID.")
    time: str = Field(description="When the request arrived, RFC 3339 in UTC.")
    principal: str | None = Field(
        None, description="Who sent it: `key/{id}` or the user of a token. Null: the credentials were not valid."
    )
    role: Role | None = Field(None, description="The role of the principal.")
    view_as: str | None = Field(
        None, description="The principal as whom an admin has read, by `view_as`. Null: the request was not such a one."
    )
    action: str | None = Field(None, description="The action that the route declares, such as `project.update`.")
    operation: str = Field(description="The operation of this API, such as `put_project`.")
    method: str = Field(description="The HTTP method.")
    path: str = Field(description="The path below `/v1`, without the query. API keys and tokens in it are masked.")
    resource: str = Field(
        description="What it acted on: the first two parts of the path, such as `projects/top-coins`; for a resource "
        "that was created, those of its `Location`; for a route that acts on no single resource, the first part."
    )
    fields: list[str] = Field(
        default_factory=list,
        description="The names of the top-level fields of the body that differ from what was stored; never values.",
    )
    granted: Role | MemberRole | None = Field(
        None,
        description="The role that the request gives to a member or to a new API key. Null: it gives none, or the body "
        "was not valid.",
    )
    version_before: str | None = Field(
        None, description="The ETag of the resource before the request. Null: it has none, or did not exist."
    )
    version: str | None = Field(None, description="The ETag in the answer. Null: it has none.")
    created: str | None = Field(None, description="What it created or started, such as `runs/{run_id}`. Null: nothing.")
    outcome: Outcome = Field(
        description="`succeeded`; `refused` by an answer 4xx; `failed` by an answer 5xx; `unfinished`: the request is "
        "still being processed, or its process ended before it recorded the answer, so it may have changed something."
    )
    status: int | None = Field(None, description="The HTTP status of the answer. Null: unfinished.")
    error: str | None = Field(
        None, description="The code of the problem that was answered, such as `forbidden`. Null: there is none."
    )
    replayed: bool = Field(
        False, description="Whether the answer is that of an earlier request with the same `Idempotency-Key`."
    )
    source_ip: str = Field(description="The IP address that the request came from.")
    user_agent: str = Field(description="The first 120 characters of its `User-Agent`.")
    correlation_id: str | None = Field(None, description="The id of the request in the logs.")


@dataclass(frozen=True)
class AuditFilter:
    """Which entries of the audit are read.

    Args:
        principal: only those of this principal.
        resource: only those of this resource.
        action: only those of this action.
        since: only those from this time on.
        until: only those before this time.
    """

    principal: str | None = None
    resource: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None
