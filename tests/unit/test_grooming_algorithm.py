"""The algorithm `grooming`: its result, its tables and warnings, and the check of results that are made by hand."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_shared_grooming import Case, clustered, clusters_of, demands, line, parameters_of

from sluice.algorithms.algorithm import Result
from sluice.domain.base import validation_faults
from sluice.errors import Invalid
from sluice.planning.grooming.parameters import Method
from sluice.planning.grooming.pieces import Piece, cut_demands
from sluice.planning.traffic import Service
from sluice_algorithms.grooming import ALGORITHM, check

Document = dict[str, Any]


class FakeTask:
    """A run whose inputs and parameters are given."""

    def __init__(self, documents: Mapping[str, Any], parameters: Any) -> None:
        self.documents = documents
        self.parameters = parameters
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


def run(documents: Mapping[str, Any], **parameters: Any) -> tuple[Result, list[str]]:
    """The result of a run, and its warnings."""
    task: Any = FakeTask(documents, parameters_of(**parameters))
    solution = ALGORITHM.solve(task, None, 0)
    assert ALGORITHM.finish
    return ALGORITHM.finish(task, None, solution.document), task.warnings


def documents_of(case: Case) -> Document:
    topology, matrix, clusters = case
    return {
        "topology": topology.model_dump(),
        "traffic_matrix": matrix.model_dump(),
        "clusters": clusters.model_dump(),
    }


@given(clustered(), st.sampled_from(get_args(Method)), st.sampled_from([0, 20, 70]))
@settings(max_examples=40, deadline=None)
def test_results_are_as_described_and_pass_the_check(case: Case, method: Method, threshold: int) -> None:
    documents = documents_of(case)
    result, _ = run(documents, method=method, mp1h_threshold=threshold)
    assert not validation_faults(ALGORITHM.output, result.document)
    described = ALGORITHM.output.model_validate(result.document)
    assert described.model_dump(exclude_unset=True) == result.document
    check(result.document, documents, parameters_of())
    check({"traffic": result.document["traffic"], "mapping": result.document["mapping"]}, documents, parameters_of())
    check(result.document, {}, parameters_of())


@given(clustered(), st.sampled_from(get_args(Method)))
@settings(max_examples=20, deadline=None)
def test_tables_have_what_the_document_has(case: Case, method: Method) -> None:
    result, _ = run(documents_of(case), method=method, mp1h_threshold=20)
    assert set(result.tables) == set(ALGORITHM.tables)
    tables = {
        name: [dict(zip([column.name for column in table.columns], row, strict=True)) for row in table.rows]
        for name, table in result.tables.items()
    }
    statistics = result.document["statistics"]
    assert len(tables["lightpaths"]) == statistics["lightpath_no"]
    assert [row["panel"] for row in tables["devices"]].count("MP2X") == statistics["mp2x_no"]
    assert all(row["last_slot"] == row["first_slot"] + 1 for row in tables["devices"])
    assert len({(row["matrix"], row["demand_id"], row["service_id"]) for row in tables["remaining"]}) == len(
        tables["remaining"]
    )
    services = sum(row["services"] for row in tables["lightpaths"]) + len(tables["remaining"])
    pieces = [pieces for cut in result.document["mapping"].values() for pieces in cut.values()]
    demanded = sum(service.quantity for demand in case[1].demands.values() for service in demand.services)
    assert services == demanded + sum(len(chain) - 1 for chain in pieces)


def test_a_demand_that_ends_nowhere_is_refused() -> None:
    documents = documents_of((line("a", "b"), demands(("a", "Atlantis", "GE", 1)), clusters_of()))
    with pytest.raises(Invalid, match="Atlantis") as refusal:
        run(documents)
    assert [error["pointer"] for error in refusal.value.errors] == ["/traffic_matrix/demands/d0/destination"]


def test_a_cluster_of_other_nodes_is_refused() -> None:
    documents = documents_of((line("a", "b"), demands(("a", "b", "GE", 1)), clusters_of((["Atlantis"], []))))
    with pytest.raises(Invalid, match="Atlantis"):
        run(documents)


def test_runs_without_the_clusters_that_they_need_do_not_start() -> None:
    documents = documents_of((line("a", "b"), demands(("a", "b", "GE", 1)), clusters_of()))
    assert ALGORITHM.check_inputs
    ALGORITHM.check_inputs(documents, parameters_of(method="clustered"))
    del documents["clusters"]
    ALGORITHM.check_inputs(documents, parameters_of(method="advanced"))
    with pytest.raises(Invalid, match="needs the input `clusters`") as refused:
        ALGORITHM.check_inputs(documents, parameters_of(method="clustered"))
    assert refused.value.errors[0]["pointer"] == "/clusters"


def test_groomouts_have_the_sla_of_their_services() -> None:
    """That which all services of a line share; services keep it when they are cut into pieces."""
    matrix = demands(("a", "b", "GE", 2), ("a", "b", "GE", 2))
    for demand, slas in zip(matrix.demands.values(), (("gold", "gold"), ("gold", None)), strict=True):
        names = demand.services[0].service_id_list
        demand.services[:] = [
            Service(type="GE", quantity=1, service_id_list=[name], sla=sla)
            for name, sla in zip(names, slas, strict=True)
        ]
    result, _ = run(documents_of((line("a", "b"), matrix, clusters_of())))
    low_rate = main_of(dict(result.document))["low_rate_grooming_result"]["demands"]
    assert [low_rate[id]["groomouts"][f"{id}-G1"]["sla"] for id in ("d0", "d1")] == ["gold", None]
    pieces = {"d1": {name: [Piece("d0", f"{name}.1", "a", "b")] for name in ("d1s0", "d1s1")}}
    services = cut_demands(matrix, pieces)["d0"].services
    slas_of_cut_services = {name: service.sla for service in services for name in service.service_id_list}
    assert slas_of_cut_services == {"d0s0": "gold", "d0s1": "gold", "d1s0.1": "gold", "d1s1.1": None}


def test_services_that_nothing_takes_and_unproven_packings_are_warned_of() -> None:
    matrix = demands(("a", "b", "E1", 3), ("b", "a", "GE", 16))
    ge = matrix.demands["d1"].services[0]
    fe = ge.model_copy(update={"type": "FE", "quantity": 40, "service_id_list": [f"f{i:02}" for i in range(40)]})
    matrix.demands["d1"].services.append(fe)
    _, warnings = run(documents_of((line("a", "b"), matrix, clusters_of())), search_nodes=0)
    assert len(warnings) == 2
    assert "not proven minimal" in warnings[0]
    assert "3 E1 services" in warnings[1]


# d0: 10GE, GE and FE, of which GE and FE are two groomouts; d1: STM64, which remain; d2: 100GE.
HAND_MADE = documents_of(
    (line("a", "b", "c"), demands(("a", "b", "10GE", 7), ("b", "c", "STM64", 2), ("a", "c", "100GE", 1)), clusters_of())
)
HAND_MADE["traffic_matrix"]["demands"]["d0"]["services"] += [
    {"type": "GE", "quantity": 9, "service_id_list": [f"g{i}" for i in range(9)]},
    {"type": "FE", "quantity": 14, "service_id_list": [f"f{i}" for i in range(14)]},
]


def main_of(document: Document) -> Document:
    return document["traffic"]["main"]  # type: ignore[no-any-return]


def path_of(document: Document, id: str = "d0-L1") -> Document:
    return main_of(document)["lightpaths"][id]  # type: ignore[no-any-return]


def groomouts_of(document: Document) -> Document:
    return main_of(document)["low_rate_grooming_result"]["demands"]["d0"]["groomouts"]  # type: ignore[no-any-return]


def set_value(pick: Callable[[Document], Document], key: str, value: Any) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        pick(document)[key] = value

    return change


def drop_client(document: Document) -> None:
    path_of(document)["service_id_list"].pop(0)


def repeat_client(document: Document) -> None:
    path_of(document)["service_id_list"][1] = path_of(document)["service_id_list"][0]


def take_foreign_service(document: Document) -> None:
    path_of(document)["service_id_list"][0]["id"] = "d1s0"


def mix_panels(document: Document) -> None:
    path_of(document)["service_id_list"].append({"id": "g0", "type": "normal", "normal_service_type": "GE"})


def forget_groomout(document: Document) -> None:
    path_of(document)["service_id_list"].pop()


def carry_unknown_groomout(document: Document) -> None:
    path_of(document)["service_id_list"][-1]["id"] = "d9-G1"


def forget_remaining(document: Document) -> None:
    main_of(document)["remaining_services"]["demands"].clear()


def forget_line(document: Document) -> None:
    del document["service_devices"]["d0-P1:source"]


def fill_panel(document: Document) -> None:
    document["service_devices"]["d0-P1:source"]["line2"] = {"groomout_id": "d0-G2", "demand_id": "d0"}


def put_unknown_groomout_on_line(document: Document) -> None:
    document["service_devices"]["d0-P1:source"]["line1"]["groomout_id"] = "d9-G1"


def repeat_groomout(document: Document) -> None:
    low_rate = main_of(document)["low_rate_grooming_result"]["demands"]
    low_rate["d1"] = {"groomouts": {"d0-G1": groomouts_of(document)["d0-G1"]}}


def carry_remaining_groomout(document: Document) -> None:
    main_of(document)["remaining_groomouts"]["demands"] = {"d0": ["d0-G1"]}


def move_client(document: Document) -> None:
    first, second = groomouts_of(document).values()
    first["service_id_list"].append(second["service_id_list"].pop(0))


def move_all_clients(document: Document) -> None:
    first, second = groomouts_of(document).values()
    second["service_id_list"] += first["service_id_list"]


def name_type_differently(document: Document) -> None:
    remaining = main_of(document)["remaining_services"]["demands"]["d1"]
    remaining["GE10"] = remaining.pop("stm64")


def drop_groomout_client(document: Document) -> None:
    groomouts_of(document)["d0-G1"]["service_id_list"].pop()


GROOMOUT = "/traffic/main/low_rate_grooming_result/demands/d0/groomouts/d0-G1"
PATH = "/traffic/main/lightpaths/d0-L1"
DEVICE = "/service_devices/d2-L1:source/"


@pytest.mark.parametrize(
    ("change", "pointer", "message"),
    [
        (set_value(path_of, "id", "x"), f"{PATH}/id", "must be 'd0-L1', as the key has it"),
        (set_value(path_of, "source", "b"), f"{PATH}/source", "must be 'a', as the demand 'd0' has it"),
        (set_value(path_of, "protection_type", "NoProtection"), f"{PATH}/protection_type", "1+1_NodeDisjoint"),
        (set_value(path_of, "capacity", 100.0), f"{PATH}/capacity", "add up to 82.65"),
        (set_value(path_of, "demand_id", "d9"), f"{PATH}/demand_id", "no demand 'd9'"),
        (drop_client, "/traffic", "1 services of the demand 'd0', such as 'd0s0'"),
        (repeat_client, f"{PATH}/service_id_list/1", f"also at {PATH}/service_id_list/0"),
        (take_foreign_service, f"{PATH}/service_id_list/0", "no service 'd1s0'"),
        (mix_panels, f"{PATH}/service_id_list/9", "which no MP1H takes"),
        (forget_groomout, "/traffic", "in no lightpath and does not remain"),
        (carry_unknown_groomout, f"{PATH}/service_id_list/8/id", "no groomout 'd9-G1'"),
        (forget_remaining, "/traffic", "2 services of the demand 'd1'"),
        (forget_line, "/service_devices", "on 1 lines of MP2X devices"),
        (fill_panel, "/service_devices/d0-P1:source", "The lines have 23 clients"),
        (put_unknown_groomout_on_line, "/service_devices/d0-P1:source", "no groomout 'd9-G1'"),
        (repeat_groomout, GROOMOUT.replace("demands/d0", "demands/d1"), "another groomout"),
        (carry_remaining_groomout, "/traffic/main/remaining_groomouts/demands/d0/0", "has a lightpath"),
        (move_client, f"{GROOMOUT}/service_id_list", "need 11.25 Gb/s"),
        (move_all_clients, f"{GROOMOUT.replace('G1', 'G2')}/service_id_list", "There are 23 clients"),
        (name_type_differently, "/traffic/main/remaining_services/demands/d1/GE10", "is `stm64`"),
        (
            set_value(lambda document: groomouts_of(document)["d0-G1"], "lightpath_id", "d0-L9"),
            "/traffic",
            "not the lightpath that carries it",
        ),
        (
            set_value(lambda document: path_of(document)["service_id_list"][0], "normal_service_type", "STM64"),
            f"{PATH}/service_id_list/0",
            "has the type 10GE, not STM64",
        ),
        (drop_groomout_client, f"{GROOMOUT}/capacity", "add up to 8.75"),
    ],
)
def test_faults_of_a_hand_made_result_are_refused(
    change: Callable[[Document], None], pointer: str, message: str
) -> None:
    result, _ = run(HAND_MADE)
    document = copy.deepcopy(dict(result.document))
    change(document)
    with pytest.raises(Invalid) as refusal:
        check(document, HAND_MADE, parameters_of())
    assert any(error["pointer"] == pointer and message in error["message"] for error in refusal.value.errors), (
        refusal.value.errors
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_value(path_of, "capacity", 100.0), "add up to 82.65"),
        (repeat_client, "also at"),
        (mix_panels, "which no MP1H takes"),
        (forget_groomout, "does not remain"),
        (set_value(lambda document: path_of(document)["service_id_list"][0], "normal_service_type", None), "required"),
    ],
)
def test_faults_are_refused_without_a_traffic_matrix(change: Callable[[Document], None], message: str) -> None:
    result, _ = run(HAND_MADE)
    document = copy.deepcopy(dict(result.document))
    change(document)
    with pytest.raises(Invalid) as refusal:
        check(document, {}, parameters_of())
    assert any(message in error["message"] for error in refusal.value.errors), refusal.value.errors


def node_of(document: Document, node: str = "a") -> Document:
    return document["node_structure"]["nodes"][node]["racks"]["0"]["shelves"]["0"]["slots"]  # type: ignore[no-any-return]


def drop_devices_of_lightpath(document: Document) -> None:
    del document["service_devices"]["d2-L1:source"]


def swap_ends(document: Document) -> None:
    nodes = document["node_structure"]["nodes"]
    nodes["b"], nodes["a"] = nodes["a"], nodes["b"]


def move_to_an_unknown_node(document: Document) -> None:
    document["node_structure"]["nodes"]["x"] = document["node_structure"]["nodes"].pop("a")


def split_slots(document: Document) -> None:
    slots = node_of(document)
    slots["12"] = slots.pop("3")


def place_twice(document: Document) -> None:
    racks = document["node_structure"]["nodes"]["a"]["racks"]
    racks["1"] = copy.deepcopy(racks["0"])


def use_common_slot(document: Document) -> None:
    slots = node_of(document)
    slots["2"] = slots.pop("3")


def change_address(document: Document) -> None:
    address_of(document)["slot_id_list"] = ["3", "4"]


def address_of(document: Document) -> Document:
    return path_of(document)["service_id_list"][-1]["mp2x_panel_address"]["source"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("change", "pointer", "message"),
    [
        (set_value(lambda it: it["statistics"], "lightpath_no", 9), "/statistics/lightpath_no", "recount gives 2"),
        (set_value(lambda it: it["statistics"], "mean_lightpath_cap", 1.0), "/statistics/mean_lightpath_cap", "91.3"),
        (set_value(lambda it: it["statistics"], "mp2x_no", 0), "/statistics/mp2x_no", "recount gives 4"),
        (
            set_value(node_of, "3", "nothing"),
            "/node_structure/nodes/a/racks/0/shelves/0/slots/3",
            "no device 'nothing'",
        ),
        (drop_devices_of_lightpath, "/service_devices", "'d2-L1' has 1 devices"),
        (set_value(lambda it: it["service_devices"]["d2-L1:source"], "panel", "MP1H"), DEVICE + "panel", "type TP1H"),
        (set_value(lambda it: it["service_devices"]["d2-L1:source"], "sub_tm_id", "c0"), DEVICE + "sub_tm_id", "'c0'"),
        (
            set_value(lambda it: it["service_devices"]["d2-L1:source"], "lightpath_id", "x"),
            DEVICE + "lightpath_id",
            "no lightpath 'x'",
        ),
        (move_to_an_unknown_node, "/node_structure/nodes/x", "no node 'x'"),
        (swap_ends, "/node_structure", "The devices of 'd2-L1' are at"),
        (split_slots, "/node_structure/nodes/a/racks/0/shelves/0/slots", "two slots side by side"),
        (use_common_slot, "/node_structure/nodes/a/racks/0/shelves/0/slots/2", "the slots 3 to 12"),
        (place_twice, "/node_structure", "is in 2 shelves"),
        (change_address, f"{PATH}/service_id_list/8/mp2x_panel_address/source", "By `node_structure` the address is"),
    ],
)
def test_hand_made_devices_must_be_right(change: Callable[[Document], None], pointer: str, message: str) -> None:
    """What a result says of devices, places and numbers agrees with its lightpaths and groomouts."""
    result, _ = run(HAND_MADE)
    document = copy.deepcopy(dict(result.document))
    check(document, HAND_MADE, parameters_of())
    change(document)
    if "statistics" not in pointer:
        document.pop("statistics")
    with pytest.raises(Invalid) as refusal:
        check(document, HAND_MADE, parameters_of())
    assert any(error["pointer"] == pointer and message in error["message"] for error in refusal.value.errors), (
        refusal.value.errors
    )


def test_lightpaths_that_are_made_by_hand_may_be_below_the_threshold() -> None:
    documents = documents_of((line("a", "b"), demands(("a", "b", "10GE", 1)), clusters_of()))
    clients = [{"id": "d0s0", "type": "normal"}]
    lightpath = {
        "id": "mine",
        "demand_id": "d0",
        "source": "a",
        "destination": "b",
        "capacity": 10.0,
        "protection_type": "1+1_NodeDisjoint",
        "restoration_type": "None",
        "service_id_list": clients,
    }
    check({"traffic": {"main": {"lightpaths": {"mine": lightpath}}}}, documents, parameters_of())


@pytest.mark.parametrize(
    ("piece", "values", "message"),
    [
        (1, {"source": "a"}, "do not lead from 'x' to 'y'"),
        (1, {"demand_id": "d1"}, "has other ends"),
        (1, {"service_id": "d0s1.2"}, "has another service"),
    ],
)
def test_pieces_that_form_no_chain_are_refused(piece: int, values: Document, message: str) -> None:
    case = (line("x", "g", "y", "a"), demands(("x", "y", "GE", 2), ("a", "g", "GE", 2)), clusters_of((["g"], ["x"])))
    documents = documents_of(case)
    result, _ = run(documents, method="clustered")
    document = copy.deepcopy(dict(result.document))
    check(document, documents, parameters_of())
    document["mapping"]["d0"]["d0s0"][piece].update(values)
    with pytest.raises(Invalid) as refusal:
        check(document, documents, parameters_of())
    assert any(message in error["message"] for error in refusal.value.errors)
