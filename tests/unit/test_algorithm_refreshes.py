"""Algorithms as nodes of a project's refresh."""

from __future__ import annotations

from typing import Any

import pytest

from support.client import Client
from support.documents import http_source, refresh
from support.example_algorithms import DATA, ROWS, RUNS
from support.upstream import Upstream
from support.workflows import LocalWorkflows

pytestmark = pytest.mark.usefixtures("nine_numbers")


class TestRefreshes:
    """Algorithms as nodes of a project's refresh."""

    PATH = "/projects/p/algorithms/smallest_sum"

    def test_each_refresh_runs_it_and_sql_reads_its_tables(self, admin: Client, upstream: Upstream) -> None:
        model = {"sql": "SELECT id, value * 2 AS value FROM merged ORDER BY id", "materialize": True}
        admin.put("/projects/p/models/doubled", model)
        settings = {"inputs": {"data": "model:doubled"}, "parameters": {"restarts": 2}, "on_refresh": True}
        put = admin.put(self.PATH, settings)
        assert put.status == 201, put.text
        total = {"sql": "SELECT count(*) AS rows, sum(number) AS total FROM smallest_sum", "materialize": True}
        assert admin.put("/projects/p/models/total", total).status == 201
        refreshed = refresh(admin, "p")
        assert refreshed["status"] == "succeeded", refreshed
        assert admin.get("/projects/p/models/total/data").json()["items"] == [
            {"rows": 9, "total": 2.0 * sum(row["value"] for row in ROWS)}
        ]
        queried = admin.post("/projects/p/query", {"sql": "SELECT count(*) AS n FROM smallest_sum_first"})
        assert queried.json()["items"] == [{"n": 1}]
        child = admin.get("/runs?kind=algorithm").json()["items"][0]
        assert (child["trigger"], child["request"]["inputs"]["data"]["dataset"]) == (
            "refresh",
            "project/p/model/doubled",
        )
        upstream.serve([*ROWS, {"id": 100, "value": 7}])
        assert refresh(admin, "p", ingest="all")["status"] == "succeeded"
        assert admin.get("/projects/p/models/total/data").json()["items"][0]["rows"] == 10, "the model of this refresh"
        assert len(admin.get("/runs?kind=algorithm").json()["items"]) == 2

    def test_the_same_data_runs_nothing_again(self, admin: Client) -> None:
        admin.put(self.PATH, {"inputs": DATA, "on_refresh": True})
        refresh(admin, "p")
        refresh(admin, "p", ingest="all")
        assert len(admin.get("/runs?kind=algorithm").json()["items"]) == 1

    def test_a_failed_algorithm_fails_the_refresh_and_publishes_nothing(self, admin: Client) -> None:
        admin.put(self.PATH, {"inputs": DATA, "parameters": {"fail": "solve"}, "on_refresh": True})
        before = admin.get("/projects/p/data").json()["version"]
        failed = refresh(admin, "p", ingest="all")
        assert failed["status"] == "failed"
        assert "smallest_sum" in failed["error"]["detail"]
        assert "See the run" in failed["error"]["detail"]
        assert admin.get("/projects/p/data").json()["version"] == before

    def test_a_cancelled_refresh_stops_its_algorithms(self, admin: Client, workflows: LocalWorkflows) -> None:
        admin.put(self.PATH, {"inputs": DATA, "parameters": {"restarts": 3}, "on_refresh": True})

        def cancel(function: str, payload: dict[str, Any]) -> None:
            if payload.get("step") == "solve":
                workflows.before_task = lambda *_: None
                refreshing = admin.get("/runs?kind=refresh&status=running").json()["items"][0]
                assert admin.post(f"/runs/{refreshing['id']}/cancel").status == 200

        workflows.before_task = cancel
        admin.post("/projects/p/runs", {})
        child = admin.get("/runs?kind=algorithm").json()["items"][0]
        assert child["status"] == "cancelled"

    def test_settings_are_checked_when_they_are_written(self, admin: Client) -> None:
        admin.put("/projects/p/models/a_model", {"sql": "SELECT * FROM merged", "materialize": True})
        assert admin.put(self.PATH, {"inputs": {"data": "model:a_model"}, "on_refresh": True}).status == 201
        circular = admin.put("/projects/p/models/a_model", {"sql": "SELECT * FROM smallest_sum", "materialize": True})
        assert circular.status == 422
        assert "circular" in circular.text
        assert admin.put("/projects/p/models/smallest_sum", {"sql": "SELECT 1 AS one"}).status == 409
        assert admin.delete("/projects/p/models/a_model").status == 409, "the algorithm reads it"
        for wrong in (
            {"inputs": {"data": "model:nothing"}},
            {"inputs": {"nothing": "dataset:merged"}},
            {"parameters": {"restarts": "many"}},
            {"on_refresh": True},
        ):
            assert admin.put(self.PATH, wrong).status == 422, wrong
        assert admin.put("/projects/p/algorithms/nothing", {}).status == 404
        reader = {"sql": "SELECT * FROM smallest_sum"}
        assert admin.put("/projects/p/endpoints/e", reader).status == 201
        assert admin.delete(self.PATH).status == 409
        admin.delete("/projects/p/endpoints/e")
        assert admin.delete(self.PATH).status == 204
        assert admin.post("/projects/p/query", {"sql": "SELECT * FROM smallest_sum"}).status == 422

    def test_settings_fill_what_a_request_leaves_out(self, admin: Client) -> None:
        admin.put(self.PATH, {"inputs": DATA, "parameters": {"restarts": 2}, "seed": 9})
        started = admin.post(RUNS, {"parameters": {"column": "id"}})
        request = admin.get(f"/runs/{started.json()['id']}").json()["request"]
        assert (request["seed"], request["parameters"]["restarts"], request["parameters"]["column"]) == (9, 2, "id")
        assert refresh(admin, "p", ingest="all")["status"] == "succeeded"
        assert len(admin.get("/runs?kind=algorithm").json()["items"]) == 1, "not on_refresh"


@pytest.mark.parametrize("before", [[], [{"shop": "a", "day": 1, "sales": 2.0}]], ids=["never", "not any more"])
def test_general_algorithms_of_no_rows_do_not_stop_a_refresh(
    admin: Client, upstream: Upstream, before: list[dict[str, Any]]
) -> None:
    upstream.serve(before)
    admin.post("/datasources", http_source("never"))
    admin.post("/projects", {"name": "q", "refresh_on": "manual"})
    admin.put("/projects/q/datasources/never", {})
    refresh(admin, "q")
    upstream.serve([])
    settings: dict[str, dict[str, Any]] = {
        "profile": {},
        "anomalies": {"time": "day"},
        "forecast": {"time": "day", "value": "sales", "groups": ["shop"]},
    }
    for name, parameters in settings.items():
        body = {"inputs": {"data": "dataset:never"}, "parameters": parameters, "on_refresh": True}
        assert admin.put(f"/projects/q/algorithms/{name}", body).status == 201
    admin.put("/projects/q/models/m", {"sql": "SELECT shop, day, forecast FROM forecast", "materialize": True})
    refreshed = refresh(admin, "q", ingest="all")
    assert refreshed["status"] == "succeeded", refreshed["error"]
    assert admin.get("/projects/q/models/m/data").json()["items"] == []
    for name in settings:
        assert admin.post("/projects/q/query", {"sql": f"SELECT count(*) AS n FROM {name}"}).json()["items"] == [
            {"n": 3 if before and name == "profile" else 0}
        ]
