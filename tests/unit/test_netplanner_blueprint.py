"""The blueprint `netplanner`, from nothing to its report, in this process."""

import csv
import re
from typing import Any

from sluice.container import Container
from sluice_cli.blueprints.apply import apply_blueprint
from sluice_cli.blueprints.folder import Blueprint
from sluice_cli.blueprints.plan import make_plan
from support.client import Client
from support.command_line import in_process_api
from support.documents import drop, refresh
from support.template import ROOT

FOLDER = ROOT / "blueprints/netplanner"
PRICES = FOLDER / "files/device-prices/prices.csv"


def rows(client: Client, path: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get(f"/projects/netplanner/{path}?limit=200").json()["items"]
    return items


def test_blueprint_plans_the_network_and_prices_it(admin: Client, services: Container) -> None:
    blueprint, api = Blueprint(FOLDER, {}), in_process_api(admin)
    apply_blueprint(blueprint, api)
    assert make_plan(blueprint, api).changes == []
    drop(services, "device-prices/prices.csv", PRICES.read_bytes())
    run = refresh(admin, "netplanner")
    assert (run["status"], run["warnings"]) == ("succeeded", []), run["error"]

    (plan,) = admin.get("/runs?project=netplanner&algorithm=network_plan").json()["items"]
    statistics = admin.get(f"/runs/{plan['id']}/result").json()["statistics"]
    assert (statistics["services"], statistics["blocked_lightpaths"]) == (900, 0)
    materials = admin.get(f"/runs/{plan['id']}/tables/materials?select=item,count&format=csv").text
    with PRICES.open(newline="") as file:
        prices = {line["device"]: int(line["price_eur"]) for line in csv.DictReader(file)}
    expected = sum(prices[line["item"]] * int(line["count"]) for line in csv.DictReader(materials.splitlines()))
    nodes = rows(admin, "models/cost_by_node/data")
    assert len(nodes) == 22
    assert sum(float(node["cost_eur"]) for node in nodes) == expected
    assert sum(float(item["cost_eur"]) for item in rows(admin, "models/materials/data")) == expected

    full = admin.get("/endpoints/netplanner/full_links?least=0.3").json()["items"]
    assert full[0]["load"] == statistics["highest_load"]
    page = admin.get("/projects/netplanner/reports/network/latest").text
    (network,) = re.findall(r'aria-label="(Network [^"]*)"', page)
    assert network.startswith("Network of 22 nodes and 33 links by load: ")
    assert (
        f"highest between {full[0]['source']} and {full[0]['destination']} with {full[0]['load'] * 100:.1f} %"
        in network
    )
