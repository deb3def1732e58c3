"""Every sample event is handled by its function's real handler."""

import importlib
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from sluice.container import Container
from sluice.domain.names import now
from sluice.domain.run import Run
from sluice.errors import Forbidden
from support.client import Client
from support.documents import http_source
from support.template import ROOT, resources
from support.upstream import Upstream
from support.workflows import Context, LocalWorkflows

EVENTS = sorted((ROOT / "events").glob("*.json"))
RUN_ID = "01JB5ZK3V6Q8Y0M2N4P6R8T0W2"


def handled(name: str) -> Any:
    event = json.loads((ROOT / f"events/{name}.json").read_text())
    return importlib.import_module(f"{name.partition('-')[0]}.app").handler(event, Context())


def test_every_function_has_an_event() -> None:
    functions = {
        properties["Handler"].partition(".")[0] for properties in resources("AWS::Serverless::Function").values()
    }
    assert functions == {path.stem.partition("-")[0] for path in EVENTS}
    assert functions == {path.name for path in (ROOT / "functions").iterdir() if (path / "app.py").exists()}


def stored_run(services: Container, **changes: Any) -> None:
    known = {"id": RUN_ID, "kind": "ingest", "datasource": "watch-list", "created_at": "2026-01-01T00:00:00.000Z"}
    services.runs.create(Run(**{**known, "created_by": "test", **changes}))


def test_api(services: Container) -> None:
    assert handled("api-health")["statusCode"] == 200
    answer = handled("api")
    assert (answer["statusCode"], json.loads(answer["body"])["slug"]) == (201, "top-coins")
    assert handled("api")["statusCode"] == 200, "the same event twice leaves the same state"
    assert handled("authoring")["statusCode"] == 201
    assert json.loads(handled("query")["body"])["type"] == "urn:sluice:problem:not-published"


def test_probe(services: Container) -> None:
    answer = json.loads(handled("probe")["body"])
    assert (answer["ok"], answer["status"]) == (False, None)
    assert "There is no secret 'coins'" in answer["reason"]


def test_preflight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGINS", "https://app.example.com")
    answer = handled("preflight")
    assert (answer["statusCode"], answer["headers"]["Access-Control-Allow-Origin"]) == (204, "https://app.example.com")


def test_authorizer(services: Container) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        handled("authorizer")


@pytest.mark.parametrize("name", ["fetch", "extract", "merge", "commit", "plan"])
def test_step_of_a_finished_run_returns_stopped(services: Container, name: str) -> None:
    stored_run(services, status="cancelled")
    assert handled(name) == {"outcome": "stopped", "run_id": RUN_ID, "attempt": 1}


@pytest.mark.parametrize("name", ["fetch", "extract", "commit"])
def test_step_of_a_deleted_datasource_ends_the_run(services: Container, name: str) -> None:
    stored_run(services)
    answer = handled(name)
    assert answer["outcome"] in ("failed", "stopped")
    assert answer["run_id"] == RUN_ID


def test_inbox(services: Container, admin: Client, workflows: LocalWorkflows) -> None:
    admin.post("/datasources", {"name": "watch-list", "kind": "file"})
    boto3.client("s3").put_object(Bucket="inbox", Key="watch-list/my notes é.csv", Body=b"symbol,note\nBTC,mine\n")
    workflows.hold = True
    handled("inbox")
    handled("inbox")
    handled("inbox-notification")
    runs = admin.get("/runs?datasource=watch-list").json()["items"]
    assert [run["trigger"] for run in runs] == ["drop"]
    drop = services.runs.get(runs[0]["id"]).drop
    assert drop is not None
    assert drop.key == "watch-list/my notes é.csv"


def test_scheduled(services: Container, admin: Client, upstream: Upstream) -> None:
    handled("scheduled")
    assert admin.get("/runs").json()["items"] == [], "its datasource is gone"
    admin.put("/datasources/coinmarketcap", http_source("coinmarketcap", schedule={"expression": "rate(1 hour)"}))
    handled("scheduled")
    handled("scheduled")
    assert [run["trigger"] for run in admin.get("/runs").json()["items"]] == ["schedule"]
    admin.patch("/datasources/coinmarketcap", {"enabled": False})
    event = {"kind": "datasource", "slug": "coinmarketcap", "execution": "<aws.scheduler.execution-id>"}
    importlib.import_module("scheduled.app").handler(event, Context())
    assert len(admin.get("/runs").json()["items"]) == 1, "it is paused"
    admin.put("/projects/p", {"name": "p", "schedule": {"expression": "cron(0 6 ? * MON-FRI *)"}})
    for _ in range(2):
        importlib.import_module("scheduled.app").handler({"kind": "project", "slug": "p"}, Context())
    assert [run["kind"] for run in admin.get("/runs?project=p").json()["items"]] == ["refresh"]


