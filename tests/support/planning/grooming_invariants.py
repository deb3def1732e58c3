"""The invariants of grooming, computed from a result as the specification states them."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import Any

import pytest

RATES = {
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
KEYS = {
    "E1": "E1",
    "stm1_e": "STM1 Electrical",
    "stm1_o": "STM1 Optical",
    "stm4": "STM4",
    "stm16": "STM16",
    "stm64": "STM64",
    "FE": "FE",
    "GE1": "GE",
    "GE10": "10GE",
    "GE100": "100GE",
}
TEN = ("10GE", "STM64")
Demands = dict[str, dict[str, Any]]


def check_grooming(document: dict[str, Any], matrix: dict[str, Any], threshold: int) -> None:
    """Assert the invariants 1 to 7 of a result of grooming.

    Args:
        document: the result.
        matrix: the traffic matrix as JSON.
        threshold: the lowest rate of an MP1H lightpath in Gb/s.
    """
    demands = groomed_demands(document, matrix)
    kinds = {service: kind for demand in demands.values() for service, kind in demand["kinds"].items()}
    check_services_once(document, demands, kinds)
    check_groomouts_once(document)
    check_capacities(document, kinds)
    check_threshold(document, kinds, threshold)
    check_ends_and_types(document, demands, kinds)
    check_lines(document, kinds)
    check_devices(document, demands, kinds)


def groomed_demands(document: dict[str, Any], matrix: dict[str, Any]) -> Demands:
    """The demands that were groomed, with the type of each of their services: pieces in place of services that are cut.

    Asserts that the pieces of each service form a chain between the ends of its demand.
    """
    original = {
        id: {**demand, "kinds": {name: s["type"] for s in demand["services"] for name in s["service_id_list"]}}
        for id, demand in matrix["demands"].items()
    }
    demands = {id: {**demand, "kinds": dict(demand["kinds"])} for id, demand in original.items()}
    for id, cut in document.get("mapping", {}).items():
        for service, pieces in cut.items():
            kind = demands[id]["kinds"].pop(service)
            assert len(pieces) >= 1
            node = original[id]["source"]
            for piece in pieces:
                assert piece["source"] == node != piece["destination"]
                node = piece["destination"]
                ends = {key: piece[key] for key in ("source", "destination")}
                new = {**original[id], **ends, "kinds": {}, "services": []}
                taker = demands.setdefault(piece["demand_id"], new)
                assert {taker["source"], taker["destination"]} == set(ends.values())
                for key in ("protection_type", "restoration_type"):
                    assert taker[key] == original[id][key]
                assert piece["service_id"] not in taker["kinds"]
                taker["kinds"][piece["service_id"]] = kind
            assert node == original[id]["destination"]
    return demands


def lightpaths(document: dict[str, Any]) -> list[dict[str, Any]]:
    """All lightpaths of all matrices."""
    return [path for traffic in document["traffic"].values() for path in traffic["lightpaths"].values()]


def groomouts(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """All groomouts of all matrices by id, each with the id of its demand."""
    listed = [
        {**groomout, "demand": demand}
        for traffic in document["traffic"].values()
        for demand, result in traffic["low_rate_grooming_result"]["demands"].items()
        for groomout in result["groomouts"].values()
    ]
    assert len({groomout["id"] for groomout in listed}) == len(listed)
    return {groomout["id"]: groomout for groomout in listed}


def remaining(document: dict[str, Any]) -> dict[str, list[str]]:
    """The remaining services by demand, without those of groomouts."""
    result: dict[str, list[str]] = defaultdict(list)
    for traffic in document["traffic"].values():
        for demand, entries in traffic["remaining_services"]["demands"].items():
            for key, entry in entries.items():
                assert entry["type"] == KEYS[key]
                assert entry["count"] == len(entry["service_id_list"]) > 0
                assert entry["reason"] == ("unsupported" if key == "E1" else "below_threshold")
                result[demand] += entry["service_id_list"]
    return result


def check_services_once(document: dict[str, Any], demands: Demands, kinds: dict[str, str]) -> None:
    """Invariant 1, for each demand."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for path in lightpaths(document):
        seen[path["demand_id"]].update(client["id"] for client in path["service_id_list"] if client["type"] == "normal")
    for groomout in groomouts(document).values():
        seen[groomout["demand"]].update(client["id"] for client in groomout["service_id_list"])
        assert all(client["type"] == kinds[client["id"]] for client in groomout["service_id_list"])
    for id, services in remaining(document).items():
        seen[id].update(services)
    assert seen == {id: Counter(list(demand["kinds"])) for id, demand in demands.items() if demand["kinds"]}


