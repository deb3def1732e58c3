"""The passes of a run: how often its pages were read from the first to the last, by their receipts."""

from __future__ import annotations

from dataclasses import dataclass, field

from sluice.domain.run import PageReceipt
from sluice.sources.http.pagination import End, Paginator, State


@dataclass
class Pass:
    """One reading of all pages.

    Args:
        first_number: the number of its first page: numbers go on from one pass to the next.
        check: its first page, asked for again after the last one.
        held: pages of an earlier attempt that are asked for again, the last one first.
        surprised: whether a page led to another one than its first page let expect.
    """

    number: int
    first_number: int
    pages: list[PageReceipt] = field(default_factory=list)
    check: PageReceipt | None = None
    held: list[PageReceipt] = field(default_factory=list)
    surprised: bool = False

    @property
    def attempt(self) -> int | None:
        """The attempt that began it; none when it has no pages yet."""
        return self.pages[0].attempt if self.pages else None

    @property
    def next_number(self) -> int:
        """The number of the receipt after the present ones."""
        return self.first_number + len(self.pages) + (self.check is not None)

    def step(self, pages: Paginator) -> State | End:
        """What follows the pages that are there."""
        if not self.pages:
            return pages.first()
        resume = self.pages[-1].resume
        if "end" in resume:
            return End(resume["end"], resume.get("reason"))
        return dict(resume["state"])

    def following(self) -> Pass:
        """The pass after this one, without pages yet."""
        return Pass(self.number + 1, self.next_number)

    def add(self, page: PageReceipt) -> None:
        """Take a page that was received."""
        if self.held and self.held.pop().resume != page.resume:
            self.held.clear()  # what followed the page of the earlier attempt does not follow this one
        self.pages.append(page)

    def take_back_held(self) -> None:
        """Go on with the pages of the earlier attempt, since they cannot be had again."""
        while self.held:
            self.pages.append(self.held.pop())


def stored_passes(receipts: list[PageReceipt], attempt: int, pages: Paginator) -> list[Pass]:
    """The passes that the receipts of a run show, the last one ready to go on.

    An attempt that goes on with what an earlier one has received asks for its last page again:
    records that were inserted or deleted meanwhile show there.
    """
    passes = [Pass(1, 1)]
    for receipt in receipts:
        if not receipt.ok:
            continue
        if receipt.pass_number > passes[-1].number:
            passes.append(Pass(receipt.pass_number, receipt.number))
        present = passes[-1]
        if receipt.check:
            present.check = receipt
        elif not (present.pages and "end" in present.pages[-1].resume):  # an earlier attempt may have had more
            present.pages.append(receipt)
    _reopen(passes[-1], attempt, pages)
    return passes


def _reopen(last: Pass, attempt: int, pages: Paginator) -> None:
    """Hold back the pages that a later attempt asks for again.

    A page that ended the run as partial is one of them: the upstream may answer otherwise now.
    """
    kept = last.pages
    if kept and kept[-1].resume.get("end") == "partial" and kept[-1].attempt < attempt:
        last.held.append(kept.pop())
    unfinished = bool(kept) and "state" in kept[-1].resume
    if unfinished and kept[-1].attempt < attempt and pages.many_pages:
        last.held.append(kept.pop())