def test_compaction(services: Container) -> None:
    assert handled("compaction") == {"applied": 0, "compacted": 0, "deleted": 0}


def test_run_events(services: Container, admin: Client, workflows: LocalWorkflows) -> None:
    from sluice.platform.workflows import ExecutionState

    assert handled("run_events") == {"run": RUN_ID, "status": None}
    admin.post("/datasources", {"name": "watch-list", "kind": "file"})
    stored_run(services, status="running")
    workflows.outcomes[f"{RUN_ID}-1"] = ExecutionState(
        "FAILED", "Lambda.Unknown", '{"errorMessage": "it died\\n  at line 1"}'
    )
    assert handled("run_events")["status"] == "failed"
    detail = services.runs.get(RUN_ID).error
    assert detail is not None
    assert detail["detail"].endswith("committed: Lambda.Unknown: it died. Redrive it.")
    assert handled("run_events")["status"] == "failed"
    assert handled("run_events-sweep") == {"under_way": 0}
    assert handled("run_events-children") == {"run": RUN_ID, "status": None}


@pytest.mark.parametrize(
    ("error", "message", "shown"),
    [
        ("ValueError", "netloc 'reader:pa55w0rd@db' is odd", "committed: ValueError. Redrive it."),
        ("Unavailable", "DynamoDB throttled.", "committed: Unavailable: DynamoDB throttled. Redrive it."),
        ("Lambda.Unknown", "it died", "committed: Lambda.Unknown: it died. Redrive it."),
    ],
)
def test_run_does_not_show_the_message_of_an_unknown_exception(
    services: Container, admin: Client, workflows: LocalWorkflows, error: str, message: str, shown: str
) -> None:
    from sluice.platform.workflows import ExecutionState

    admin.post("/datasources", {"name": "watch-list", "kind": "file"})
    stored_run(services, status="running")
    workflows.outcomes[f"{RUN_ID}-1"] = ExecutionState("FAILED", error, json.dumps({"errorMessage": message}))
    assert handled("run_events")["status"] == "failed"
    assert (services.runs.get(RUN_ID).error or {})["detail"].endswith(shown)


def test_publications(services: Container, admin: Client) -> None:
    assert handled("publications") == {"batchItemFailures": []}
    assert handled("publications-sweep") == {"waiting": 0}


def test_missing_data(services: Container) -> None:
    assert handled("missing_data") == {"changed": 0}


def test_webhooks(services: Container) -> None:
    assert handled("webhooks") == {"status": None}, "its subscription is gone"


class SignUps:
    """The user pool of the stack, for the function `sign_up`."""

    def __init__(self) -> None:
        self.groups: list[tuple[str, str]] = []

    def add_to_group(self, user_name: str, group: str) -> None:
        self.groups.append((user_name, group))

    def unconfirmed(self, before: datetime) -> list[str]:
        return ["ada"] if before < now() - timedelta(days=6) else []

    def delete(self, user_name: str) -> None:
        assert user_name == "ada"


def test_sign_up(services: Container) -> None:
    services.__dict__["user_pool"] = pool = SignUps()
    with pytest.raises(Forbidden, match="ask an admin"):
        handled("sign_up")
    services.settings = services.settings.model_copy(update={"sign_up_domains": "example.com"})
    event = json.loads((ROOT / "events/sign_up.json").read_text())
    assert handled("sign_up") == event, "Cognito reads its own event as the answer"
    assert handled("sign_up-confirmed")["response"] == {}
    assert pool.groups == [("8f14e45f-ceea-467f-a0e6-1d2b3c4d5e6f", "viewer")]
    assert handled("sign_up-sweep") == {"removed": 1}


def test_event_files_are_formatted() -> None:
    for path in EVENTS:
        text = Path(path).read_text()
        assert json.dumps(json.loads(text), indent=2) + "\n" == text, path.name
