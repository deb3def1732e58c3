"""The demonstration blueprint, applied through the public API."""

from __future__ import annotations

import importlib.util
import os
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from sluice_cli.blueprints.apply import apply_blueprint
from sluice_cli.blueprints.folder import Blueprint
from sluice_cli.errors import StepFailed
from sluice_cli.local.samples import SampleServers
from sluice_cli.runs.follow import wait
from sluice_client import Sluice
from support.stack import ROOT, Deployed, free_port, until

FOLDER = ROOT / "blueprints/top-coins"
SHOP = ROOT / "blueprints/cost-revenue"


def served(folder: Path, tmp_path: Path) -> Iterator[Blueprint]:
    """A blueprint whose datasources point to its own sample server."""
    servers = SampleServers(tmp_path, free_port())
    plain = Blueprint(folder)
    command = plain.sample_command()
    assert command is not None
    url = servers.start(folder.name, command)
    yield Blueprint(folder, {**os.environ, **plain.sample_environment(url)})
    servers.stop_all()


@pytest.fixture
def blueprint(tmp_path: Path) -> Iterator[Blueprint]:
    yield from served(FOLDER, tmp_path)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Blueprint]:
    yield from served(SHOP, tmp_path)


@pytest.fixture
def api(deployed: Deployed) -> Iterator[Sluice]:
    client = Sluice(deployed.url, deployed.description["api_key"])
    yield client
    client.close()


def test_top_coins(deployed: Deployed, blueprint: Blueprint, api: Sluice) -> None:
    apply_blueprint(blueprint, api)
    before = [api.get(f"/datasources/{slug}")["etag"] for slug in ("coinmarketcap", "cryptocompare", "watch-list")]
    apply_blueprint(blueprint, api)
    after = [api.get(f"/datasources/{slug}")["etag"] for slug in ("coinmarketcap", "cryptocompare", "watch-list")]
    assert before == after, "applying again changes nothing"
    for slug, file in blueprint.files():
        deployed.drop(f"{slug}/{file.name}", file.read_bytes())
    until(lambda: api.get("/runs", datasource="watch-list", status="succeeded")["items"])
    run = wait(api, api.post("/projects/top-coins/runs", {"ingest": "all"})["id"], 300)
    assert (run["status"], run["completeness"]) == ("succeeded", "complete"), run
    ranked = api.get("/projects/top-coins/data", order="rank", limit=200)["items"]
    symbols = [row["symbol"] for row in ranked]
    twice = next(row for row in ranked if symbols.count(row["symbol"]) == 2)
    namesakes = [row for row in ranked if row["symbol"] == twice["symbol"]]
    assert len({row["id"] for row in namesakes}) == 2, "symbols that repeat are told apart"
    coins = {row["symbol"]: row for row in ranked}
    assert coins["BTC"]["note"] == "Core position, never sold"
    assert 90_000 < coins["BTC"]["price_usd"] < 105_000
    assert coins["LINK"]["note"] is None, "an empty note is null"
    assert [row["rank"] for row in ranked] == list(range(1, 201))
    unknown = api.get("/datasources/coinmarketcap/data", where="price_usd.null:true")["items"]
    assert unknown, "a price that is not known is null, never 0.0"
    assert api.get("/datasources/coinmarketcap/data", where="price_usd.le:0")["items"] == []
    pulled = api.get("/runs", datasource="coinmarketcap", limit=1)["items"][0]
    assert (pulled["rows"], pulled["completeness"], pulled["requests"] >= 4) == (320, "complete", True)

    top(deployed, ranked, run)


def top(deployed: Deployed, ranked: list[dict[str, Any]], run: dict[str, Any]) -> None:
    """The endpoint gives the published ranks: to everybody, with a limit, as of a time, as JSON and CSV."""
    address = f"{deployed.url}/endpoints/top-coins/top"
    answer = httpx.get(address, params={"limit": 200}, trust_env=False)
    found = answer.json()["items"]
    assert [(row["rank"], row["id"], row["price_usd"]) for row in found] == [
        (row["rank"], row["id"], row["price_usd"]) for row in ranked
    ]
    scope, _, seconds = answer.headers["Cache-Control"].partition(", max-age=")
    assert (scope, 0 <= int(seconds) <= 60 - int(answer.headers["Age"])) == ("public", True)
    assert answer.json()["freshness"]["older_than_promised"] is False
    assert all(run["created_at"] <= row["retrieved_at"] for row in found if row["price_usd"] is not None)
    same = {"If-None-Match": answer.headers["ETag"]}
    again = httpx.get(address, params={"limit": 200}, headers=same, trust_env=False)
    assert (again.status_code, int(again.headers["Age"]) <= 60) == (304, True)
    csv = httpx.get(address, params={"limit": 1, "format": "csv"}, trust_env=False).text
    assert csv.splitlines()[0] == "Rank,Symbol,Price USD,Retrieved at"
    assert len(csv.splitlines()) == 2
    for query in ({"limit": 0}, {"limit": 201}, {"format": "xml"}, {"datetime": "now"}):
        assert httpx.get(address, params=query, trust_env=False).status_code == 422
    long_ago = httpx.get(address, params={"datetime": "2020-01-01T00:00:00Z"}, trust_env=False)
    assert long_ago.status_code == 404


