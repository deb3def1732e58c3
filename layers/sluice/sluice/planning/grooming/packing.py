"""Packing of clients into the fewest lines: first-fit decreasing, then an exact search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sluice.planning.traffic import ServiceType

# How many clients of each rate a line has, in the order of `_Search.rates`.
Pattern = tuple[int, ...]


@dataclass(frozen=True)
class Client:
    """A service as a client of a device.

    Args:
        id: the service's id.
        type: its type.
        rate: its rate in bit/s.
        sla: its service level agreement, if it has one.
    """

    id: str
    type: ServiceType
    rate: int
    sla: str | None = None


@dataclass(frozen=True)
class Packing:
    """Clients by line.

    Args:
        lines: the clients of each line.
        proven: whether fewer lines are known to be impossible.
    """

    lines: list[list[Client]]
    proven: bool


def pack(clients: Sequence[Client], line_rate: int, ports: int, search_nodes: int) -> Packing:
    """Pack clients into as few lines as possible.

    Args:
        clients: the clients, none faster than a line; their order does not matter.
        line_rate: the highest sum of the rates of a line's clients, in bit/s.
        ports: the most clients of a line.
        search_nodes: how many nodes the search may visit if first-fit decreasing needs more lines than the lower
            bound.

    Returns:
        The packing with the fewest lines that was reached.
    """
    ordered = sorted(clients, key=lambda client: (-client.rate, client.id))
    lines = _first_fit(ordered, line_rate, ports)
    bound = max(-(-len(clients) // ports), -(-sum(client.rate for client in clients) // line_rate))
    if len(lines) == bound:
        return Packing(lines, proven=True)
    search = _Search(ordered, line_rate, ports, search_nodes)
    try:
        # From above: each packing that is reached is an improvement, even if the search stops later.
        while len(lines) > bound:
            patterns = search.patterns(len(lines) - 1)
            if patterns is None:
                break
            lines = search.deal(patterns)
    except _NodesSpent:
        return Packing(lines, proven=False)
    return Packing(lines, proven=True)


def _first_fit(ordered: Sequence[Client], line_rate: int, ports: int) -> list[list[Client]]:
    lines: list[list[Client]] = []
    rates: list[int] = []
    line = rate = 0
    for client in ordered:
        if client.rate != rate:
            # A line that has no room for a client has none for the next ones of the same rate.
            line, rate = 0, client.rate
        while line < len(lines) and (len(lines[line]) == ports or rates[line] + rate > line_rate):
            line += 1
        if line == len(lines):
            lines.append([])
            rates.append(0)
        lines[line].append(client)
        rates[line] += rate
    return lines


class _NodesSpent(Exception):  # noqa: N818 # not an error: the search ends
    pass


class _Search:
    """A depth-first search, line by line, over how many clients of each rate a line takes.

    Some packing with the fewest lines has a line with a fastest client to which no other client can be added, and in
    which no client can be replaced by a faster one from another line: adding and replacing keep all other lines
    possible. Only such lines are tried.
    """

    def __init__(self, ordered: Sequence[Client], line_rate: int, ports: int, nodes: int) -> None:
        self._clients = ordered
        counts = Counter(client.rate for client in ordered)
        self.rates = list(counts)  # descending, as the clients are
        self._counts = tuple(counts.values())
        self._line_rate = line_rate
        self._ports = ports
        self._nodes = nodes

    def patterns(self, most: int) -> list[Pattern] | None:
        """The lines of a packing into at most so many lines, or None if there is none.

        Raises:
            _NodesSpent: the search has visited all its nodes.
        """
        failed: set[tuple[Pattern, int]] = set()
        lines: list[Pattern] = []
        rest = self._counts
        choices = [self._lines_of(rest)]
        # Not recursive: a packing may have more lines than Python has stack frames.
        while choices:
            pattern = next(choices[-1], None)
            if pattern is None:
                choices.pop()
                failed.add((rest, most - len(lines)))
                if lines:
                    rest = tuple(a + b for a, b in zip(rest, lines.pop(), strict=True))
                continue
            after = tuple(a - b for a, b in zip(rest, pattern, strict=True))
            left = most - len(lines) - 1
            if not any(after):
                return [*lines, pattern]
            if self._fits(after, left) and (after, left) not in failed:
                lines.append(pattern)
                rest = after
                choices.append(self._lines_of(rest))
        return None

    def deal(self, patterns: Sequence[Pattern]) -> list[list[Client]]:
        """The clients by line, those of each rate dealt in the order of their ids."""
        lines = []
        by_rate = {rate: iter([c for c in self._clients if c.rate == rate]) for rate in self.rates}
        for pattern in patterns:
            counts = zip(self.rates, pattern, strict=True)
            lines.append([next(by_rate[rate]) for rate, count in counts for _ in range(count)])
        return lines

    def _fits(self, counts: Pattern, lines: int) -> bool:
        rate = sum(a * b for a, b in zip(self.rates, counts, strict=True))
        return sum(counts) <= self._ports * lines and rate <= self._line_rate * lines

    def _lines_of(self, counts: Pattern) -> Iterator[Pattern]:
        fastest = next(i for i, count in enumerate(counts) if count)
        return self._extend(counts, fastest, (0,) * fastest, self._line_rate, self._ports)

    def _extend(self, counts: Pattern, i: int, chosen: Pattern, gap: int, ports: int) -> Iterator[Pattern]:
        """The lines that begin with the chosen numbers of clients, with `gap` bit/s and `ports` still free."""
        if self._nodes <= 0:
            raise _NodesSpent
        self._nodes -= 1
        if i == len(self.rates):
            if self._is_maximal(counts, chosen, gap, ports):
                yield chosen
            return
        rate = self.rates[i]
        highest = min(counts[i], ports, gap // rate)
        slower = self.rates[i + 1] if i + 1 < len(self.rates) else 0
        for count in range(highest, -1 if any(chosen) else 0, -1):
            # With a client of this rate left over, the slower ones must fill the line so that it does not fit.
            if count < highest and gap - count * rate - (ports - count) * slower >= rate:
                break
            yield from self._extend(counts, i + 1, (*chosen, count), gap - count * rate, ports - count)

    def _is_maximal(self, counts: Pattern, chosen: Pattern, gap: int, ports: int) -> bool:
        left = [rate for rate, count, taken in zip(self.rates, counts, chosen, strict=True) if taken < count]
        if ports and left and left[-1] <= gap:
            return False
        taken = [rate for rate, count in zip(self.rates, chosen, strict=True) if count]
        return not any(slow < fast <= slow + gap for fast in left for slow in taken)
