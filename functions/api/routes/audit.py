"""The audit: who did what, when, from where, on which resource, and with which result."""

from typing import Any

from sluice.api.audit import audited_resource
from sluice.api.call import Answer, Call
from sluice.api.routes import CURSOR, Parameter, Routes
from sluice.container import Container
from sluice.domain.audit import AuditEntry, AuditFilter
from sluice.domain.json_text import dumps
from sluice.domain.member import require_principal
from sluice.errors import Invalid
from sluice.reads.csv_text import csv_header, csv_rows

routes = Routes("audit")
_FORMATS = ("json", "jsonl", "csv")
_MEDIA_TYPES = ("application/json", "application/x-ndjson", "text/csv")
_PARAMETERS = [
    Parameter("principal", "Only requests of this principal, such as `key:3f9c2k7d1m5x`."),
    Parameter("resource", "Only requests that acted on this resource, such as `projects/top-coins`."),
    Parameter("action", "Only requests of this action, such as `project.update`."),
    Parameter("since", "Only requests from this time on.", {"type": "string", "format": "date-time"}),
    Parameter("until", "Only requests before this time.", {"type": "string", "format": "date-time"}),
    Parameter("format", "The format of the answer.", {"type": "string", "enum": list(_FORMATS), "default": "json"}),
    Parameter(
        "limit",
        "The most entries of a page; default: 50, or 10000 for `jsonl` and `csv`. A page can have fewer although "
        "others follow.",
        {"type": "integer", "minimum": 1, "maximum": 10_000},
    ),
    CURSOR,
]


@routes.get(
    "/audit",
    "audit.read",
    answer="AuditEntryViewList",
    media_types=_MEDIA_TYPES,
    parameters=_PARAMETERS,
    audited=True,
)
def list_audit(call: Call, services: Container) -> Answer:
    """The requests that changed something, were refused, or read what is confidential, newest first.

    An entry appears as soon as its request is answered, and is never changed. In `jsonl` and `csv` the header
    `X-Sluice-Next` has the cursor of the next page.
    """
    output_format = call.choice("format", _FORMATS, "json")
    audit_filter, bound = _filter(call)
    before = services.cursors.open(bound, call.query_value("cursor"))
    limit = _limit(call, output_format)
    entries, following = services.audit.page(audit_filter, limit, before, call.settings.audit_read_entries)
    cursor = services.cursors.seal(bound, following) if following is not None else None
    if output_format == "json":
        return Answer({"items": [entry.model_dump() for entry in entries], "next": cursor})
    headers = {"X-Sluice-Next": cursor} if cursor else {}
    content, media_type = (
        (_csv(entries), _MEDIA_TYPES[2]) if output_format == "csv" else (_jsonl(entries), _MEDIA_TYPES[1])
    )
    return Answer(
        content, headers=headers, media_type=f"{media_type}; charset=utf-8", filename=f"audit.{output_format}"
    )


def _filter(call: Call) -> tuple[AuditFilter, list[Any]]:
    """The filter of the query parameters, and what its cursors are bound to."""
    since, until = call.moment("since"), call.moment("until")
    if since is not None and until is not None and since >= until:
        message = "`until` must be after `since`."
        raise Invalid(message, [{"pointer": "?until", "message": message}])
    principal = call.query_value("principal")
    principal = principal and require_principal(principal, "?principal")
    resource = call.query_value("resource")
    resource = resource and audited_resource(resource)
    audit_filter = AuditFilter(principal, resource, call.query_value("action"), since, until)
    times = [moment and moment.isoformat() for moment in (since, until)]
    for name in ("principal", "resource", "action"):
        if len(call.query_value(name) or "") > 1_000:  # DynamoDB would refuse it as a key
            raise Invalid(f"{name} is too long.", [{"pointer": f"?{name}", "message": "Send at most 1000 characters."}])
    return audit_filter, ["audit", principal, resource, audit_filter.action, times]


def _limit(call: Call, output_format: str) -> int:
    """The size of a page; that of a file is large, since a program that reads a file seldom follows `next`."""
    most = call.settings.audit_export_entries
    return call.limit() if output_format == "json" else call.integer("limit", most, 1, most)


def _jsonl(entries: list[AuditEntry]) -> bytes:
    return b"".join(dumps(entry.model_dump()) + b"\n" for entry in entries)


def _csv(entries: list[AuditEntry]) -> bytes:
    names = list(AuditEntry.model_fields)
    types = ["json" if name == "fields" else "string" for name in names]
    rows = ([_text(getattr(entry, name)) for name in names] for entry in entries)
    return (csv_header(names) + csv_rows(types, rows)).encode()


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else value
