"""Inputs from workbooks."""

from pathlib import Path

from sluice import __version__
from sluice.api.call import Answer, Call
from sluice.api.inputs import current_etag, inline, optional_kind, raw_json, written_headers
from sluice.api.resources import retry_overtaken_write
from sluice.api.routes import IDEMPOTENCY_KEY, IF_MATCH, Parameter, Routes
from sluice.catalog.definitions import Definition
from sluice.catalog.inputs import latest_version
from sluice.container import Container
from sluice.errors import Invalid, NotFound
from sluice.inputs.check import check_workbook, require_no_errors
from sluice.inputs.kinds import KINDS
from sluice.inputs.service import checked_content, write_input
from sluice.inputs.workbooks import write_blank_workbook

routes = Routes("inputs")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_BODY = {
    "type": "string",
    "format": "binary",
    "description": f"The bytes of an XLSX workbook, with `Content-Type: {XLSX}` or `application/octet-stream`.",
}
_WITH_WORKBOOKS = [name for name, kind in KINDS.items() if kind.workbook is not None]
_KIND = Parameter(
    "kind",
    "The kind of input; required unless the input exists.",
    {"type": "string", "enum": _WITH_WORKBOOKS},
)
_CHECK = Parameter(
    "check",
    "`true` stores nothing; the answer has what was read, also if the workbook has errors.",
    {"type": "boolean", "default": False},
)
_COMMENT = Parameter("comment", "What this version changes, and why.", {"type": "string", "maxLength": 2000})


@routes.post(
    "/inputs/{slug}/import",
    "input.update",
    creates="input.create",
    body=_BODY,
    body_media_type=XLSX,
    answer="InputImportView",
    also={201: "InputImportView"},
    parameters=[_KIND, _CHECK, _COMMENT, IF_MATCH, IDEMPOTENCY_KEY],
)
def import_input(call: Call, services: Container, slug: str) -> Answer:
    """Store the document in a workbook as a new version of an input, as PUT does with JSON.

    A workbook with errors stores nothing: the answer is 422, and `errors` names each bad cell with its sheet, row,
    column, code and message. With `check=true`, that answer also has the parsed `document`, with an error beside each
    bad value.
    """

    def put(stored: Definition | None) -> Answer:
        body = call.body()
        call.require_match(current_etag(stored))
        call.require_known_parameters()
        kind = KINDS[_kind(call, stored)]
        check = call.choice("check", ("true", "false"), "false") == "true"
        if not call.body_is_base64:
            raise Invalid(f"Send the workbook with Content-Type: {XLSX}; as it was sent, it cannot be read.")
        checked = check_workbook(kind, body, services.settings)
        require_no_errors(checked, document=check, max_bytes=call.settings.max_inline_bytes // 2)
        content = checked_content(services, kind, checked.document)
        view = {"slug": slug, "kind": kind.name, "stored": not check, "version": None, "warnings": content.warnings}
        if check:
            return Answer({**view, "document": raw_json(content.text)})
        written, created = write_input(services, slug, stored, content, _comment(call), call.principal)
        view |= {"version": latest_version(written).number, "document": inline(call, content.text)}
        return Answer(view, 201 if created else 200, written_headers(call, written, created=created))

    return retry_overtaken_write(call, put)


@routes.get("/inputs/templates/{kind}", "input.list", media_types=[XLSX], head=True)
def get_input_template(call: Call, services: Container, kind: str) -> Answer:
    """A blank workbook of a kind, with the sheets and headers that an import needs."""
    form = KINDS[kind].workbook if kind in KINDS else None
    if form is None:
        raise NotFound(f"There is no workbook of {kind!r}; the kinds with workbooks are {', '.join(_WITH_WORKBOOKS)}.")

    def write(path: Path) -> None:
        write_blank_workbook(path, form.sheets)

    name = f"input-template-{kind}-{__version__}"
    key = services.lake.stored_answer(name, write, services.settings.answer_reuse_seconds)
    return Answer(media_type=XLSX, filename=f"{kind}.xlsx", stored_key=key)


def _kind(call: Call, stored: Definition | None) -> str:
    kind = optional_kind(call) or (stored.document["kind"] if stored else None)
    if kind is None:
        message = f"Send the kind of the input; those with workbooks are {', '.join(_WITH_WORKBOOKS)}."
        raise Invalid(message, [{"pointer": "?kind", "message": message}])
    return str(kind)


def _comment(call: Call) -> str | None:
    comment = call.query_value("comment")
    if comment is not None and len(comment) > 2000:
        message = "A comment has at most 2000 characters."
        raise Invalid(message, [{"pointer": "?comment", "message": message}])
    return comment
