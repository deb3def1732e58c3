"""The answer to a read of published data."""

from __future__ import annotations

from typing import Any

from sluice.bootstrap import Platform
from sluice.domain.dataset import Version
from sluice.http.call import Answer, Call
from sluice.reads.reader import Reader, csv_text
from sluice.reads.request import DataRequest, data_request

_MOST_VERSIONS = 10**12
_CSV = "text/csv; charset=utf-8"


def data_answer(call: Call, services: Platform, dataset: str) -> Answer:
    """Rows of a dataset's published version, or of the one asked for.

    A cursor stays on the version that it began with. JSON comes in pages; CSV comes whole
    unless a limit is given.

    Raises:
        NotPublished: there is no version yet.
        NotFound: there is no such version.
        Invalid: a parameter does not fit the columns.
    """
    asked = {name: call.one(name) for name in ("select", "order", "version")}
    bound = ["data", dataset, asked, call.many("where")]
    position = services.cursors.open(bound, call.one("cursor"))
    version = _version(call, services, dataset, position)
    form = call.choice("format", ("json", "csv"), "json")
    request = data_request(version.schema_, asked["select"], call.many("where"), asked["order"])
    reader = Reader(services.lake, services.settings)
    if form == "csv" and call.one("limit") is None and position is None:
        return _whole_csv(services, reader, version, request)
    offset = position[1] if position else 0
    rows, more = reader.rows(version, request, call.limit(), offset)
    about = {
        **_about(version),
        "next": services.cursors.seal(bound, [version.number, offset + len(rows)]) if more else None,
    }
    if form == "csv":
        lines = csv_text([[column.name for column in request.select], *(list(row.values()) for row in rows)])
        return Answer(lines.encode(), headers=_headers(about), media_type=_CSV)
    return Answer({"items": rows, **about}, headers=_headers(about))


def _whole_csv(services: Platform, reader: Reader, version: Version, request: DataRequest) -> Answer:
    """All rows: inline while they are few, else by an address in the lake."""
    headers = _headers(_about(version))
    with services.lake.scratch() as file:
        reader.write_csv(version, request, file)
        if file.stat().st_size <= services.settings.max_inline_bytes:
            return Answer(file.read_bytes(), headers=headers, media_type=_CSV)
        key = services.lake.put_answer_file(file)
    headers["Location"] = services.lake.presigned(key, _CSV)
    return Answer({"location": headers["Location"]}, 303, headers)


def _about(version: Version) -> dict[str, Any]:
    return {
        "next": None,
        "version": version.number,
        "run": version.run,
        "completeness": version.completeness,
        "data_as_of": version.data_as_of,
    }


def _version(call: Call, services: Platform, dataset: str, position: list[int] | None) -> Version:
    if position is not None:
        return services.datasets.version(dataset, position[0])
    number = call.integer("version", 0, 1, _MOST_VERSIONS)
    return services.datasets.version(dataset, number) if number else services.datasets.published(dataset)


def _headers(about: dict[str, Any]) -> dict[str, str]:
    return {f"X-Sluice-{name.replace('_', '-').title()}": str(value) for name, value in about.items() if value}
