"""Paths in a network: the shortest ones in order, and pairs that share no inner node and no link.

Nodes are numbered in the order of their names and links in the order of the topology. A path is a tuple of nodes.
Paths of equal length are ordered by their nodes, so that neither the order of the topology nor a rounding error
decides. Sets of nodes and of links are integers whose bit `n` stands for number `n`.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise

from sluice.planning.topology import Topology

Path = tuple[int, ...]
# What enters the queue of `shortest_paths`: a length, and a path (1) or a deviation not yet searched (0).
_Entry = tuple[int, int, Path, int]


def _exact(lengths: Sequence[float]) -> list[int]:
    """The lengths as written, in the largest decimal unit that makes all of them whole numbers."""
    decimals = [Decimal(repr(length)) for length in lengths]
    places = max((-int(decimal.as_tuple().exponent) for decimal in decimals), default=0)
    return [int(decimal.scaleb(places)) if places > 0 else int(decimal) for decimal in decimals]


class Graph:
    """The nodes and links of a topology.

    Args:
        topology: the topology.
        usable: the numbers of the links that paths may use; None for all.
    """

    def __init__(self, topology: Topology, usable: Iterable[int] | None = None) -> None:
        self.names = sorted(node.name for node in topology.nodes)
        self.numbers = {name: number for number, name in enumerate(self.names)}
        self.lengths = _exact([link.length for link in topology.links])
        self.neighbours: list[list[tuple[int, int, int]]] = [[] for _ in self.names]
        self._between: dict[tuple[int, int], int] = {}
        for link in range(len(topology.links)) if usable is None else usable:
            a = self.numbers[topology.links[link].source]
            b = self.numbers[topology.links[link].destination]
            for node, other in ((a, b), (b, a)):
                self.neighbours[node].append((other, self.lengths[link], link))
                self._between[node, other] = link
        self._distances: dict[int, list[int]] = {}

    def links(self, path: Path) -> list[int]:
        """The numbers of a path's links, in order."""
        return [self._between[hop] for hop in pairwise(path)]

    def length(self, path: Path) -> int:
        """The exact length of a path, to compare with those of other paths of this graph."""
        return sum(self.lengths[link] for link in self.links(path))

    def _distances_to(self, target: int) -> list[int]:
        """The distance of every node to `target`; -1 where no path leads."""
        known = self._distances.get(target)
        if known is None:
            known = self._distances[target] = [-1] * len(self.names)
            queue = [(0, target)]
            while queue:
                distance, node = heapq.heappop(queue)
                if known[node] >= 0:
                    continue
                known[node] = distance
                for other, length, _ in self.neighbours[node]:
                    if known[other] < 0:
                        heapq.heappush(queue, (distance + length, other))
        return known

    def shortest_path(
        self, source: int, target: int, without_nodes: int = 0, without_links: int = 0, first_links: int = -1
    ) -> tuple[int, Path] | None:
        """The shortest path, and of several the first by its nodes.

        An A* search whose estimate is the distance in the whole graph: it visits little more than the path.

        Args:
            source: the first node.
            target: the last node.
            without_nodes: nodes that the path avoids.
            without_links: links that the path avoids.
            first_links: the links by which the path may leave `source`.

        Returns:
            Its exact length and its nodes; None if there is none.
        """
        rest = self._distances_to(target)
        if rest[source] < 0:
            return None
        visited = without_nodes
        queue: list[tuple[int, Path]] = [(rest[source], (source,))]
        forbidden = without_links | ~first_links
        while queue:
            estimate, path = heapq.heappop(queue)
            node = path[-1]
            if node == target:
                return estimate, path
            if visited >> node & 1:
                continue
            visited |= 1 << node
            travelled = estimate - rest[node]
            for other, length, link in self.neighbours[node]:
                if not (visited >> other & 1 or forbidden >> link & 1):
                    heapq.heappush(queue, (travelled + length + rest[other], (*path, other)))
            forbidden = without_links
        return None

    def shortest_paths(
        self, source: int, target: int, count: int, without_nodes: int = 0, without_links: int = 0
    ) -> list[Path]:
        """The shortest simple paths, in order of length and then of their nodes.

        Yen's algorithm. A deviation is searched only when its lower bound comes up in the queue.

        Args:
            source: the first node.
            target: the last node, another one.
            count: how many paths at most.
            without_nodes: nodes that the paths avoid.
            without_links: links that the paths avoid.
        """
        first = self.shortest_path(source, target, without_nodes, without_links)
        if first is None:
            return []
        paths: list[Path] = []
        # Of a deviation: its root, and the links by which it may leave the root's last node.
        deviations: dict[Path, int] = {}
        queue: list[_Entry] = [(first[0], 1, first[1], 0)]
        while queue:
            _, is_path, path, position = heapq.heappop(queue)
            if not is_path:
                spur = self._deviate(target, path, deviations[path], without_nodes, without_links)
                if spur is not None:
                    heapq.heappush(queue, (spur[0], 1, spur[1], len(path) - 1))
                continue
            paths.append(path)
            if len(paths) == count:
                break
            for index in range(position, len(path) - 1):
                root = path[: index + 1]
                used = self._between[path[index], path[index + 1]]
                deviations[root] = deviations.get(root, ~without_links) & ~(1 << used)
                bound = self._bound(target, root, deviations[root], without_nodes)
                if bound is not None:
                    heapq.heappush(queue, (bound, 0, root, 0))
        return paths

    def _bound(self, target: int, root: Path, first_links: int, without_nodes: int) -> int | None:
        """A lower bound for the length of a path that deviates at the end of `root`."""
        rest, shortest = self._distances_to(target), None
        for other, length, link in self.neighbours[root[-1]]:
            if not first_links >> link & 1 or without_nodes >> other & 1 or other in root:
                continue
            if shortest is None or length + rest[other] < shortest:
                shortest = length + rest[other]
        return None if shortest is None else self.length(root) + shortest

    def _deviate(
        self, target: int, root: Path, first_links: int, without_nodes: int, without_links: int
    ) -> tuple[int, Path] | None:
        for node in root[:-1]:
            without_nodes |= 1 << node
        spur = self.shortest_path(root[-1], target, without_nodes, without_links, first_links)
        return None if spur is None else (self.length(root) + spur[0], root[:-1] + spur[1])

    def disjoint_pair(self, source: int, target: int) -> tuple[Path, Path] | None:
        """The two paths of the least length in sum that share no inner node and no link, the shorter first.

        Bhandari's algorithm: a flow of two units through nodes that each take one.

        Returns:
            The two paths; None if there are none.
        """
        first = self.shortest_path(source, target)
        if first is None:
            return None
        second = self._augment(first[1])
        if second is None:
            return None
        hops = set(pairwise(first[1]))
        for a, b in second:
            if (b, a) in hops:
                hops.remove((b, a))
            else:
                hops.add((a, b))
        following: dict[int, list[int]] = {}
        for a, b in sorted(hops):
            following.setdefault(a, []).append(b)
        pair = []
        for start in following[source]:
            path = [source, start]
            while path[-1] != target:
                path.append(following[path[-1]][0])
            pair.append(tuple(path))
        pair.sort(key=lambda path: (self.length(path), path))
        return pair[0], pair[1]

    def _augment(self, path: Path) -> list[tuple[int, int]] | None:
        """The cheapest way to send a second unit of flow beside that of `path`, as hops between nodes."""
        # A node has two states: 2n takes flow in, 2n + 1 gives it out. On `path` flow runs backwards only.
        inner = set(path[1:-1])
        forward = set(pairwise(path))
        arcs = [(2 * n + 1, 2 * n, 0) if n in inner else (2 * n, 2 * n + 1, 0) for n in range(len(self.names))]
        for a, links in enumerate(self.neighbours):
            for b, length, _ in links:
                if (b, a) in forward:
                    arcs.append((2 * a, 2 * b + 1, -length))
                elif (a, b) not in forward:
                    arcs.append((2 * a + 1, 2 * b, length))
        start, end = 2 * path[0] + 1, 2 * path[-1]
        cost: dict[int, int] = {start: 0}
        previous: dict[int, int] = {}
        # Bellman and Ford: lengths may be negative, and no cycle is.
        changed = True
        while changed:
            changed = False
            for a, b, length in arcs:
                if a in cost and (b not in cost or cost[a] + length < cost[b]):
                    cost[b], previous[b], changed = cost[a] + length, a, True
        if end not in cost:
            return None
        states = [end]
        while states[-1] != start:
            states.append(previous[states[-1]])
        nodes = [state // 2 for state in reversed(states)]
        return [(a, b) for a, b in pairwise(nodes) if a != b]
