"""Recording requests in the audit, at one place for all routes."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any, Self, get_args

import orjson
from aws_lambda_powertools import Logger
from pydantic import BaseModel
from ulid import ULID

from sluice.api.call import Answer, Call
from sluice.api.routes import VIEW_AS, Route
from sluice.domain.audit import AuditEntry
from sluice.domain.member import principal_id
from sluice.domain.names import now, rfc3339
from sluice.domain.redact import mask_credentials
from sluice.errors import RequestError, SluiceError, TooManyRequests, Unavailable
from sluice.services import WithAudit

logger = Logger()
_USER_AGENT_CHARACTERS = 120
# A path of more segments or longer ones is none of this API's.
_PATH_CHARACTERS = 300
# `/vessels/{code}` is the same resource as `/sites/{code}`.
_COLLECTIONS = {"vessels": "sites"}


class RequestAudit:
    """Records one request, if its route or the setting `AUDIT_READS` says so, or an admin reads as somebody else.

    As a context manager, it records the error that the block is left with. Within the block, call `begin` before
    anything can be changed, and `end` with the answer.

    Args:
        call: the request, before its credentials are checked.
        services: the audit is made only for requests that are recorded.
    """

    def __init__(self, route: Route, call: Call, services: WithAudit) -> None:
        self._route = route
        self._services = services
        viewed = _viewed_principal(route, call)
        self._is_recorded = (
            route.is_audited
            or viewed is not None
            or (route.action is not None and route.action in call.settings.audit_reads.replace(" ", "").split(","))
        )
        self._has_begun = False
        if self._is_recorded:
            self._entry = _new_entry(route, call, viewed)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if not self._is_recorded or not isinstance(error, Exception):
            return
        status = error.status if isinstance(error, SluiceError) else SluiceError.status
        code = error.code if isinstance(error, SluiceError) else SluiceError.code
        # Overload must not be made worse by requests that it has refused.
        if isinstance(error, Unavailable | TooManyRequests) and not self._has_begun:
            return
        outcome = "refused" if isinstance(error, RequestError) else "failed"
        self._write_end({"status": status, "error": code, "outcome": outcome})

    def begin(self, call: Call) -> None:
        """Record that a request is about to be carried out, if it can change anything.

        Args:
            call: with its target.

        Raises:
            Unavailable: it cannot be recorded, and so must not be carried out.
        """
        if not self._is_recorded:
            return
        is_resource = len(self._route.path.strip("/").split("/")) == 2
        before = call.target.definition.etag if is_resource and call.target and call.target.definition else None
        self._entry = self._entry.model_copy(
            update={
                "fields": _changed_fields(self._route, call),
                "granted": _granted_role(self._route, call),
                "version_before": before,
            }
        )
        if self._route.changes:
            self._services.audit.begin(self._entry, names_resource=_names_resource(self._route))
            self._has_begun = True

    def end(self, call: Call, answer: Answer) -> None:
        """Record the answer.

        Raises:
            Unavailable: a read cannot be recorded, and so must not be answered.
        """
        if not self._is_recorded:
            return
        changes: dict[str, Any] = {
            "status": answer.status,
            "outcome": "succeeded",
            "replayed": answer.headers.get("Idempotent-Replayed") == "true",
        }
        if etag := answer.headers.get("ETag"):
            changes["version"] = etag.strip('"')
        if location := answer.headers.get("Location"):
            changes["created"] = audited_resource(location.removeprefix(call.base_url))
            if not _names_resource(self._route):
                changes["resource"] = changes["created"]
        if isinstance(answer.body, dict):
            # The fields of a kind of datasource are in its own model only, and so in what is answered.
            changes["fields"] = _changed_fields(self._route, call, answer.body)
        self._write_end(changes)

    def _write_end(self, changes: dict[str, Any]) -> None:
        entry = self._entry.model_copy(update=changes)
        logger.info("Request recorded in the audit.", audit=entry.model_dump(exclude={"correlation_id"}))
        try:
            self._services.audit.end(entry)
        except Unavailable:
            if not self._has_begun:
                raise
            # What was changed must be answered; the audit shows the request as unfinished.
            logger.exception("The answer to a request is not in the audit.")


def _viewed_principal(route: Route, call: Call) -> str | None:
    """The principal as whom the caller wants to read; None if there is none."""
    texts = call.query.get(VIEW_AS.name) if VIEW_AS in route.all_parameters else None
    return principal_id(texts[0]) if texts else None


def _new_entry(route: Route, call: Call, viewed: str | None) -> AuditEntry:
    path = mask_credentials(call.path.removeprefix("/v1"))[:_PATH_CHARACTERS]
    user_agent = mask_credentials("".join(filter(str.isprintable, call.header("user-agent") or "")))
    return AuditEntry(
        id=str(ULID()),
        time=rfc3339(now()),
        principal=call.caller.id if call.caller else None,
        role=call.caller.role if call.caller else None,
        view_as=viewed,
        action=route.action,
        operation=route.operation_id,
        method=call.method,
        path=path,
        resource=audited_resource(path) if _names_resource(route) else audited_resource(path).partition("/")[0],
        outcome="unfinished",
        source_ip=call.source_ip,
        user_agent=user_agent[:_USER_AGENT_CHARACTERS],
        correlation_id=call.request_id,
    )


def _names_resource(route: Route) -> bool:
    """Whether a route's path names a resource: `/projects/{slug}/runs` does, `/projects` does not."""
    return re.match(r"/[^/]+/\{", route.path) is not None


def audited_resource(path: str) -> str:
    """The resource of a path below `/v1`, as entries name it: its first two parts, a vessel as the site that it is."""
    # The Location of a link has its token in the query.
    collection, *names = path.partition("?")[0].strip("/").split("/")[:2]
    return "/".join([_COLLECTIONS.get(collection, collection), *names])


def _changed_fields(route: Route, call: Call, answered: dict[str, Any] | None = None) -> list[str]:
    """The names of the body's fields that differ from what is stored.

    Only names that the API knows are kept: an unknown one can be anything, such as a secret in the wrong place.
    """
    body = _body(route, call)
    definition = call.target.definition if call.target else None
    stored = definition.document if definition is not None else {}
    known = {*stored, *(answered or {})}
    if isinstance(route.body, type) and issubclass(route.body, BaseModel):
        known |= set(route.body.model_fields)
    return sorted(
        name for name, value in body.items() if name in known and (name not in stored or stored[name] != value)
    )


def _granted_role(route: Route, call: Call) -> str | None:
    """The role in the body of a route that grants one; None if it is none of those that the route knows.

    It is the only value that is kept: who may do what must be clear from the audit alone, and a word of a closed list
    is no secret.
    """
    if not isinstance(route.body, type) or not issubclass(route.body, BaseModel):
        return None
    field = route.body.model_fields.get("role")
    role = _body(route, call).get("role")
    return role if field is not None and role in get_args(field.annotation) else None


def _body(route: Route, call: Call) -> dict[str, Any]:
    # The bodies of other types are lists of readings and records, which have no fields of a resource.
    if route.body is None or (isinstance(route.body, dict) and route.body.get("type") != "object"):
        return {}
    try:
        body = orjson.loads(call.body())
    except (RequestError, orjson.JSONDecodeError):
        return {}
    return body if isinstance(body, dict) else {}
