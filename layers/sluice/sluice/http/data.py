"""The answer to a read of published data."""

from __future__ import annotations

from typing import Any

from sluice.bootstrap import Platform
from sluice.domain.dataset import Version
from sluice.http.call import Answer, Call
from sluice.reads.reader import Reader, to_csv
from sluice.reads.request import data_request

_MOST_VERSIONS = 10**12


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
    whole = form == "csv" and call.one("limit") is None
    limit = None if whole else call.limit()
    offset = position[1] if position else 0
    rows, more = Reader(services.lake, services.settings).rows(version, request, limit, offset)
    cursor = services.cursors.seal(bound, [version.number, offset + len(rows)]) if more else None
    about = {
        "next": cursor,
        "version": version.number,
        "run": version.run,
        "completeness": version.completeness,
        "data_as_of": version.data_as_of,
    }
    headers = _headers(about)
    if form == "csv":
        return Answer(to_csv(request.select, rows), headers=headers, media_type="text/csv; charset=utf-8")
    return Answer({"items": rows, **about}, headers=headers)


def _version(call: Call, services: Platform, dataset: str, position: list[int] | None) -> Version:
    if position is not None:
        return services.datasets.version(dataset, position[0])
    number = call.integer("version", 0, 1, _MOST_VERSIONS)
    return services.datasets.version(dataset, number) if number else services.datasets.published(dataset)


def _headers(about: dict[str, Any]) -> dict[str, str]:
    return {f"X-Sluice-{name.replace('_', '-').title()}": str(value) for name, value in about.items() if value}
