"""Access: the policy, owners, hidden resources, links, rate limits and concurrent writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from api.app import ROUTES as API_ROUTES
from authoring.app import ROUTES as AUTHORING_ROUTES
from probe.app import ROUTES as PROBE_ROUTES
from query.app import ROUTES as QUERY_ROUTES
from sluice.access.policy import ACTIONS, Resource, decide
from sluice.api.routes import Route
from sluice.container import Container
from sluice.domain.identity import KeyRequest, Principal, Role
from sluice.domain.run import PageReceipt
from support.client import Client, client_of_projects, event_of
from support.documents import JOIN, drop, http_source, ingest, refresh
from support.upstream import Upstream, raw

ROUTES = [*API_ROUTES, *QUERY_ROUTES, *AUTHORING_ROUTES, *PROBE_ROUTES]


def keyed(services: Container, role: Role, projects: list[str] | None = None) -> Client:
    return Client(services.keys.issue(KeyRequest(name=role, role=role, projects=projects), "test")[1])


@pytest.fixture
def stranger(services: Container) -> Client:
    """An editor who owns nothing."""
    return keyed(services, "editor")


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


# In an order in which the owner may do every action.
OWNERS_ONLY: list[tuple[str, str, Any]] = [
    ("PATCH", "/projects/p", {"name": "x"}),
    ("PUT", "/projects/p/datasources/a", {"priority": 3}),
    ("PUT", "/projects/p/overrides/v?key=1", {"value": "x", "reason": "y"}),
    ("DELETE", "/projects/p/overrides/v?key=1", None),
    ("POST", "/projects/p/versions/1/promote", None),
    ("POST", "/projects/p/links", {"target": "data"}),
    ("GET", "/projects/p/links", None),
    ("DELETE", "/projects/p/links/x", None),
    ("PUT", "/projects/p/models/m2", {"sql": "SELECT 1 AS x"}),
    ("PUT", "/projects/p/models/m", {"sql": "SELECT 1 AS x"}),
    ("DELETE", "/projects/p/models/m", None),
    ("PUT", "/projects/p/endpoints/e", {"sql": "SELECT 1 AS x"}),
    ("PUT", "/projects/p/reports/r", {"title": "t", "sections": []}),
    ("PATCH", "/datasources/a", {"name": "x"}),
    ("POST", "/datasources/a/runs", {"replay": 1}),
    ("POST", "/datasources/a/restore", None),
    ("POST", "/datasources/pushed/records", [{"id": 1}]),
    ("POST", "/datasources/dropped/uploads", {"filename": "x.csv"}),
    ("DELETE", "/projects/p/datasources/a", None),
    ("DELETE", "/datasources/a", None),
    ("PUT", "/projects/p", {"name": "x"}),
    ("DELETE", "/projects/p", None),
]


def test_action_needs_the_owner(owned: Client, stranger: Client) -> None:
    def state() -> str:
        return owned.get("/projects/p").text + owned.get("/datasources/a").text + owned.get("/runs").text

    before = state()
    for method, path, body in OWNERS_ONLY:
        refused = stranger.call(method, path, body)
        assert (refused.status, refused.json()["type"]) == (403, "urn:sluice:problem:forbidden"), (method, path)
    assert state() == before, "a refused request changes nothing"
    for method, path, body in OWNERS_ONLY:
        assert owned.call(method, path, body).status in (200, 201, 202, 204, 404, 409, 422), (method, path)


def test_admin_may_do_everything(owned: Client, admin: Client) -> None:
    assert admin.put("/projects/p/models/m", {"sql": "SELECT id FROM merged"}).status == 200
    assert admin.post("/datasources/a/runs", {"replay": 1}).status == 202
    assert admin.post("/projects/p/links", {"target": "data"}).status == 201
    assert owned.put("/projects/p/models/m", {"sql": "SELECT v FROM merged"}).status == 200, (
        "a model belongs to the project, not to its author"
    )


def test_editor_may_run_visible_resources_and_cancel_own_runs(
    services: Container, owned: Client, stranger: Client
) -> None:
    assert stranger.post("/datasources/a/runs").status == 202
    assert stranger.post("/projects/p/runs", {}).status == 202
    assert stranger.post("/projects/p/models/m/runs", {}).status == 202
    assert stranger.post("/datasources/a/check").status == 200
    services.workflows.hold = True  # type: ignore[attr-defined]
    mine, theirs = stranger.post("/datasources/a/runs").json()["id"], owned.post("/datasources/a/runs").json()["id"]
    assert stranger.post(f"/runs/{theirs}/cancel").status == 403
    assert stranger.post(f"/runs/{theirs}/redrive").status == 403
    assert stranger.post(f"/runs/{mine}/cancel").status == 200
    assert owned.post(f"/runs/{theirs}/cancel").status == 200


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation_id)
def test_every_route_declares_a_known_action(route: Route) -> None:
    open_to_all = {"root", "health", "openapi", "docs", "redoc", "docs_asset", "open_link", "call_endpoint"}
    if route.operation_id in open_to_all:
        assert route.action is None
    else:
        assert route.action in ACTIONS
    if route.method in ("POST", "PUT", "PATCH", "DELETE") and route.operation_id != "query_project":
        assert route.role != "viewer"


def test_route_with_unknown_action_is_refused_at_import() -> None:
    with pytest.raises(ValueError, match=r"unknown action 'datasource\.raed'"):
        Route("GET", "/x", lambda: None, "datasource.raed")  # type: ignore[arg-type, return-value]


ROLES: list[Role] = ["viewer", "editor", "admin"]


@pytest.mark.parametrize("action", ACTIONS)
def test_decision_depends_on_role_owner_and_projects(action: str) -> None:
    rule = ACTIONS[action]
    for role in ROLES:
        for projects in (None, ["p"], ["other"]):
            if role == "admin" and projects is not None:
                continue
            for owner in ("me", "else", None):
                principal = Principal(id="me", role=role, projects=projects)
                decision = decide(principal, action, Resource(owner, frozenset(["p"])))
                if ROLES.index(role) < ROLES.index(rule.role):
                    assert decision == "role_too_low"
                elif role == "admin":
                    assert decision == "allowed"
                elif owner is None or (owner != "me" and projects == ["other"]):
                    assert decision == "hidden"
                else:
                    assert decision == ("not_owner" if rule.owner and owner != "me" else "allowed")


def test_hidden_slug_is_404_for_every_method(services: Container, admin: Client) -> None:
    admin.post("/projects", {"name": "secret-project"})
    admin.post("/datasources", http_source("secret-source"))
    guest = keyed(services, "editor", ["mine"])
    for path, body in (
        ("/projects", {"name": "secret-project"}),
        ("/datasources", http_source("secret-source")),
    ):
        slug = body["name"]
        assert guest.post(path, body).status == 404
        assert guest.put(f"{path}/{slug}", body).status == 404
        assert guest.get(f"{path}/{slug}").status == 404
        assert guest.delete(f"{path}/{slug}").status == 404
    admin.delete("/datasources/secret-source")
    assert guest.post("/datasources", http_source("secret-source")).status == 404, "reserved, and hidden"


# ---------------------------------------------------------------- pages


EVIL = b"<html><script>fetch('/v1/docs')</script></html>"


def test_raw_pages_are_downloads_that_browsers_do_not_run(
    services: Container, admin: Client, upstream: Upstream
) -> None:
    upstream.answer = lambda request: raw(EVIL, 200, "text/html; charset=utf-8")
    admin.post("/datasources", http_source("a", format="csv"))
    run = ingest(admin, "a")
    page = admin.get(f"/runs/{run['id']}/pages").json()["items"][0]
    for path in (f"/runs/{run['id']}/pages/1/content", f"/pages/{page['hash']}"):
        answer = admin.get(path)
        assert answer.text.encode() == EVIL
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["Content-Security-Policy"] == "sandbox"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    services.settings.__dict__["max_inline_bytes"] = 10
    location = admin.get(f"/pages/{page['hash']}").headers["Location"]
    assert "response-content-type=application%2Foctet-stream" in location
    assert "response-content-disposition=attachment" in location


# ---------------------------------------------------------------- addresses in answers


@pytest.mark.parametrize("header", ["host", "x-forwarded-host"])
def test_urls_ignore_the_host_header(admin: Client, header: str) -> None:
    created = admin.call("POST", "/projects", {"name": "p"}, **{header: "evil.example"})
    assert created.headers["Location"] == "https://api.example.com/live/v1/projects/p"
    link = admin.call("POST", "/projects/p/links", {"target": "data"}, **{header: "evil.example"}).json()
    assert link["url"].startswith("https://api.example.com/live/v1/links?")


def test_urls_on_an_emulator_have_its_address(services: Container, admin: Client) -> None:
    services.settings.__dict__ |= {"emulated": True, "aws_endpoint_url": "http://127.0.0.1:4566"}
    created = admin.call("POST", "/projects", {"name": "p"}, host="evil.example")
    assert created.headers["Location"] == "http://127.0.0.1:4566/restapis/api-1/live/_user_request_/v1/projects/p"


# ---------------------------------------------------------------- signed links


def open_link(link: dict[str, Any]) -> int:
    return Client().get(link["url"].partition("/v1")[2]).status


def test_links_are_listed_and_revoked(owned: Client) -> None:
    created = [owned.post("/projects/p/links", {"target": "data", "expires_in_seconds": 60}).json() for _ in range(3)]
    assert set(created[0]) == {"id", "url", "target", "created_at", "created_by", "expires_at"}
    assert [open_link(link) for link in created] == [200, 200, 200]
    assert owned.get("/projects/p/links").json()["items"] == created
    assert owned.delete(f"/projects/p/links/{created[1]['id']}").status == 204
    assert [open_link(link) for link in created] == [200, 404, 200]
    assert owned.delete(f"/projects/p/links/{created[1]['id']}").status == 404
    assert owned.get("/projects/p/links").json()["items"] == [created[0], created[2]]
    page = owned.get("/projects/p/links?limit=1").json()
    assert owned.get(f"/projects/p/links?limit=1&cursor={page['next']}").json()["items"] == [created[2]]


def test_link_ends_with_the_key_that_created_it(services: Container, admin: Client, upstream: Upstream) -> None:
    created = admin.post("/keys", {"name": "temporary", "role": "editor"}).json()
    holder = Client(created["key"])
    upstream.serve([{"id": 1}])
    holder.post("/datasources", http_source("a"))
    holder.post("/projects", {"name": "p"})
    holder.put("/projects/p/datasources/a", {})
    refresh(holder, "p")
    link = holder.post("/projects/p/links", {"target": "data"}).json()
    admins = admin.post("/projects/p/links", {"target": "data"}).json()
    assert (open_link(link), open_link(admins)) == (200, 200)
    admin.delete(f"/keys/{created['id']}")
    assert (open_link(link), open_link(admins)) == (404, 200)
    assert admin.get("/projects/p/links").json()["items"] == [admins]


def test_link_does_not_open_a_later_project_of_the_same_slug(owned: Client, admin: Client) -> None:
    link = admin.post("/projects/p/links", {"target": "data"}).json()
    admin.delete("/projects/p")
    admin.post("/projects", {"name": "p"})
    assert open_link(link) == 404
    assert admin.get("/projects/p/links").json()["items"] == []


def test_lifetime_and_number_of_links_are_limited(services: Container, owned: Client) -> None:
    days = services.settings.max_link_days
    too_long = owned.post("/projects/p/links", {"target": "data", "expires_in_seconds": days * 86400 + 1})
    assert (too_long.status, too_long.json()["errors"][0]["pointer"]) == (422, "/expires_in_seconds")
    services.settings.__dict__["max_links"] = 2
    assert [owned.post("/projects/p/links", {"target": "data"}).status for _ in range(3)] == [201, 201, 409]


# ---------------------------------------------------------------- public endpoints


def test_rate_limit_holds_in_any_period_of_a_minute(services: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1_000_030.0]
    monkeypatch.setattr("sluice.catalog.locks.time.time", lambda: clock[0])
    passed: list[float] = []
    for step in range(400):
        clock[0] = 1_000_030.0 + step * 0.37
        if services.locks.admit("rate#x", 40, 60) is None:
            passed.append(clock[0])
    worst = max(sum(1 for other in passed if moment <= other < moment + 60) for moment in passed)
    assert worst == 40
    assert len(passed) >= 80, "each slot is free again after a minute"


def test_rate_limited_answer_has_retry_after(services: Container, admin: Client, upstream: Upstream) -> None:
    services.settings.__dict__["public_requests_per_minute"] = 3
    admin.post("/projects", {"name": "p"})
    admin.put("/projects/p/endpoints/e", {"sql": "SELECT 1 AS x", "public": True})
    answers = [Client().get("/endpoints/p/e") for _ in range(5)]
    assert Counter(answer.status for answer in answers) == {200: 3, 429: 2}
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert admin.get("/endpoints/p/e").status == 200


# ---------------------------------------------------------------- concurrent writes


def interleave(
    monkeypatch: pytest.MonkeyPatch, owner: Any, method: str, others: Callable[[], Any], times: int = 1
) -> None:
    """Let other requests act between what a request reads and what it writes by this method."""
    original, remaining = getattr(owner, method), [times]

    def write(*arguments: Any, **options: Any) -> Any:
        if remaining[0]:
            remaining[0] -= 1
            with monkeypatch.context() as patch:
                patch.setattr(owner, method, original)
                others()
        return original(*arguments, **options)

    monkeypatch.setattr(owner, method, write)


def test_overtaken_patch_without_precondition_is_retried_until_it_succeeds(
    services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.post("/projects", {"name": "p"})
    monkeypatch.setattr("sluice.api.resources._MAX_PAUSE_SECONDS", 0.001)
    numbers = iter(range(1000))

    def overtake() -> None:
        project = services.definitions.get("project", "p")
        services.definitions.replace(project, {**project.document, "description": f"theirs {next(numbers)}"})

    interleave(monkeypatch, services.definitions, "replace", overtake, times=49)
    answer = admin.patch("/projects/p", {"name": "mine"})
    assert (answer.status, answer.json()["name"], answer.json()["description"]) == (200, "mine", "theirs 48")


def test_overtaken_delete_without_precondition_is_retried(
    services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.post("/projects", {"name": "p"})
    admin.put("/projects/p/models/m", {"sql": "SELECT 1 AS x"})
    interleave(
        monkeypatch,
        services.definitions,
        "delete",
        lambda: admin.put("/projects/p/models/m", {"sql": "SELECT 2 AS x"}),
    )
    assert admin.delete("/projects/p/models/m").status == 204
    interleave(monkeypatch, services.definitions, "delete", lambda: admin.patch("/projects/p", {"name": "q"}))
    assert admin.delete("/projects/p").status == 204
    assert admin.get("/projects/p").status == 404


def test_write_that_is_overtaken_for_too_long_is_503(
    services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sluice.errors import PreconditionFailed

    admin.post("/projects", {"name": "p"})

    def overtaken(*arguments: Any) -> None:
        raise PreconditionFailed("The project 'p' has changed; read it again and repeat.")

    monkeypatch.setattr(services.definitions, "replace", overtaken)
    monkeypatch.setattr("sluice.api.resources._RETRY_SECONDS", 0.1)
    answer = admin.patch("/projects/p", {"name": "q"})
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert admin.patch("/projects/p", {"name": "q"}, if_match='"1"').status == 412


@pytest.mark.parametrize(
    ("kind", "setting", "body"),
    [
        ("models", "max_models", {"sql": "SELECT 1 AS x"}),
        ("endpoints", "max_endpoints", {"sql": "SELECT 1 AS x"}),
        ("reports", "max_reports", {"title": "t", "sections": [{"type": "markdown", "text": "x"}]}),
    ],
)
def test_limit_holds_with_concurrent_writes(
    services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch, kind: str, setting: str, body: dict[str, Any]
) -> None:
    services.settings.__dict__[setting] = 4
    admin.post("/projects", {"name": "p"})

    def fill() -> None:
        for number in range(4):
            assert admin.put(f"/projects/p/{kind}/part_{number}", body).status == 201

    with monkeypatch.context() as patch:
        interleave(patch, services.definitions, "transact", fill)
        assert admin.put(f"/projects/p/{kind}/late", body).status == 409
    listed = admin.get(f"/projects/p/{kind}").json()["items"]
    assert [part["name"] for part in listed] == [f"part_{number}" for number in range(4)]
    assert admin.delete(f"/projects/p/{kind}/{listed[0]['name']}").status == 204
    assert admin.put(f"/projects/p/{kind}/another", body).status == 201
    assert admin.put(f"/projects/p/{kind}/another", body).status == 200, "replacing does not count"
    assert admin.put(f"/projects/p/{kind}/more", body).status == 409


def test_resources_of_an_earlier_release_are_counted(services: Container, admin: Client) -> None:
    services.settings.__dict__["max_models"] = 3
    admin.post("/projects", {"name": "p"})
    for name in ("a", "b"):
        services.definitions.create("model", f"p#{name}", {"sql": "SELECT 1 AS x"}, "test")
    assert admin.put("/projects/p/models/c", {"sql": "SELECT 1 AS x"}).status == 201
    assert admin.put("/projects/p/models/d", {"sql": "SELECT 1 AS x"}).status == 409
    admin.delete("/projects/p")
    admin.post("/projects", {"name": "p"})
    for name in ("a", "b", "c"):
        assert admin.put(f"/projects/p/models/{name}", {"sql": "SELECT 1 AS x"}).status == 201


@pytest.mark.parametrize("path", ["datasources/b", "models/prices"])
def test_concurrent_writes_cannot_give_two_tables_one_name(
    services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    admin.post("/projects", {"name": "p"})
    for name in ("a", "b"):
        admin.post("/datasources", http_source(name))
    body = {"alias": "prices"} if path == "datasources/b" else {"sql": "SELECT 1 AS x"}

    def take() -> None:
        assert admin.put("/projects/p/datasources/a", {"alias": "prices"}).status == 201

    interleave(monkeypatch, services.definitions, "transact", take)
    refused = admin.put(f"/projects/p/{path}", body)
    assert (refused.status, "datasource a" in refused.json()["detail"]) == (409, True)


def test_released_name_can_be_used_again(admin: Client) -> None:
    admin.post("/projects", {"name": "p"})
    for name in ("a", "b"):
        admin.post("/datasources", http_source(name))
    assert admin.put("/projects/p/datasources/a", {"alias": "prices"}).status == 201
    assert admin.put("/projects/p/models/prices", {"sql": "SELECT 1 AS x"}).status == 409
    assert admin.put("/projects/p/datasources/b", {"alias": "prices"}).status == 409
    assert admin.put("/projects/p/datasources/a", {"alias": "other"}).status == 200
    assert admin.put("/projects/p/models/prices", {"sql": "SELECT 1 AS x"}).status == 201
    assert admin.put("/projects/p/datasources/b", {"alias": "prices"}).status == 409
    assert admin.delete("/projects/p/models/prices").status == 204
    assert admin.put("/projects/p/datasources/b", {"alias": "prices"}).status == 201
    assert admin.delete("/projects/p/datasources/b").status == 204
    admin.delete("/projects/p")
    admin.post("/projects", {"name": "p"})
    assert admin.put("/projects/p/datasources/b", {"alias": "other"}).status == 201, (
        "the names of the deleted project are released"
    )


def test_table_that_is_read_cannot_be_renamed_or_removed(admin: Client) -> None:
    admin.post("/projects", {"name": "p"})
    admin.post("/datasources", http_source("a"))
    admin.put("/projects/p/datasources/a", {"alias": "prices"})
    admin.put("/projects/p/models/m", {"sql": "SELECT * FROM prices"})
    refused = admin.put("/projects/p/datasources/a", {"alias": "other"})
    assert (refused.status, "'m'" in refused.json()["detail"]) == (409, True)
    assert admin.delete("/projects/p/datasources/a").status == 409
    assert admin.put("/projects/p/datasources/a", {"alias": "prices", "priority": 3}).status == 200
    admin.delete("/projects/p/models/m")
    assert admin.put("/projects/p/datasources/a", {"alias": "other"}).status == 200


def test_assignments_honour_if_match(admin: Client) -> None:
    admin.post("/projects", {"name": "p"})
    admin.post("/datasources", http_source("a"))
    path = "/projects/p/datasources/a"
    assert admin.get(path).status == 404
    assert admin.put(path, {}, if_match='"1"').status == 412, "the assignment does not exist yet"
    created = admin.put(path, {})
    first = created.headers["ETag"]
    assert (created.status, created.json()["etag"]) == (201, first.strip('"'))
    assert admin.get(path).json() == created.json()
    assert admin.get(path, if_none_match=first).status == 304
    changed = admin.put(path, {"priority": 5}, if_match=first)
    second = changed.headers["ETag"]
    assert (changed.status, second != first) == (200, True)
    assert admin.put(path, {"priority": 6}, if_match=first).status == 412
    assert admin.put(path, {"priority": 5}).headers["ETag"] == second, "the assignment is unchanged"
    assert admin.put(path, {"priority": 6}, if_none_match="*").status == 412
    assert admin.delete(path, if_match=first).status == 412
    assert admin.delete(path, if_match=second).status == 204
    recreated = admin.put(path, {})
    assert recreated.headers["ETag"] not in (first, second), "an old ETag never fits a new assignment"
    assert admin.get(path, if_none_match=first).status == 200


def test_scoped_key_sees_only_datasources_of_its_projects(services: Container, admin: Client) -> None:
    for name in ("a", "b"):
        admin.post("/projects", {"name": name})
        admin.post("/datasources", http_source(f"of-{name}"))
        admin.put(f"/projects/{name}/datasources/of-{name}", {})
    guest = client_of_projects(services, ["a"])
    assert guest.get("/projects/a/datasources/of-a").status == 200
    assert guest.get("/projects/b/datasources/of-b").status == 404
    assert [item["project"] for item in guest.get("/datasources/of-a/projects").json()["items"]] == ["a"]


def test_event_without_domain_name_is_answered(services: Container, admin: Client) -> None:
    event = event_of("GET", "/health", None, {})
    del event["requestContext"]["domainName"]
    from api.app import handler
    from support.workflows import Context

    assert handler(event, Context())["statusCode"] == 200


# ---------------------------------------------------------------- what answers must not show


ACCOUNT, BUCKET = "123456789012", "sluice-inbox-123456789012-eu-west-1"
DENIED = (
    f"An error occurred (AccessDenied) when calling the GetObject operation: User: arn:aws:sts::{ACCOUNT}:"
    f"assumed-role/sluice-FetchFunctionRole/sluice-fetch is not authorized to perform: s3:GetObject on resource: "
    f'"arn:aws:s3:::{BUCKET}/notes/a.csv" because no policy allows it'
)


def test_receipt_has_the_file_name_but_not_the_bucket(services: Container, admin: Client) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file"})
    for body in (b"k,v\n1,2\n", b"k,v\n1\n"):
        run = drop(services, "notes/a.csv", body)
        assert run is not None
        page = admin.get(f"/runs/{run['id']}/pages").json()["items"][0]
        assert page["url"] == "drop:notes/a.csv"
        assert "s3://" not in admin.get(f"/runs/{run['id']}").text
    assert run is not None
    stored = {**services.pages.of_run(run["id"])[0].model_dump(), "url": f"s3://{BUCKET}/notes/a.csv"}
    assert PageReceipt.model_validate(stored).url == "drop:notes/a.csv", "an earlier release stored it so"


def test_aws_error_is_shown_without_account_and_bucket(
    services: Container, admin: Client, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*arguments: Any, **options: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": DENIED}}, "GetObject")

    admin.post("/datasources", http_source("a"))
    monkeypatch.setattr(services.lake, "put_raw", denied)
    run = ingest(admin, "a")
    assert (run["status"], "AccessDenied" in run["error"]["detail"]) == ("failed", True)
    for hidden in (ACCOUNT, BUCKET, "arn:", "assumed-role"):
        assert hidden not in admin.get(f"/runs/{run['id']}").text
