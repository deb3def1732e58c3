"""The answer to a read of published data."""

from __future__ import annotations

from typing import Any

from sluice.api.call import Answer, Call
from sluice.api.routes import AS_OF, CURSOR, LIMIT, VERSION, Parameter
from sluice.container import Container
from sluice.domain.dataset import Version
from sluice.domain.dataset_id import DatasetId
from sluice.domain.names import parse_time
from sluice.errors import Invalid
from sluice.reads.reader import Reader
from sluice.reads.request import DataRequest, data_request
from sluice.reads.writers import FORMS, OUTPUT_FORMATS, OutputFormat

_MOST_VERSIONS = 10**12
DATA_PARAMETERS = [
    Parameter("select", "Columns, separated by commas."),
    Parameter("where", "`<column>.<op>:<value>`; repeats mean AND.", repeated=True),
    Parameter("order", "Columns, separated by commas; `-` before one means descending."),
    LIMIT,
    CURSOR,
    VERSION,
    AS_OF,
    Parameter("format", "The form of the answer.", {"type": "string", "enum": list(FORMS), "default": "json"}),
]
DATA_MEDIA_TYPES = ("application/json", "text/csv", "application/x-ndjson")


def data_answer(call: Call, services: Container, dataset: DatasetId) -> Answer:
    """Rows of a dataset's published version, or of the one asked for.

    A cursor stays on the version that it began with. JSON comes in pages; the other forms come
    whole unless a limit is given.

    Raises:
        NotPublished: there is no version yet.
        NotFound: there is no such version.
        Invalid: a parameter does not fit the columns, or the data the form.
    """
    asked = {name: call.one(name) for name in ("select", "order", "version", "as_of")}
    bound = ["data", dataset, asked, call.many("where")]
    position = services.cursors.open(bound, call.one("cursor"))
    version = _version(call, services, dataset, position)
    form = call.choice("format", FORMS, "json")
    request = data_request(version.schema_, asked["select"], call.many("where"), asked["order"])
    reader = Reader(services.lake, services.settings, version)
    offset = position[1] if position else 0
    if form == "json":
        rows, more = reader.rows(request, call.limit(), offset)
        about = about_version(version)
        about["next"] = services.cursors.seal(bound, [version.number, offset + len(rows)]) if more else None
        return Answer({"items": rows, **about}, headers=version_headers(about))
    if reader.is_document and form != "jsonl":
        raise Invalid("The project merges whole documents, which have no rows; use format=json or format=jsonl.")
    limit = call.limit() if call.one("limit") is not None or position else None
    return _file(services, reader, version, request, OUTPUT_FORMATS[form], _Window(bound, offset, limit))


class _Window:
    """Which rows of a file's are asked for: all, or some from an offset on."""

    def __init__(self, bound: list[Any], offset: int, limit: int | None) -> None:
        self.bound, self.offset, self.limit = bound, offset, limit

    @property
    def sql(self) -> str:
        """The end of the query."""
        return f"LIMIT {self.limit} OFFSET {self.offset}" if self.limit is not None else ""


def _file(
    services: Container, reader: Reader, version: Version, request: DataRequest, output: OutputFormat, window: _Window
) -> Answer:
    """The rows as a file: inline while it is text and small, else by an address in the lake."""
    about = about_version(version)
    if window.limit is not None and window.offset + window.limit < version.rows and not reader.is_document:
        _, more = reader.rows(request, 0, window.offset + window.limit)
        if more:
            about["next"] = services.cursors.seal(window.bound, [version.number, window.offset + window.limit])
    headers = version_headers(about)
    with services.lake.scratch() as file:
        output.write(reader, request, file, window.sql)
        if not output.binary and file.stat().st_size <= services.settings.max_inline_bytes:
            return Answer(file.read_bytes(), headers=headers, media_type=output.media_type)
        key = services.lake.put_answer_file(file)
    name = f"{version.run}-{version.number}.{output.ending}"
    headers["Location"] = services.lake.presigned_url(key, output.media_type, name)
    return Answer({"location": headers["Location"]}, 303, headers)


def about_version(version: Version) -> dict[str, Any]:
    """What each answer says of the version that it is of."""
    return {
        "next": None,
        "version": version.number,
        "run": version.run,
        "completeness": version.completeness,
        "data_as_of": version.data_as_of,
    }


def _version(call: Call, services: Container, dataset: DatasetId, position: list[int] | None) -> Version:
    if position is not None:
        return services.datasets.version(dataset, position[0])
    return asked_version(call, services, dataset)


def asked_version(call: Call, services: Container, dataset: DatasetId) -> Version:
    """The version that `version` or `as_of` asks for; without them the published one.

    Raises:
        NotFound: there is no such version.
        NotPublished: nothing was published then, or is now.
        Invalid: both are given, or one cannot be read.
    """
    number = call.integer("version", 0, 1, _MOST_VERSIONS)
    moment = call.one("as_of")
    if moment is None:
        return services.datasets.version(dataset, number) if number else services.datasets.published(dataset)
    if number:
        message = "Give version or as_of, not both."
        raise Invalid(message, [{"pointer": "?as_of", "message": message}])
    try:
        return services.datasets.version_as_of(dataset, parse_time(moment))
    except ValueError:
        message = f"{moment!r} is no time such as 2026-01-31T12:00:00Z."
        raise Invalid(message, [{"pointer": "?as_of", "message": message}]) from None


def version_headers(about: dict[str, Any]) -> dict[str, str]:
    """What an answer says of its version, as headers."""
    return {f"X-Sluice-{name.replace('_', '-').title()}": str(value) for name, value in about.items() if value}
