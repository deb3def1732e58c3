"""Raw pages: their receipts, and their bytes as received."""

import re
from typing import Any

from sluice.api.call import Answer, Call
from sluice.api.paging import paginate
from sluice.api.routes import CURSOR, LIMIT, Routes
from sluice.container import Container
from sluice.domain.run import PageReceipt
from sluice.errors import Gone, NotFound

routes = Routes("runs")
_BYTES = ("application/octet-stream",)


@routes.get("/runs/{run_id}/pages", "run.read", answer="PageReceiptViewList", parameters=[LIMIT, CURSOR])
def list_run_pages(call: Call, services: Container, run_id: str) -> Answer:
    """The receipts of a run's pages."""
    run = call.run
    hidden = {"resume", "records_hash", "repeated", "gaps"}
    exclude: Any = {**dict.fromkeys(hidden, True), "failures": {"__all__": {"retry_at"}}}
    receipts = [page.model_dump(mode="json", exclude=exclude) for page in services.pages.of_run(run.id)]
    return paginate(call, services, ["pages", run_id], receipts)


@routes.get("/runs/{run_id}/pages/{number}/content", "run.read_pages", media_types=_BYTES, audited=True)
def get_run_page_content(call: Call, services: Container, run_id: str, number: str) -> Answer:
    """The bytes of a page of a run, as received."""
    run = call.run
    if not number.isdigit() or len(number) > 15:
        raise NotFound(f"The run {run.id} has no page {number!r}.")
    receipt: PageReceipt = services.pages.get(run.id, int(number))
    if receipt.hash is None:
        raise NotFound(f"Page {number} of the run {run.id} was never received.")
    try:
        return _content(services, receipt.hash, receipt.filename)
    except NotFound:
        message = f"Page {number} of the run {run.id} was removed by the `retention` of its datasource."
        raise Gone(message) from None


@routes.get("/pages/{page_hash}", "page.read", media_types=_BYTES, audited=True)
def get_page(call: Call, services: Container, page_hash: str) -> Answer:
    """The bytes of a page, as received, by the SHA-256 of its content."""
    # Pages of equal content share a hash, so it does not tell who may see it.
    if re.fullmatch(r"[0-9a-f]{64}", page_hash) is None or not call.principal.sees_everything:
        raise NotFound(f"There is no page {page_hash!r}.")
    return _content(services, page_hash, None)


def _content(services: Container, page_hash: str, filename: str | None) -> Answer:
    """A page's bytes as a download, since an upstream's content must never run as a page of this API's origin."""
    with services.lake.raw(page_hash) as content:
        body = content.read()
    # A name without dots at its start, paths and quotation marks is safe in the header and on every file system.
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", filename or "")[-100:].lstrip(".") or f"{page_hash[:16]}.bin"
    headers = {"ETag": f'"{page_hash}"', "Content-Security-Policy": "sandbox"}
    return Answer(body, headers=headers, media_type=_BYTES[0], filename=name)
