from __future__ import annotations

import json
from io import BytesIO

from sluice.domain.datasource import Datasource
from sluice.domain.names import now, rfc3339
from sluice.domain.run import FetchIndex, PageReceipt, Run
from sluice.sources.base import Call, CheckResult, PageVisitor, Secret, Services
from support.clock_source.document import ClockDatasource


class ClockSource:
    def _page(self, datasource: Datasource, secret: Secret) -> tuple[PageReceipt, bytes]:
        assert isinstance(datasource, ClockDatasource)
        zone = secret(datasource.clock.secret)
        body = json.dumps([{"tick": number, "zone": zone} for number in range(datasource.clock.ticks)]).encode()
        receipt = PageReceipt(
            number=1,
            ok=True,
            url="clock:",
            media_type="application/json",
            bytes=len(body),
            rows=datasource.clock.ticks,
            fetched_at=rfc3339(now()),
        )
        return receipt, body

    def fetch(self, run: Run, datasource: Datasource, services: Services, call: Call) -> FetchIndex | None:
        receipt, body = self._page(datasource, call.secret)
        receipt.hash = services.lake.put_raw(BytesIO(body))
        services.pages.put(run.id, receipt)
        return FetchIndex(
            datasource=datasource.slug,
            run=run.id,
            attempt=run.attempt,
            fetched_at=receipt.fetched_at,
            pages=[receipt],
            completeness="complete",
            requests=1,
        )

    def check(self, datasource: Datasource, services: Services, secret: Secret) -> CheckResult:
        receipt, _ = self._page(datasource, secret)
        return CheckResult(True, None, 0, receipt.rows, None)

    def preview(
        self, datasource: Datasource, services: Services, secret: Secret, max_pages: int, visit: PageVisitor
    ) -> int:
        receipt, body = self._page(datasource, secret)
        visit(receipt, BytesIO(body))
        return 1


SOURCE = ClockSource()