def check_groomouts_once(document: dict[str, Any]) -> None:
    """Invariant 2."""
    carried = {
        client["id"]: path["id"]
        for path in lightpaths(document)
        for client in path["service_id_list"]
        if client["type"] == "groomout"
    }
    uses = [c["id"] for path in lightpaths(document) for c in path["service_id_list"] if c["type"] == "groomout"]
    left = [
        id
        for traffic in document["traffic"].values()
        for ids in traffic["remaining_groomouts"]["demands"].values()
        for id in ids
    ]
    known = groomouts(document)
    assert Counter(uses + left) == Counter(list(known))
    assert {id: groomout["lightpath_id"] for id, groomout in known.items()} == {**dict.fromkeys(left), **carried}
    for end in ("source", "destination"):
        lines = [
            device[line]["groomout_id"]
            for device in document["service_devices"].values()
            if device["panel"] == "MP2X" and device["id"].endswith(f":{end}")
            for line in ("line1", "line2")
            if line in device
        ]
        assert Counter(lines) == Counter(list(known))


def check_capacities(document: dict[str, Any], kinds: dict[str, str]) -> None:
    """Invariant 3."""
    known = groomouts(document)
    for groomout in known.values():
        clients = groomout["service_id_list"]
        assert 1 <= len(clients) <= 16
        assert groomout["capacity"] <= 10 + 1e-9
        assert groomout["capacity"] == pytest.approx(sum(RATES[kinds[c["id"]]] for c in clients), abs=1e-9)
    for device in document["service_devices"].values():
        lines = [device[line]["groomout_id"] for line in ("line1", "line2") if line in device]
        assert sum(len(known[id]["service_id_list"]) for id in lines) <= 16
    for path in lightpaths(document):
        clients = path["service_id_list"]
        assert 1 <= len(clients) <= 10
        assert path["capacity"] <= 100 + 1e-9
        rates = [known[c["id"]]["capacity"] if c["type"] == "groomout" else RATES[kinds[c["id"]]] for c in clients]
        assert path["capacity"] == pytest.approx(sum(rates), abs=1e-9)


def check_threshold(document: dict[str, Any], kinds: dict[str, str], threshold: int) -> None:
    """Invariant 4."""
    known = groomouts(document)
    left = [service for services in remaining(document).values() for service in services]
    rest: dict[str, list[float]] = defaultdict(list)
    for demand, services in remaining(document).items():
        rest[demand] += [RATES[kinds[service]] for service in services if kinds[service] != "E1"]
    for groomout in known.values():
        if groomout["lightpath_id"] is None:
            rest[groomout["demand"]].append(groomout["capacity"])
    for rates in rest.values():
        # What remains of a demand is some groups of at most ten, each below the threshold.
        assert not rates or sum(rates) < math.ceil(len(rates) / 10) * threshold
    for path in lightpaths(document):
        single = [kinds.get(client["id"]) for client in path["service_id_list"]] == ["100GE"]
        assert single or path["capacity"] >= threshold - 1e-9
    if threshold == 0:
        assert all(kinds[service] == "E1" for service in left)
        assert all(groomout["lightpath_id"] for groomout in known.values())
    total = sum(path["capacity"] for path in lightpaths(document)) + sum(RATES[kinds[service]] for service in left)
    total += sum(groomout["capacity"] for groomout in known.values() if groomout["lightpath_id"] is None)
    assert total == pytest.approx(sum(RATES[kind] for kind in kinds.values()), abs=1e-6)


def check_ends_and_types(document: dict[str, Any], demands: Demands, kinds: dict[str, str]) -> None:
    """Invariant 5."""
    for path in lightpaths(document):
        demand = demands[path["demand_id"]]
        for key in ("source", "destination", "protection_type", "restoration_type"):
            assert path[key] == demand[key]
        assert path["routing_type"] == "100GE"
        clients = path["service_id_list"]
        types = [kinds[client["id"]] for client in clients if client["type"] == "normal"]
        assert types == [client["normal_service_type"] for client in clients if client["type"] == "normal"]
        assert types == ["100GE"] or all(kind in TEN for kind in types)
    for groomout in groomouts(document).values():
        assert all(client["type"] not in (*TEN, "100GE", "E1") for client in groomout["service_id_list"])


