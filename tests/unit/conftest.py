"""The platform on moto, with the workflows and the upstream in this process and no sockets."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_socket import disable_socket, enable_socket

from sluice import container as container_module
from sluice.container import Container
from sluice.sandbox.sandbox import Sandbox
from sluice.settings import Settings
from sluice.sources.http import source
from support import permissions
from support.client import Client, client_of
from support.command_line import RECORDS, Commands
from support.documents import JOIN, Documents, drop, http_source, refresh
from support.example_algorithms import ROWS, add_example_algorithms
from support.files import Drop
from support.functions import LocalFunctions
from support.moto_aws import TABLES, aws
from support.sharing import People, person
from support.upstream import Upstream, ok
from support.webhooks import Hook
from support.workflows import LocalWorkflows

# One process of the sandbox for all tests that need no other settings.
SANDBOX = Sandbox(Settings(duckdb_threads=1))
atexit.register(SANDBOX.close)
permissions.install()


def pytest_collection_finish() -> None:
    """Keep the garbage collector from walking through all imported modules again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_sessionfinish() -> None:
    """Have what the imports made collected at the exit, or DuckDB would report it as leaked."""
    gc.unfreeze()


@pytest.fixture(scope="session", autouse=True)
def closed_event_loop() -> Iterator[None]:
    """Close the event loop that the fetch stage keeps for its process."""
    yield
    if source._runner.cache_info().currsize:
        source._runner().close()


@pytest.fixture(autouse=True)
def no_sockets() -> Iterator[None]:
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture(autouse=True)
def permitted() -> Iterator[None]:
    """Fail a test in which a function called what its policies do not allow."""
    permissions.seen.clear()
    permissions.refused.clear()
    yield
    assert not permissions.refused, "see `make policies`, and docs/reference/policies.txt"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> dict[str, str]:
    values = {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "POWERTOOLS_SERVICE_NAME": "sluice",
        "POWERTOOLS_LOG_LEVEL": "ERROR",
        "STACK": "sluice",
        "LAKE_BUCKET": "lake",
        "INBOX_BUCKET": "inbox",
        "WORKFLOW_PREFIX": "arn:aws:states:us-east-1:123456789012:stateMachine:sluice-",
        "SCHEDULE_GROUP": "sluice",
        "SCHEDULED_FUNCTION": "arn:aws:lambda:us-east-1:123456789012:function:sluice-scheduled",
        "READINGS_FUNCTION": "arn:aws:lambda:us-east-1:123456789012:function:sluice-readings",
        "WEBHOOKS_FUNCTION": "arn:aws:lambda:us-east-1:123456789012:function:sluice-webhooks",
        "MISSING_DATA_FUNCTION": "arn:aws:lambda:us-east-1:123456789012:function:sluice-missing_data",
        "SCHEDULE_ROLE": "arn:aws:iam::123456789012:role/schedule",
        "CACHE_DIR": str(tmp_path / "cache"),
        "FETCH_BACKOFF_SECONDS": "0",
        "FETCH_MAX_RETRY_AFTER_SECONDS": "0",
        "DUCKDB_THREADS": "1",
        "PAGE_SETTLING_SECONDS": "0",
        "KEY_REQUESTS_PER_SECOND": "0",  # tests send as many requests as the processor allows
    }
    for logical_id in TABLES:
        values[logical_id.removesuffix("Table").upper() + "_TABLE"] = logical_id
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    return values


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


@pytest.fixture
def documents(upstream: Upstream) -> Documents:
    """What each datasource answers, by its name."""
    answers: Documents = {}
    upstream.answer = lambda request: ok(answers[request.url.host.partition(".")[0]])
    return answers


@pytest.fixture
def services(environment: dict[str, str], upstream: Upstream) -> Iterator[Container]:
    with aws():
        container_module.container.cache_clear()
        platform = container_module.container()
        platform.__dict__["workflows"] = LocalWorkflows(platform)
        platform.__dict__["functions"] = LocalFunctions()
        platform.__dict__["sandbox"] = SANDBOX
        platform.source_transport = upstream.transport  # type: ignore[method-assign]
        yield platform
        container_module.container.cache_clear()


