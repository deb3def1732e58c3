"""Writes the sample network of this blueprint: a topology and a traffic matrix as workbooks, and a price list.

All of it is invented: the places are in no country, and the prices are nobody's. The same seed gives the same bytes.

Usage: make_sample.py [FOLDER]
"""

from __future__ import annotations

import math
import random
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter

SEED = 22
# Name, latitude, longitude.
NODES = [
    ("Ardvale", 44.807, -28.957),
    ("Belisk", 45.168, -29.463),
    ("Corvena", 44.214, -29.5),
    ("Dunmere", 44.071, -28.738),
    ("Estrel", 45.168, -30.079),
    ("Fenwyr", 44.39, -30.275),
    ("Galdor", 45.021, -27.895),
    ("Hollarn", 45.24, -28.352),
    ("Isenfal", 44.713, -27.607),
    ("Jorvale", 44.838, -28.356),
    ("Kestria", 44.754, -30.72),
    ("Lindmoor", 45.086, -30.709),
    ("Marvane", 45.438, -29.124),
    ("Norvik", 44.546, -28.639),
    ("Ostrane", 44.721, -29.815),
    ("Pellworth", 44.223, -28.023),
    ("Rosmere", 44.433, -29.1),
    ("Selvane", 45.477, -29.617),
    ("Tarnholt", 44.784, -28.67),
    ("Ulvere", 44.936, -28.922),
    ("Vesmark", 44.672, -28.847),
    ("Westrell", 44.713, -27.425),
]
LINKS = """
Ardvale-Ostrane Ardvale-Rosmere Ardvale-Tarnholt Ardvale-Ulvere Ardvale-Vesmark Belisk-Estrel Belisk-Marvane
Belisk-Ostrane Corvena-Dunmere Corvena-Fenwyr Corvena-Ostrane Corvena-Rosmere Dunmere-Pellworth Estrel-Ostrane
Fenwyr-Ostrane Galdor-Hollarn Galdor-Jorvale Galdor-Westrell Hollarn-Jorvale Hollarn-Marvane Isenfal-Jorvale
Isenfal-Westrell Jorvale-Norvik Jorvale-Tarnholt Kestria-Lindmoor Kestria-Ostrane Lindmoor-Selvane Marvane-Selvane
Norvik-Tarnholt Ostrane-Rosmere Pellworth-Westrell Tarnholt-Ulvere Tarnholt-Vesmark
"""
EARTH_RADIUS_KM = 6371.0
# How much longer a cable is than the straight line.
LEAST_DETOUR, GREATEST_DETOUR = 1.02, 1.25

SERVICE_TYPES = ("E1", "STM1 Electrical", "STM1 Optical", "STM4", "STM16", "STM64", "FE", "GE", "10GE", "100GE")
# How many demands have services of a type, and how many services these are in all.
SERVICES = {
    "STM16": (2, 4),
    "STM64": (18, 36),
    "FE": (40, 112),
    "GE": (78, 604),
    "10GE": (38, 130),
    "100GE": (9, 14),
}
# How many demands have a protection and a restoration.
PROTECTIONS = {
    ("1+1_NodeDisjoint", "None"): 56,
    ("1+1_NodeDisjoint", "JointSame"): 22,
    ("1+1_NodeDisjoint", "AdvJointSame"): 9,
    ("NoProtection", "None"): 17,
}

# The price of a device in EUR and its power in W.
PRICES = {
    "MP2X": ("Muxponder 2 x 10G", 4_200, 45),
    "MP1H": ("Muxponder 100G", 14_800, 120),
    "TP1H": ("Transponder 100G", 11_500, 95),
    "IFC": ("Interface card", 650, 8),
    "SC": ("Shelf controller", 1_150, 15),
    "OS5": ("Optical supervisory channel", 1_900, 12),
    "FIM": ("Fibre interface module", 780, 2),
    "Amplifier": ("Optical amplifier", 5_400, 35),
    "HKP": ("Housekeeping panel", 240, 1),
    "WS9": ("Wavelength-selective switch 1 x 9", 8_900, 25),
    "WS4": ("Wavelength-selective switch 1 x 4", 5_600, 18),
    "SM2": ("Protection switch module", 1_350, 4),
    "MD48": ("Multiplexer of 48 channels", 3_300, 0),
    "PWR": ("Power supply unit", 520, 10),
    "OCM": ("Optical channel monitor", 2_700, 9),
}


def topology() -> dict[str, Any]:
    """The nodes, and the links with lengths that fit the distances."""
    chance = random.Random(f"{SEED}:links")
    places = {name: (lat, lng) for name, lat, lng in NODES}
    links = []
    for pair in LINKS.split():
        source, destination = pair.split("-")
        detour = chance.uniform(LEAST_DETOUR, GREATEST_DETOUR)
        length = round(distance_km(places[source], places[destination]) * detour, 1)
        links.append({"source": source, "destination": destination, "length": length, "fiber_type": "sm"})
    nodes = [{"name": name, "lat": lat, "lng": lng, "roadm_type": "Directionless"} for name, lat, lng in NODES]
    return {"nodes": nodes, "links": links}


def distance_km(start: tuple[float, float], end: tuple[float, float]) -> float:
    """The great-circle distance of two places in degrees, in km."""
    lat, lng, to_lat, to_lng = (math.radians(degrees) for degrees in (*start, *end))
    half = math.sin((to_lat - lat) / 2) ** 2 + math.cos(lat) * math.cos(to_lat) * math.sin((to_lng - lng) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(half))


