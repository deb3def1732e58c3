"""End-to-end grooming of the planner's peer, written straight from the specification."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from math import ceil
from typing import Any

RATES = {"STM16": 2.5, "GE": 1.25, "STM4": 0.62208, "STM1 Electrical": 0.15552, "STM1 Optical": 0.15552, "FE": 0.1}
TOLERANCE = 1e-9
MOST_NODES = 200_000


@dataclass(frozen=True)
class Lightpath:
    """A lightpath to route."""

    id: str
    source: str
    destination: str
    protected: bool
    restoration: str
    capacity: float


def first_fit(rates: list[float]) -> list[list[float]]:
    """Lines of at most 10 Gb/s and 16 clients by first fit; rates in falling order."""
    lines: list[list[float]] = []
    for rate in rates:
        for line in lines:
            if len(line) < 16 and sum(line) + rate <= 10 + TOLERANCE:
                line.append(rate)
                break
        else:
            lines.append([rate])
    return lines


def pack(rates: list[float], count: int) -> list[list[float]] | None:
    """The rates in so many lines by trying all ways; None where that is impossible or takes too long."""
    lines: list[list[float]] = [[] for _ in range(count)]
    failed: set[tuple[Any, ...]] = set()

    def place(position: int) -> bool:
        if position == len(rates):
            return True
        # Lines are alike if as many clients with the same sum are in them.
        state = position, tuple(sorted((len(line), round(sum(line), 9)) for line in lines))
        if state in failed or len(failed) > MOST_NODES:
            return False
        for line in lines:
            if len(line) < 16 and sum(line) + rates[position] <= 10 + TOLERANCE:
                line.append(rates[position])
                if place(position + 1):
                    return True
                line.pop()
        failed.add(state)
        return False

    return lines if place(0) else None


def fewest_lines(rates: list[float]) -> list[list[float]]:
    """The clients in as few lines as were reached."""
    rates = sorted(rates, reverse=True)
    lines = first_fit(rates)
    least = max(ceil(len(rates) / 16), ceil(sum(rates) / 10 - TOLERANCE))
    for count in range(least, len(lines)):
        better = pack(rates, count)
        if better:
            return better
    return lines


def panels(clients: list[int]) -> int:
    """How many MP2X panels carry lines with so many clients: two lines and 16 clients each."""
    clients = sorted(clients)
    count = 0
    while clients:
        largest = clients.pop()
        if clients and largest + clients[0] <= 16:
            clients.pop(0)
        count += 1
    return count


def groom(
    matrix: dict[str, Any], threshold: float
) -> tuple[list[Lightpath], dict[str, Counter[str]], dict[str, float]]:
    """Groom all demands.

    Args:
        matrix: the document.
        threshold: the least capacity of a lightpath of an MP1H, in Gb/s.

    Returns:
        The lightpaths, the devices at each node, and the statistics.
    """
    lightpaths: list[Lightpath] = []
    devices: dict[str, Counter[str]] = defaultdict(Counter)
    groomouts = 0
    for demand in matrix["demands"].values():
        services = [service["type"] for service in demand["services"] for _ in range(service["quantity"])]
        lines = fewest_lines([RATES[kind] for kind in services if kind in RATES])
        clients = [10.0] * sum(kind in ("10GE", "STM64") for kind in services) + [sum(line) for line in lines]
        groups = [sum(clients[first : first + 10]) for first in range(0, len(clients), 10)]
        groups = [capacity for capacity in groups if capacity >= threshold - TOLERANCE]
        whole = services.count("100GE")
        groomouts += len(lines)
        used = Counter(TP1H=whole, MP1H=len(groups), MP2X=panels([len(line) for line in lines]))
        for node in (demand["source"], demand["destination"]):
            devices[node] += used
        for index, capacity in enumerate([100.0] * whole + groups):
            lightpaths.append(
                Lightpath(
                    f"{demand['id']}:{index}",
                    demand["source"],
                    demand["destination"],
                    demand.get("protection_type", "1+1_NodeDisjoint") == "1+1_NodeDisjoint",
                    demand.get("restoration_type", "None"),
                    capacity,
                )
            )
    total: Counter[str] = sum(devices.values(), Counter())
    statistics = {
        "lightpath_no": len(lightpaths),
        "mean_lightpath_cap": sum(one.capacity for one in lightpaths) / len(lightpaths) if lightpaths else 0.0,
        "groomout_no": groomouts,
        "mp2x_no": total["MP2X"],
        "tp1h_no": total["TP1H"],
        "mp1h_no": total["MP1H"],
    }
    return lightpaths, devices, statistics
