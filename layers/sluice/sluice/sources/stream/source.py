"""The source of kind `stream`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import orjson

from sluice.domain.datasource import Datasource
from sluice.domain.datasource.stream import StreamDatasource, StreamSelection
from sluice.domain.names import now, rfc3339
from sluice.domain.run import FetchIndex, PageReceipt, Run
from sluice.errors import RunError
from sluice.readings.records import sensor_records
from sluice.sources.base import Call, CheckResult, HandOver, PageVisitor, Secret, Services


class StreamSource:
    """Reads the readings of the selected sensors: a page for each sensor, as JSON Lines, in the order of their ids."""

    def fetch(self, run: Run, datasource: Datasource, services: Services, call: Call) -> FetchIndex | None:
        """Store a page for each sensor: see `Source.fetch`."""
        selection = _selection(datasource)
        receipts = [receipt for receipt in services.pages.of_run(run.id) if receipt.ok]
        stored = {receipt.url for receipt in receipts}
        for sensor in _sensors(services, selection):
            if _url(sensor) in stored:
                continue  # an earlier call or attempt has stored it
            if call.seconds_left() < services.settings.fetch_reserve_seconds:
                raise HandOver
            receipt, body = _page(services, selection, sensor, len(receipts) + 1)
            receipt.attempt = run.attempt
            receipt.hash = services.lake.put_raw(BytesIO(body))
            services.pages.put(run.id, receipt)
            receipts.append(receipt)
        if not receipts:
            return None
        return FetchIndex(
            datasource=datasource.slug,
            run=run.id,
            attempt=run.attempt,
            fetched_at=receipts[0].fetched_at,
            pages=receipts,
            completeness="complete",
        )

    def check(self, datasource: Datasource, services: Services, secret: Secret) -> CheckResult:
        """Read the first sensor that has readings: see `Source.check`."""
        start = time.monotonic()
        records, reason = None, None
        try:
            pages = _pages(services, _selection(datasource))
            records = next((receipt.rows for receipt, _ in pages if receipt.rows), 0)
        except RunError as error:
            reason = error.detail
        return CheckResult(reason is None, None, round(1000 * (time.monotonic() - start)), records, reason)

    def preview(
        self, datasource: Datasource, services: Services, secret: Secret, max_pages: int, visit: PageVisitor
    ) -> int:
        """Read the first sensors: see `Source.preview`."""
        count = 0
        for receipt, body in _pages(services, _selection(datasource)):
            visit(receipt, BytesIO(body))
            count += 1
            if count == max_pages:
                break
        return count


def _sensors(services: Services, selection: StreamSelection) -> list[dict[str, Any]]:
    """The documents of the sensors that match a selection, ordered by id, each with the `site` of its equipment."""
    sites = {item.name: item.document.get("site") for item in services.definitions.all("equipment")}
    matching = []
    for item in services.definitions.all("sensor"):
        sensor = item.document | {"site": sites.get(item.document.get("equipment", ""))}
        wanted = (
            (selection.sites, sensor["site"]),
            (selection.equipment, sensor.get("equipment")),
            (selection.metrics, sensor.get("metric")),
            (selection.sensors, sensor["id"]),
        )
        if all(names is None or value in names for names, value in wanted):
            matching.append(sensor)
    return matching


def _selection(datasource: Datasource) -> StreamSelection:
    assert isinstance(datasource, StreamDatasource)
    return datasource.stream


def _pages(services: Services, selection: StreamSelection) -> Iterator[tuple[PageReceipt, bytes]]:
    for number, sensor in enumerate(_sensors(services, selection), start=1):
        yield _page(services, selection, sensor, number)


def _page(
    services: Services, selection: StreamSelection, sensor: dict[str, Any], number: int
) -> tuple[PageReceipt, bytes]:
    about = {name: sensor.get(name) for name in ("equipment", "site", "metric", "unit")}
    lines = [
        orjson.dumps({"sensor": sensor["id"], **about, **record})
        for record in sensor_records(services, sensor["id"], selection.resolution, selection.days)
    ]
    body = b"\n".join(lines) or b"[]"  # an empty body could be a page that was lost
    receipt = PageReceipt(
        number=number,
        ok=True,
        url=_url(sensor),
        media_type="application/x-ndjson" if lines else "application/json",
        bytes=len(body),
        rows=len(lines),
        fetched_at=rfc3339(now()),
    )
    return receipt, body


def _url(sensor: dict[str, Any]) -> str:
    return f"stream:{sensor['id']}"


SOURCE = StreamSource()
