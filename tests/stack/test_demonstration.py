"""The demonstration blueprint, applied through the public API."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice_cli.api import Api
from sluice_cli.blueprint import Blueprint
from sluice_cli.demo import SampleServer
from sluice_cli.emulator import stop_process
from sluice_cli.progress import StepFailed
from support.stack import ROOT, Deployed, free_port, until

FOLDER = ROOT / "blueprints/top-coins"


@pytest.fixture
def blueprint(tmp_path: Path) -> Iterator[Blueprint]:
    server = SampleServer(tmp_path, free_port())
    plain = Blueprint(FOLDER)
    command = plain.sample_command()
    assert command is not None
    server.start(command)
    yield Blueprint(FOLDER, {**os.environ, **plain.sample_environment(server.url)})
    stop_process(tmp_path / "sample.pid", "server.py")


@pytest.fixture
def api(deployed: Deployed) -> Iterator[Api]:
    client = Api(deployed.url, deployed.description["api_key"])
    yield client
    client.close()


def test_top_coins(deployed: Deployed, blueprint: Blueprint, api: Api) -> None:
    blueprint.apply(api)
    before = [api.get(f"/datasources/{slug}")["etag"] for slug in ("coinmarketcap", "cryptocompare", "watch-list")]
    blueprint.apply(api)
    after = [api.get(f"/datasources/{slug}")["etag"] for slug in ("coinmarketcap", "cryptocompare", "watch-list")]
    assert before == after, "applying again changes nothing"
    for slug, file in blueprint.files():
        deployed.drop(f"{slug}/{file.name}", file.read_bytes())
    until(lambda: api.get("/runs", datasource="watch-list", status="succeeded")["items"])
    run = api.finished(api.post("/projects/top-coins/runs", {"ingest": "all"}))
    assert (run["status"], run["completeness"]) == ("succeeded", "complete"), run
    assert any("coinmarketcap" in note and "comes again" in note for note in run["warnings"]), "symbols are not unique"
    coins = {row["symbol"]: row for row in api.get("/projects/top-coins/data", order="rank", limit=200)["items"]}
    assert coins["BTC"]["note"] == "Core position, never sold"
    assert 90_000 < coins["BTC"]["price_usd"] < 105_000
    assert coins["LINK"]["note"] is None, "an empty note is null"
    assert sorted(row["rank"] for row in coins.values() if row["rank"])[:3] == [1, 2, 3]
    unknown = api.get("/datasources/coinmarketcap/data", where="price_usd.null:true")["items"]
    assert unknown, "a price that is not known is null, never 0.0"
    assert api.get("/datasources/coinmarketcap/data", where="price_usd.le:0")["items"] == []
    pulled = api.get("/runs", datasource="coinmarketcap", limit=1)["items"][0]
    assert (pulled["rows"], pulled["completeness"], pulled["requests"] >= 4) == (320, "complete", True)


def test_a_blueprint_that_lacks_a_variable_says_which(api: Api) -> None:
    with pytest.raises(StepFailed, match="COINMARKETCAP_KEY"):
        Blueprint(FOLDER, {}).apply(api)


def test_a_wrong_key_ends_in_a_run_that_says_so(blueprint: Blueprint, api: Api) -> None:
    blueprint.apply(api)
    api.put("/secrets/coinmarketcap", {"value": "wrong"})
    run = api.finished(api.post("/datasources/coinmarketcap/runs"))
    assert run["error"]["type"] == "urn:sluice:problem:source-refused"
    assert "check the secret" in run["error"]["detail"]
