"""The passes of a run: each pass reads all pages from the first to the last."""

from __future__ import annotations

from dataclasses import dataclass, field

from sluice.domain.run import PageReceipt
from sluice.sources.http.pagination import End, Paginator, State


@dataclass
class Pass:
    """One pass over all pages.

    Args:
        number: the number of the pass, from 1.
        first_number: the number of its first page; page numbers continue from one pass to the next.
        pages: the receipts of its pages, in order.
        check: the receipt of its first page when it was requested again after the last one.
        held: receipts of an earlier attempt whose pages are requested again, the last one first.
        surprised: whether a page led to another page than the first one let expect.
    """

    number: int
    first_number: int
    pages: list[PageReceipt] = field(default_factory=list)
    check: PageReceipt | None = None
    held: list[PageReceipt] = field(default_factory=list)
    surprised: bool = False

    @property
    def attempt(self) -> int | None:
        """The attempt that started the pass; None if it has no pages yet."""
        return self.pages[0].attempt if self.pages else None

    @property
    def next_number(self) -> int:
        """The number of the next receipt."""
        return self.first_number + len(self.pages) + (self.check is not None)

    def step(self, paginator: Paginator) -> State | End:
        """Return the state of the next page, or the end, as the last receipt has it."""
        if not self.pages:
            return paginator.first_state()
        resume = self.pages[-1].resume
        if "end" in resume:
            return End(resume["end"], resume.get("reason"))
        return dict(resume["state"])

    def next_pass(self) -> Pass:
        """Return the next pass, without pages."""
        return Pass(self.number + 1, self.next_number)

    def add(self, page: PageReceipt) -> None:
        """Add a page that was received."""
        if self.held and self.held.pop().resume != page.resume:
            self.held.clear()  # the page leads elsewhere now, so the held pages after it are not the next ones
        self.pages.append(page)

    def restore_held(self) -> None:
        """Use the held pages of the earlier attempt, since they could not be fetched again."""
        while self.held:
            self.pages.append(self.held.pop())


def stored_passes(receipts: list[PageReceipt], attempt: int, paginator: Paginator) -> list[Pass]:
    """Restore the passes of a run from its receipts; the last one can be continued.

    An attempt that continues after an earlier one requests its last page again, since insertions and deletions in
    between show there.

    Args:
        receipts: the run's receipts, by number.
        attempt: the number of this attempt.
        paginator: the datasource's paginator.
    """
    passes = [Pass(1, 1)]
    for receipt in receipts:
        if not receipt.ok:
            continue
        # A pass is known by the receipts of its pages; the first of a higher number starts the next one.
        if receipt.pass_number > passes[-1].number:
            passes.append(Pass(receipt.pass_number, receipt.number))
        last = passes[-1]
        if receipt.check:
            last.check = receipt
        elif not (last.pages and "end" in last.pages[-1].resume):  # an earlier attempt may have had more pages
            last.pages.append(receipt)
    _reopen(passes[-1], attempt, paginator)
    return passes


def _reopen(last: Pass, attempt: int, paginator: Paginator) -> None:
    """Hold back the pages that this attempt requests again.

    A page that ended an earlier attempt as partial is one of them: the upstream may respond differently now.
    """
    stored = last.pages
    if stored and stored[-1].resume.get("end") == "partial" and stored[-1].attempt < attempt:
        last.held.append(stored.pop())
    unfinished = bool(stored) and "state" in stored[-1].resume
    if unfinished and stored[-1].attempt < attempt and paginator.many_pages:
        last.held.append(stored.pop())
