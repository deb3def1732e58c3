"""Answers with the rows of a published dataset."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from sluice import __version__
from sluice.api.call import Answer, Call
from sluice.api.routes import AS_OF, CURSOR, LIMIT, VERSION, Parameter
from sluice.container import Container
from sluice.domain.dataset import Version
from sluice.domain.dataset_id import DatasetId
from sluice.domain.names import parse_time
from sluice.errors import Invalid, NotPublished
from sluice.lake.parquet import engine_name
from sluice.reads.file_names import file_name
from sluice.reads.reader import Reader
from sluice.reads.request import DataRequest, data_request
from sluice.reads.writers import FORMS, OUTPUT_FORMATS, OutputFormat

_MOST_VERSIONS = 10**12
_MAX_HEADER_TEXT = 200
WHERE = Parameter("where", "`<column>.<op>:<value>`; repeats mean AND.", repeated=True)
ORDER = Parameter("order", "Columns, separated by commas; a leading `-` sorts descending.")
DATA_PARAMETERS = [
    Parameter("select", "Columns, separated by commas."),
    WHERE,
    ORDER,
    LIMIT,
    CURSOR,
    VERSION,
    AS_OF,
    Parameter("format", "The format of the answer.", {"type": "string", "enum": list(FORMS), "default": "json"}),
]
DATA_MEDIA_TYPES = ("application/json", "text/csv", "application/x-ndjson")


def data_answer(call: Call, services: Container, dataset: DatasetId) -> Answer:
    """Rows of a dataset, from its published version or the requested one.

    A cursor stays on the version that it began with. JSON comes in pages; the other formats come
    whole unless a limit is given.

    Args:
        call: its query has the parameters in `DATA_PARAMETERS`.
        dataset: a datasource, a project, or a project's model.

    Raises:
        NotPublished: the dataset has no version yet.
        NotFound: there is no version of the requested number or time.
        Invalid: a parameter does not fit the columns, or the format cannot hold the data.
    """
    requested = {name: call.query_value(name) for name in ("select", "order", "version", "as_of")}
    # The limit is not part of the binding: a client may change the size of its pages.
    bound = ["data", dataset, requested, call.query_values("where")]
    position = services.cursors.open(bound, call.query_value("cursor"))
    version = _version(call, services, dataset, position)
    _, name = dataset.resource or ("", "")
    return _rows(call, services, bound, position, version, [dataset.owner, name] if name else [dataset.owner])


def rows_answer(call: Call, services: Container, bound: list[Any], version: Version, parts: list[str]) -> Answer:
    """Rows of a version that is not a dataset's published one, such as a table of results.

    Args:
        call: its query has the parameters in `DATA_PARAMETERS` apart from `version` and `as_of`.
        bound: what identifies the rows; a cursor of others is refused.
        version: the version.
        parts: the slugs and names that lead to it, for the names of files.

    Raises:
        Invalid: a parameter does not fit the columns, or the format cannot hold the data.
    """
    bound = [*bound, call.query_value("select"), call.query_value("order"), call.query_values("where")]
    position = services.cursors.open(bound, call.query_value("cursor"))
    return _rows(call, services, bound, position, version, parts)


def _rows(
    call: Call, services: Container, bound: list[Any], position: list[int] | None, version: Version, parts: list[str]
) -> Answer:
    output_format = call.choice("format", FORMS, "json")
    select, order = call.query_value("select"), call.query_value("order")
    request = data_request(version.schema_, select, call.query_values("where"), order)
    reader = Reader(services.lake, services.settings, version)
    offset = position[1] if position else 0
    if output_format == "json":
        rows, has_more = reader.rows(request, call.limit(), offset)
        summary = version_summary(version)
        summary["next"] = services.cursors.seal(bound, [version.number, offset + len(rows)]) if has_more else None
        name = file_name(parts, version.number, "json")
        return Answer({"items": rows, **summary}, headers=version_headers(summary), filename=name)
    _require_rows(reader, output_format)
    # The whole dataset, unless the request asks for pages: by a limit, or by the cursor of an earlier page.
    limit = call.limit() if call.query_value("limit") is not None or position else None
    output = OUTPUT_FORMATS[output_format]
    answer = _file(services, reader, version, request, output, _Window(bound, offset, limit))
    return replace(answer, filename=file_name(parts, version.number, output.ending))


def require_data_query(call: Call, services: Container, dataset: DatasetId) -> None:
    """Check the query of a later `data_answer` as far as the dataset's versions allow.

    Raises:
        NotFound, NotPublished, Invalid: as `data_answer`, apart from a dataset without versions, whose columns are
            not known yet.
    """
    output_format = call.choice("format", FORMS, "json")
    call.limit()
    try:
        version = requested_version(call, services, dataset)
    except NotPublished:
        if _names_version(call):
            raise
        return
    data_request(version.schema_, call.query_value("select"), call.query_values("where"), call.query_value("order"))
    _require_rows(Reader(services.lake, services.settings, version), output_format)


def _require_rows(reader: Reader, output_format: str) -> None:
    if reader.is_document and output_format not in ("json", "jsonl"):
        raise Invalid("The project merges whole documents, which have no rows; use format=json or format=jsonl.")


class _Window:
    """Which rows a file has.

    Args:
        bound: the list that a cursor to the rows after these belongs to.
        offset: how many rows come before.
        limit: the most rows; null for all of them.
    """

    def __init__(self, bound: list[Any], offset: int, limit: int | None) -> None:
        self.bound, self.offset, self.limit = bound, offset, limit

    @property
    def sql(self) -> str:
        """The `LIMIT` clause of the query; empty for all rows."""
        return f"LIMIT {self.limit} OFFSET {self.offset}" if self.limit is not None else ""


def _file(
    services: Container, reader: Reader, version: Version, request: DataRequest, output: OutputFormat, window: _Window
) -> Answer:
    """The rows as a file: inline if it is small text, else a redirect to an object in the lake."""
    summary = version_summary(version)
    if window.limit is not None and window.offset + window.limit < version.rows and not reader.is_document:
        # No rows are read: only whether another page follows.
        _, has_more = reader.rows(request, 0, window.offset + window.limit)
        if has_more:
            summary["next"] = services.cursors.seal(window.bound, [version.number, window.offset + window.limit])
    headers = version_headers(summary)

    def write(file: Path) -> None:
        output.write(reader, request, file, window.sql)

    # The emulator's gateway does not decode base64, so only text can be inline.
    if output.binary:
        key = services.lake.stored_answer(
            _file_hash(version, request, output, window), write, services.settings.answer_reuse_seconds
        )
        return Answer(headers=headers, media_type=output.media_type, stored_key=key)
    with services.lake.scratch() as file:
        write(file)
        if file.stat().st_size <= services.settings.max_inline_bytes:
            return Answer(file.read_bytes(), headers=headers, media_type=output.media_type)
        key = services.lake.put_answer_file(file)
    return Answer(headers=headers, media_type=output.media_type, stored_key=key)


def _file_hash(version: Version, request: DataRequest, output: OutputFormat, window: _Window) -> str:
    """A hash of everything that the bytes of a file depend on."""
    # The manifest is immutable, and its key is unique.
    parts = [__version__, engine_name(), version.manifest_key, request, output.ending, window.sql]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def version_summary(version: Version) -> dict[str, Any]:
    """The fields that every answer with data of a version has; `next` is null."""
    return {
        "next": None,
        "version": version.number,
        "run": version.run,
        "completeness": version.completeness,
        "stale": [entry.model_dump() for entry in version.stale],
        "data_as_of": version.data_as_of,
    }


def _version(call: Call, services: Container, dataset: DatasetId, position: list[int] | None) -> Version:
    """The version to read; of a datasource, marked as stale if it stands in for data that could not be fetched."""
    if position is None:
        version = requested_version(call, services, dataset)
    else:
        version = services.datasets.version(dataset, position[0])
        pointer = services.datasets.pointer(dataset)
        # All pages of the published version say the same about it.
        if pointer.published == version.number and not _names_version(call):
            seen = pointer.data_as_of or version.data_as_of
            version = version.model_copy(update={"data_as_of": seen, "failure": pointer.failure})
    stale = version.stands_in_for(dataset.owner)
    if not stale:
        return version
    completeness = "partial" if version.completeness == "partial" else "stale"
    return version.model_copy(update={"completeness": completeness, "stale": stale})


def _names_version(call: Call) -> bool:
    return call.query_value("version") is not None or call.query_value("as_of") is not None


def requested_version(call: Call, services: Container, dataset: DatasetId) -> Version:
    """The version that the query parameters `version` or `as_of` name; without them, the published one.

    Raises:
        NotFound: there is no such version.
        NotPublished: nothing is published, or nothing was at the time of `as_of`.
        Invalid: both parameters are sent, or one is malformed.
    """
    number = call.integer("version", 0, 1, _MOST_VERSIONS)
    moment = call.query_value("as_of")
    if moment is None:
        return services.datasets.version(dataset, number) if number else services.datasets.published(dataset)
    if number:
        message = "Give version or as_of, not both."
        raise Invalid(message, [{"pointer": "?as_of", "message": message}])
    try:
        return services.datasets.version_as_of(dataset, parse_time(moment))
    except ValueError:
        message = f"{moment!r} is not a time such as 2026-01-31T12:00:00Z."
        raise Invalid(message, [{"pointer": "?as_of", "message": message}]) from None


def version_headers(summary: dict[str, Any]) -> dict[str, str]:
    """The fields of an answer that describe its data as headers `X-Sluice-…`.

    Null and empty fields are left out, and so are those with more than a single value, except for `stale`.
    """
    headers = {
        f"X-Sluice-{name.replace('_', '-').title()}": str(value)
        for name, value in summary.items()
        if isinstance(value, str | int) and value
    }
    return headers | ({"X-Sluice-Stale": stale_header(summary["stale"])} if summary.get("stale") else {})


def stale_header(stale: list[dict[str, Any]]) -> str:
    """Stale inputs as a list of structured fields (RFC 8941).

    Args:
        stale: the entries.

    Returns:
        Such as `prices;version=14;data-as-of="2026-…Z";error="The upstream answered 500."`.
    """
    return ", ".join(
        f'{entry["datasource"]};version={entry["version"]};data-as-of="{entry["data_as_of"]}"'
        f';error="{_header_text(entry["error"])}"'
        for entry in stale
    )


def _header_text(text: str) -> str:
    """A text as the inside of a quoted string of a header: printable ASCII, and short."""
    plain = "".join(character if " " <= character <= "~" else "?" for character in text[:_MAX_HEADER_TEXT])
    return plain.replace("\\", "\\\\").replace('"', '\\"')