def traffic_matrix() -> dict[str, Any]:
    """The demands, with ids as the import of the workbook numbers them."""
    chance = random.Random(f"{SEED}:traffic")
    protections = [words for words, count in PROTECTIONS.items() for _ in range(count)]
    chance.shuffle(protections)
    ends = _pairs_of_nodes(chance, len(protections))
    quantities = _quantities(chance, len(ends))
    demands, last_service = {}, 0
    for number, ((source, destination), (protection, restoration)) in enumerate(zip(ends, protections, strict=True), 1):
        services = []
        for type_ in SERVICE_TYPES:
            quantity = quantities[number - 1].get(type_, 0)
            if quantity:
                ids = [str(last_service + offset) for offset in range(1, quantity + 1)]
                services.append({"type": type_, "quantity": quantity, "service_id_list": ids})
                last_service += quantity
        demands[str(number)] = {
            "id": str(number),
            "source": source,
            "destination": destination,
            "protection_type": protection,
            "restoration_type": restoration,
            "services": services,
        }
    return {"demands": demands}


def _pairs_of_nodes(chance: random.Random, count: int) -> list[tuple[str, str]]:
    """Different pairs of nodes; large nodes are in more of them, and each node is in some."""
    degrees = {name: sum(name in pair.split("-") for pair in LINKS.split()) for name, _, _ in NODES}
    names = list(degrees)
    pairs = [(first, second) for index, first in enumerate(names) for second in names[index + 1 :]]
    # A pair comes the earlier the larger its nodes are: weighted sampling without replacement.
    keys = {pair: chance.random() ** (1 / (degrees[pair[0]] * degrees[pair[1]])) for pair in pairs}
    drawn = sorted(pairs, key=lambda pair: -keys[pair])[:count]
    return [pair if chance.random() < 0.5 else (pair[1], pair[0]) for pair in sorted(drawn)]


def _quantities(chance: random.Random, demands: int) -> list[dict[str, int]]:
    """How many services of each type each demand has: at least one of some type."""
    quantities: list[dict[str, int]] = [{} for _ in range(demands)]
    unserved = list(range(demands))
    chance.shuffle(unserved)
    for type_, (share, total) in SERVICES.items():
        # Demands without services come first, so that none stays without.
        others = [demand for demand in range(demands) if demand not in unserved]
        chance.shuffle(others)
        members = (unserved + others)[:share] if type_ in ("GE", "10GE") else chance.sample(range(demands), share)
        unserved = [demand for demand in unserved if demand not in members]
        weights = [chance.expovariate(1) + 0.2 for _ in members]
        for demand in members:
            quantities[demand][type_] = 1
        for demand in chance.choices(members, weights, k=total - share):
            quantities[demand][type_] += 1
    return quantities


def write_topology(path: Path, document: dict[str, Any]) -> None:
    """Write a topology as a workbook for the import."""
    with _workbook(path) as workbook:
        sheet = workbook.add_worksheet("Nodes")
        sheet.write_row(0, 0, ["ID", "Node", "lat", "lng", "ROADM_Type"])
        for row, node in enumerate(document["nodes"], 1):
            sheet.write_row(row, 0, [row, node["name"], node["lat"], node["lng"], node["roadm_type"]])
        sheet = workbook.add_worksheet("Links")
        sheet.write_row(0, 0, ["ID", "Source", "Destination", "Length", "Fiber Type"])
        for row, link in enumerate(document["links"], 1):
            sheet.write_row(row, 0, [row, link["source"], link["destination"], link["length"], link["fiber_type"]])


def write_traffic_matrix(path: Path, document: dict[str, Any]) -> None:
    """Write a traffic matrix as a workbook for the import: the names of the columns are in its second row."""
    columns = ["ID", "Source", "Destination", "Restoration_Type", "Protection_Type"]
    with _workbook(path) as workbook:
        sheet = workbook.add_worksheet("Traffic")
        sheet.merge_range(0, 0, 0, len(columns) - 1, "Demand")
        sheet.merge_range(0, len(columns), 0, len(columns) + len(SERVICE_TYPES) - 1, "Services")
        sheet.write_row(1, 0, [*columns, *(f"Quantity_{type_}" for type_ in SERVICE_TYPES)])
        for row, demand in enumerate(document["demands"].values(), 2):
            cells = [demand["source"], demand["destination"], demand["restoration_type"], demand["protection_type"]]
            quantities = {service["type"]: service["quantity"] for service in demand["services"]}
            sheet.write_row(row, 0, [row - 1, *cells, *(quantities.get(type_) for type_ in SERVICE_TYPES)])


def _workbook(path: Path) -> xlsxwriter.Workbook:
    workbook = xlsxwriter.Workbook(path)
    # Without a fixed time, the bytes would differ each time.
    workbook.set_properties({"created": datetime(2026, 1, 1)})
    return workbook


def prices() -> str:
    """The price list as CSV."""
    lines = [f"{device},{name},{price},{power}\n" for device, (name, price, power) in PRICES.items()]
    return "".join(["device,name,price_eur,power_w\n", *lines])


def write(folder: Path) -> None:
    """Write all files below a folder."""
    for name in ("inputs", "files/device-prices"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    network, matrix = topology(), traffic_matrix()
    write_topology(folder / "inputs/topology.xlsx", network)
    write_traffic_matrix(folder / "inputs/traffic.xlsx", matrix)
    (folder / "files/device-prices/prices.csv").write_text(prices(), encoding="utf-8", newline="")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