def check_lines(document: dict[str, Any], kinds: dict[str, str]) -> None:
    """Invariant 6: lower bounds. That a number is minimal is tested with packings of known size."""
    for traffic in document["traffic"].values():
        for result in traffic["low_rate_grooming_result"]["demands"].values():
            clients = [kinds[c["id"]] for groomout in result["groomouts"].values() for c in groomout["service_id_list"]]
            rate = sum(RATES[kind] for kind in clients)
            bound = max(math.ceil(len(clients) / 16), math.ceil(rate / 10 - 1e-9))
            assert len(result["groomouts"]) >= bound
            assert isinstance(result["proven_minimal"], bool)


def check_devices(document: dict[str, Any], demands: Demands, kinds: dict[str, str]) -> None:
    """Invariant 7, and the places of devices."""
    devices = document["service_devices"]
    assert all(device["id"] == id for id, device in devices.items())
    panels = Counter(device["panel"] for device in devices.values())
    hundreds = [kind for kind in kinds.values() if kind == "100GE"]
    assert panels["TP1H"] == 2 * len(hundreds)
    assert panels["MP1H"] == 2 * (len(lightpaths(document)) - len(hundreds))
    paths = {path["id"]: path for path in lightpaths(document)}
    nodes = defaultdict(list)
    counts: dict[str, Counter[str]] = {"source": Counter(), "destination": Counter()}
    for id, device in devices.items():
        if device["panel"] == "MP2X":
            owners = {device[line]["demand_id"] for line in ("line1", "line2") if line in device}
            assert len(owners) == 1
            end = id.rsplit(":")[-1]
            owner = owners.pop()
            counts[end][owner] += 1
            nodes[demands[owner][end]].append(id)
        else:
            nodes[paths[device["lightpath_id"]][id.rsplit(":")[-1]]].append(id)
    assert counts["source"] == counts["destination"]
    placed: dict[str, list[str]] = defaultdict(list)
    slots_of: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    order = {"TP1H": 0, "MP1H": 1, "MP2X": 2}
    for node, racks in document["node_structure"]["nodes"].items():
        for rack, shelves in racks["racks"].items():
            for shelf, slots in shelves["shelves"].items():
                for slot, id in slots["slots"].items():
                    assert 0 <= int(slot) <= 13
                    slots_of[id].append((rack, shelf, slot))
                    if id not in placed[node]:
                        placed[node].append(id)
    assert {node: sorted(ids) for node, ids in placed.items()} == {node: sorted(ids) for node, ids in nodes.items()}
    for ids in placed.values():
        assert [order[devices[id]["panel"]] for id in ids] == sorted(order[devices[id]["panel"]] for id in ids)
    for (rack, shelf, slot), *others in slots_of.values():
        assert others == [(rack, shelf, str(int(slot) + 1))]
    _check_matrices(document)
    _check_addresses(document, slots_of)
    _check_statistics(document, panels)


def _check_matrices(document: dict[str, Any]) -> None:
    """Each device is of the matrix that has its lightpath or lines."""
    for device in document["service_devices"].values():
        traffic = document["traffic"][device["sub_tm_id"]]
        if device["panel"] == "MP2X":
            assert device["line1"]["demand_id"] in traffic["low_rate_grooming_result"]["demands"]
        else:
            assert device["lightpath_id"] in traffic["lightpaths"]


def _check_addresses(document: dict[str, Any], slots_of: dict[str, list[tuple[str, str, str]]]) -> None:
    """The address of each groomout in a lightpath is where its MP2X is."""
    lines = {
        (device[line]["groomout_id"], device["id"].rsplit(":")[-1]): device["id"]
        for device in document["service_devices"].values()
        for line in ("line1", "line2")
        if line in device
    }
    for path in lightpaths(document):
        for client in path["service_id_list"]:
            if client["type"] == "normal":
                assert client["mp2x_panel_address"] is None
                continue
            assert set(client["mp2x_panel_address"]) == {"source", "destination"}
            for end, address in client["mp2x_panel_address"].items():
                slots = [(address["rack_id"], address["shelf_id"], slot) for slot in address["slot_id_list"]]
                assert slots == slots_of[lines[client["id"], end]]


def _check_statistics(document: dict[str, Any], panels: Counter[str]) -> None:
    capacities = [path["capacity"] for path in lightpaths(document)]
    assert document["statistics"] == {
        "lightpath_no": len(capacities),
        "mean_lightpath_cap": pytest.approx(sum(capacities) / len(capacities) if capacities else 0),
        "groomout_no": len(groomouts(document)),
        "mp2x_no": panels["MP2X"],
        "tp1h_no": panels["TP1H"],
        "mp1h_no": panels["MP1H"],
    }