@pytest.fixture
def workflows(services: Container) -> LocalWorkflows:
    return services.workflows  # type: ignore[return-value]


@pytest.fixture
def functions(services: Container) -> LocalFunctions:
    return services.functions  # type: ignore[return-value]


@pytest.fixture
def admin(services: Container) -> Client:
    return client_of(services, "admin")


@pytest.fixture
def editor(services: Container) -> Client:
    return client_of(services, "editor")


@pytest.fixture
def viewer(services: Container) -> Client:
    return client_of(services, "viewer")


@pytest.fixture
def sluice(
    services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Commands:
    return Commands(services, admin, monkeypatch, capsys)


@pytest.fixture
def shop(sluice: Commands, admin: Client, upstream: Upstream) -> Commands:
    """The project `shop` of the datasource `orders`, refreshed once."""
    upstream.serve(RECORDS)
    admin.post("/datasources", http_source("orders"))
    merge = {"strategy": "join", "key": ["id"]}
    admin.put("/projects/shop", {"name": "Shop", "merge": merge, "refresh_on": "manual"})
    admin.put("/projects/shop/datasources/orders", {})
    assert sluice("run", "project", "shop").code == 0
    return sluice


@pytest.fixture
def owned(services: Container, editor: Client, upstream: Upstream) -> Client:
    """The owner of a project with a datasource, a model, an endpoint and a version of each."""
    upstream.serve([{"id": 1, "v": "a"}, {"id": 2, "v": "b"}])
    editor.post("/datasources", http_source("a"))
    editor.post("/datasources", {"name": "pushed", "kind": "push"})
    editor.post("/datasources", {"name": "dropped", "kind": "file"})
    editor.post("/projects", {"name": "p", "merge": JOIN, "refresh_on": "manual"})
    editor.put("/projects/p/datasources/a", {})
    editor.put("/projects/p/models/m", {"sql": "SELECT * FROM merged"})
    assert refresh(editor, "p")["status"] == "succeeded"
    return editor


@pytest.fixture
def log(admin: Client) -> None:
    """A datasource of pushed records that are appended."""
    admin.post("/datasources", {"name": "log", "kind": "push"})


@pytest.fixture
def stock(admin: Client) -> None:
    """A datasource of pushed records with a primary key."""
    admin.post("/datasources", {"name": "stock", "kind": "push", "primary_key": ["id"]})


@pytest.fixture
def notes(services: Container, admin: Client) -> Drop:
    """Drops a file for a datasource of its own; the run it started."""

    def dropped(name: str, body: bytes, **changes: Any) -> dict[str, Any]:
        answer = admin.put("/datasources/notes", {"name": "notes", "kind": "file", **changes})
        assert answer.status in (200, 201), answer.text
        run = drop(services, f"notes/{name}", body)
        assert run is not None
        return run

    return dropped


@pytest.fixture
def hook(upstream: Upstream) -> Hook:
    return Hook(upstream)


@pytest.fixture
def ann(services: Container, upstream: Upstream) -> Client:
    """A person who owns the project `p` of the datasource `a` and the input `i`."""
    services.__dict__["tokens"] = People()
    ann = person("ann", "editor")
    upstream.serve([{"id": 1, "v": 2}])
    assert ann.post("/datasources", http_source("a")).status == 201
    assert ann.post("/projects", {"name": "p", "refresh_on": "manual"}).status == 201
    assert ann.put("/projects/p/datasources/a", {}).status == 201
    assert ann.put("/inputs/i", {"kind": "document", "document": {"x": 1}}).status == 201
    assert ann.put("/projects/p/inputs/i", {"version": None}).status == 201
    refresh(ann, "p")
    return ann


@pytest.fixture
def nine_numbers(monkeypatch: pytest.MonkeyPatch, admin: Client, upstream: Upstream) -> None:
    """The algorithms of the tests, and a project with the numbers that they compute with."""
    add_example_algorithms(monkeypatch)
    upstream.serve(ROWS)
    admin.post("/datasources", http_source("a"))
    admin.post("/projects", {"name": "p", "refresh_on": "manual"})
    admin.put("/projects/p/datasources/a", {})
    refresh(admin, "p")
