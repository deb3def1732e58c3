"""The services' rates, and the devices that carry them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sluice.planning.traffic import ServiceType

# In Gb/s. GE counts with its line rate.
RATES: Mapping[ServiceType, float] = {
    "E1": 0.002048,
    "STM1 Electrical": 0.15552,
    "STM1 Optical": 0.15552,
    "STM4": 0.62208,
    "STM16": 2.5,
    "STM64": 10,
    "FE": 0.1,
    "GE": 1.25,
    "10GE": 10,
    "100GE": 100,
}
# The keys of services in `remaining_services`.
SERVICE_KEYS: Mapping[ServiceType, str] = {
    "E1": "E1",
    "STM1 Electrical": "stm1_e",
    "STM1 Optical": "stm1_o",
    "STM4": "stm4",
    "STM16": "stm16",
    "STM64": "stm64",
    "FE": "FE",
    "GE": "GE1",
    "10GE": "GE10",
    "100GE": "GE100",
}
# Rates are added and compared as whole bits per second, so that no sum depends on the order of its terms.
GIGABIT = 10**9


@dataclass(frozen=True)
class Panel:
    """A type of device. Each device occupies two adjacent slots at both ends of a demand.

    Args:
        name: the type's name.
        client_types: the services that it takes.
        client_ports: the most clients of the whole device.
        client_rate: the highest rate of a client in Gb/s.
        line_rate: the rate of one line in Gb/s.
        lines: how many lines it has.
    """

    name: str
    client_types: tuple[ServiceType, ...]
    client_ports: int
    client_rate: int
    line_rate: int
    lines: int = 1


TP1H = Panel("TP1H", ("100GE",), client_ports=1, client_rate=100, line_rate=100)
# Groomouts, the lines of MP2X devices, are clients of MP1H devices, too.
MP1H = Panel("MP1H", ("10GE", "STM64"), client_ports=10, client_rate=10, line_rate=100)
MP2X = Panel(
    "MP2X",
    ("STM16", "GE", "STM4", "STM1 Electrical", "STM1 Optical", "FE"),
    client_ports=16,
    client_rate=10,
    line_rate=10,
    lines=2,
)
# In the order in which devices are placed.
PANELS = (TP1H, MP1H, MP2X)
PANEL_OF: Mapping[ServiceType, Panel] = {kind: panel for panel in PANELS for kind in panel.client_types}


def bits_of(rates: Mapping[ServiceType, float]) -> dict[ServiceType, int]:
    """The rate of each type in bit/s.

    Args:
        rates: rates in Gb/s that replace those of the table.
    """
    return {kind: round(rate * GIGABIT) for kind, rate in {**RATES, **rates}.items()}