def test_cost_and_revenue(deployed: Deployed, shop: Blueprint, api: Sluice) -> None:
    apply_blueprint(shop, api)
    run = wait(api, api.post("/projects/cost-revenue/runs", {"ingest": "all"})["id"], 300)
    assert (run["status"], run["completeness"]) == ("succeeded", "complete"), run
    found = {(row["first_name"], row["last_name"]): row for row in deployed.rows("projects/cost-revenue/models/ratio")}
    expected = expected_ratios()
    assert len(found) == len(expected) > 10
    assert {name: (float(row["revenue"]), float(row["cost"]), row["ratio"]) for name, row in found.items()} == expected
    assert any(revenue == 0 and ratio is None for revenue, _, ratio in expected.values()), "no purchases, and kept"
    page = deployed.call("GET", "/projects/cost-revenue/reports/cost_revenue/latest").text
    assert page.count("<svg") == 2
    csv = deployed.call("GET", "/projects/cost-revenue/reports/cost_revenue/latest?format=csv").text
    assert len(csv.splitlines()) == 1 + len(expected)
    again = wait(api, api.post("/projects/cost-revenue/runs", {"ingest": "all"})["id"], 300)
    assert (again["status"], again["version"]) == ("succeeded", run["version"])
    latest = deployed.call("GET", "/projects/cost-revenue/reports/cost_revenue/latest").text
    assert latest == page, "nothing has changed"
    pages = api.get(f"/runs/{api.get('/runs', datasource='purchases', limit=1)['items'][0]['id']}/pages")["items"]
    assert [one["status"] for one in pages if one["ok"]] == [200]
    today = run["created_at"][:10]
    bucket, prefix = deployed.description["lake_bucket"], f"main/raw-index/purchases/{today}/"
    kept = deployed.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    assert len(kept) >= 2, "what was received lies by date"


def expected_ratios() -> dict[tuple[str, str], tuple[float, float, float | None]]:
    """Revenue, cost and ratio of each legal customer, computed from what the sample server gives."""
    spec = importlib.util.spec_from_file_location("shop", SHOP / "server.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    revenue: dict[str, Decimal] = defaultdict(Decimal)
    for purchase in module.purchases():
        revenue[purchase["customer_username"]] += Decimal(str(purchase["prices"]["net_price"]))
    found = {}
    for customer in module.customers():
        if customer["company"]["department"] == "Legal":
            cost = sum((Decimal(one["cost"].replace(",", ".")) for one in customer["outreaches"]), Decimal(0))
            earned = revenue[customer["username"]]
            ratio = round(float(cost) / float(earned), 2) if earned else None
            found[customer["firstName"], customer["lastName"]] = (float(earned), float(cost), ratio)
    return found


def test_blueprint_names_a_missing_variable(api: Sluice) -> None:
    with pytest.raises(StepFailed, match="COINMARKETCAP_KEY"):
        apply_blueprint(Blueprint(FOLDER, {}), api)


def test_wrong_upstream_key_is_the_error_of_the_run(blueprint: Blueprint, api: Sluice) -> None:
    apply_blueprint(blueprint, api)
    api.put("/secrets/coinmarketcap", {"value": "wrong"})
    run = wait(api, api.post("/datasources/coinmarketcap/runs")["id"], 300)
    assert run["error"]["type"] == "urn:sluice:problem:source-refused"
    assert "check the secret" in run["error"]["detail"]
    # Other tests of this stack use the blueprint, too.
    api.put("/secrets/coinmarketcap", {"value": "sample-key"})
    assert wait(api, api.post("/datasources/coinmarketcap/runs")["id"], 300)["status"] == "succeeded"
