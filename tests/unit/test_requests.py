"""The rules that hold for all routes, and runs through the API."""

import json
import re
import sys
import time
from typing import Any

import pytest

from api.app import ROUTES as API_ROUTES
from authoring.app import ROUTES as AUTHORING_ROUTES
from console.app import ROUTES as CONSOLE_ROUTES
from probe.app import ROUTES as PROBE_ROUTES
from query.app import ROUTES as QUERY_ROUTES
from sluice import __version__
from sluice.api.routes import Route
from sluice.catalog.definitions import Definition
from sluice.container import Container
from sluice.errors import PreconditionFailed
from support.client import Client, Reply
from support.documents import http_source, ingest, take_again
from support.template import ROOT, resources
from support.upstream import StubResponse, Upstream, ok
from support.workflows import LocalWorkflows

ROUTES = [*API_ROUTES, *QUERY_ROUTES, *AUTHORING_ROUTES, *PROBE_ROUTES, *CONSOLE_ROUTES]


def path_of(route: Route) -> str:
    return route.path.replace("{", "no-").replace("}", "")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation_id)
def test_every_route_answers_errors_as_problem_details(
    services: Container, admin: Client, viewer: Client, route: Route
) -> None:
    anonymous = Client().call(route.method, path_of(route))
    if route.role is None:
        assert anonymous.status in (200, 401, 404)
        return
    assert anonymous.status == 401
    if route.role != "viewer":
        refused = viewer.call(route.method, path_of(route), "{")
        assert (refused.status, refused.json()["type"]) == (403, "urn:sluice:problem:forbidden")
    if "{" in route.path or route.method != "GET":
        answer = admin.call(route.method, path_of(route), "{")
        problem = answer.json()
        # What is no JSON may be CSV, but with a wrong header.
        assert answer.status in ((400, 404) if route.body_media_type is None else (422,)), answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert set(problem) >= {"type", "title", "status", "detail", "instance"}
        assert (problem["status"], problem["instance"]) == (answer.status, "/v1" + path_of(route))


def test_unknown_path_is_404_and_unknown_method_405(services: Container, admin: Client) -> None:
    assert admin.get("/nothing").json()["type"] == "urn:sluice:problem:not-found"
    wrong = admin.call("PATCH", "/me")
    assert (wrong.status, wrong.headers["Allow"]) == (405, "GET")


def test_unexpected_error_shows_no_internals(
    services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*arguments: object) -> None:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr(services.definitions, "page", break_down)
    answer = admin.get("/projects")
    assert (answer.status, answer.json()["type"]) == (500, "urn:sluice:problem:internal")
    assert "hunter2" not in answer.text


def test_invalid_bodies_are_refused(services: Container, admin: Client) -> None:
    assert admin.post("/projects", "").status == 400
    assert admin.post("/projects", "[1]").status == 422
    assert admin.post("/projects", '{"name": NaN}').status == 400
    big = json.dumps({"name": "p", "description": "x" * 3_000_001})
    assert admin.post("/projects", big).status == 413
    assert admin.post("/projects", {"name": "p", "description": "x" * 10_001}).status == 422


def test_idempotency_key_replays_the_first_answer(services: Container, admin: Client, editor: Client) -> None:
    first = admin.post("/projects", {"name": "p"}, idempotency_key="k1")
    replayed = admin.post("/projects", {"name": "p"}, idempotency_key="k1")
    assert (replayed.status, replayed.text, replayed.headers["Location"]) == (
        201,
        first.text,
        first.headers["Location"],
    )
    assert replayed.headers["Idempotent-Replayed"] == "true"
    assert admin.post("/projects", {"name": "q"}, idempotency_key="k1").status == 422
    assert admin.post("/projects", {"name": "p"}, idempotency_key="k2").status == 409
    assert editor.post("/projects", {"name": "r"}, idempotency_key="k1").status == 201, "each caller has their own keys"
    assert admin.post("/projects", {"name": 5}, idempotency_key="k3").status == 422
    assert admin.post("/projects", {"name": "s"}, idempotency_key="k3").status == 201, "failures are not stored"


def test_repetition_during_the_first_request_is_told_to_wait(admin: Client, upstream: Upstream) -> None:
    repeated: list[Reply] = []

    def answer_and_repeat(_: Any) -> StubResponse:
        upstream.answer = lambda _: ok([])
        repeated.append(admin.post("/datasources/a/check", idempotency_key="k"))
        return ok([])

    admin.post("/datasources", http_source("a"))
    upstream.answer = answer_and_repeat
    assert admin.post("/datasources/a/check", idempotency_key="k").status == 200
    assert repeated[0].status == 409
    assert repeated[0].json()["type"] == "urn:sluice:problem:request-running"
    assert admin.post("/datasources/a/check", idempotency_key="k").headers["Idempotent-Replayed"] == "true"


def test_idempotency_key_starts_one_run(services: Container, admin: Client, upstream: Upstream) -> None:
    upstream.serve([])
    admin.post("/datasources", http_source("a"))
    runs = {admin.post("/datasources/a/runs", {}, idempotency_key="k").json()["id"] for _ in range(3)}
    assert len(runs) == 1
    assert len(upstream.requests) == 1


def test_one_of_two_writers_with_the_same_etag_wins(services: Container, admin: Client) -> None:
    admin.post("/projects", {"name": "p"})
    project = services.definitions.get("project", "p")
    services.definitions.replace(project, {**project.document, "name": "first"})
    with pytest.raises(PreconditionFailed):
        services.definitions.replace(project, {**project.document, "name": "second"})
    with pytest.raises(PreconditionFailed):
        services.definitions.delete(project)
    document = admin.get("/projects/p").json()
    assert (document["name"], document["etag"]) == ("first", "2")


def test_overtaken_write_without_precondition_is_retried(
    services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.post("/projects", {"name": "p"})
    replace = services.definitions.replace
    overtaken: list[Definition] = []

    def overtake(project: Definition, document: dict[str, Any], *author: Any) -> Definition:
        if not overtaken:
            overtaken.append(replace(project, {**project.document, "description": f"theirs {project.version}"}))
        return replace(project, document, *author)

    monkeypatch.setattr(services.definitions, "replace", overtake)
    assert admin.patch("/projects/p", {"name": "mine"}).json()["description"] == "theirs 1"
    overtaken.clear()
    stale = admin.patch("/projects/p", {"name": "other"}, if_match='"3"')
    assert stale.status == 412


def test_new_datasource_with_a_deleted_slug_has_no_old_data(
    services: Container, admin: Client, upstream: Upstream
) -> None:
    upstream.serve([{"id": "secret"}])
    admin.post("/datasources", http_source("a"))
    run = ingest(admin, "a")
    assert admin.delete("/datasources/a").status == 204
    created = admin.post("/keys", {"name": "other", "role": "editor"}).json()
    other = Client(created["key"])
    conflict = other.post("/datasources", http_source("a"))
    assert (conflict.status, "restored until" in conflict.json()["detail"]) == (409, True), "the slug is reserved"
    assert other.put("/datasources/a", http_source("a")).status == 409
    take_again(services, other, http_source("a"))
    assert other.get("/datasources/a/data").json()["type"] == "urn:sluice:problem:not-published"
    assert other.get("/datasources/a/versions").json()["items"] == []
    assert other.get("/datasources/a/versions/1").status == 404
    assert other.get(f"/runs/{run['id']}").status == 404
    assert other.get("/runs?datasource=a").json()["items"] == []
    for slug in ("", "a%2Fb", "no such"):
        assert admin.get(f"/runs?datasource={slug}").json()["items"] == []
        assert admin.get(f"/runs?project={slug}").json()["items"] == []
    upstream.serve([{"id": "mine"}])
    assert ingest(other, "a")["version"] == 2, "version numbers are never reused"
    assert other.get("/datasources/a/data").json()["items"] == [{"id": "mine"}]


def test_prefer_wait_waits_for_the_end_of_a_run(services: Container, admin: Client, upstream: Upstream) -> None:
    upstream.serve([{"id": 1}])
    admin.post("/datasources", http_source("a"))
    answer = admin.post("/datasources/a/runs", {}, prefer="respond-async, wait=5")
    assert (answer.status, answer.json()["status"]) == (200, "succeeded")
    assert answer.headers["Preference-Applied"] == "wait=5"
    plain = admin.post("/datasources/a/runs")
    assert plain.status == 202
    assert plain.headers["Location"].endswith(f"/v1/runs/{plain.json()['id']}")


def test_number_of_waiting_calls_is_limited(services: Container, admin: Client, workflows: LocalWorkflows) -> None:
    services.settings = services.settings.model_copy(update={"max_waiting_calls": 1})
    admin.post("/datasources", http_source("a"))
    workflows.hold = True
    in_an_hour, a_moment_ago = int(time.time()) + 3600, int(time.time()) - 2
    assert services.slots.take("waiting-calls", f"{in_an_hour:011d}#other", 1)
    start = time.monotonic()
    answer = admin.post("/datasources/a/runs", {}, prefer="wait=20")
    assert (answer.status, "Preference-Applied" in answer.headers, time.monotonic() - start < 5) == (202, False, True)
    services.slots.free("waiting-calls", f"{in_an_hour:011d}#other")
    assert services.slots.take("waiting-calls", f"{a_moment_ago:011d}#killed", 1)
    answer = admin.post("/datasources/a/runs", {}, prefer="wait=1")
    assert (answer.status, answer.headers["Preference-Applied"]) == (202, "wait=1"), (
        "the slot of a killed call is freed"
    )
    assert services.slots.holders("waiting-calls") == set(), "a waiting call frees its slot"


def test_runs_are_listed_and_filtered(services: Container, admin: Client, upstream: Upstream) -> None:
    upstream.serve([{"id": 1}])
    for name in "ab":
        admin.post("/datasources", http_source(name))
    ids = [ingest(admin, name)["id"] for name in "abab"]

    def listed(query: str) -> list[str]:
        return [run["id"] for run in admin.get(f"/runs?{query}").json()["items"]]

    assert listed("") == ids[::-1]
    assert listed("datasource=a") == [ids[2], ids[0]]
    assert listed("datasource=a&status=failed") == []
    assert listed(f"id={ids[1]},{ids[3]},nonsense") == [ids[3], ids[1]]
    since = admin.get(f"/runs/{ids[2]}").json()["created_at"]
    assert listed(f"since={since}") == [ids[3], ids[2]]
    assert admin.get("/runs?since=yesterday").status == 422
    page = admin.get("/runs?limit=3").json()
    assert listed(f"limit=3&cursor={page['next']}") == [ids[0]]


def test_cancelled_run_publishes_nothing(services: Container, admin: Client, upstream: Upstream) -> None:
    workflows = services.workflows
    workflows.hold = True  # type: ignore[attr-defined]
    admin.post("/datasources", http_source("a"))
    run = admin.post("/datasources/a/runs").json()
    assert admin.post(f"/runs/{run['id']}/cancel").json()["status"] == "cancelled"
    assert admin.post(f"/runs/{run['id']}/cancel").status == 409
    from fetch.app import handler
    from support.workflows import Context

    late = handler({"run_id": run["id"], "attempt": 1}, Context())
    assert (late["outcome"], upstream.requests) == ("stopped", [])
    workflows.hold = False  # type: ignore[attr-defined]
    upstream.serve([{"id": 1}])
    assert admin.post(f"/runs/{run['id']}/redrive").status == 202
    assert admin.get(f"/runs/{run['id']}").json()["status"] == "succeeded"
    assert admin.post(f"/runs/{run['id']}/redrive").status == 409


def test_large_answer_is_a_redirect(
    services: Container, admin: Client, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.serve([{"text": "x" * 1000}] * 20)
    admin.post("/datasources", http_source("a"))
    run = ingest(admin, "a")
    services.settings.__dict__["max_inline_bytes"] = 5000
    answer = admin.get("/datasources/a/data")
    assert answer.status == 303
    assert "X-Amz-Signature" in answer.headers["Location"] or "Signature" in answer.headers["Location"]
    assert admin.get(f"/runs/{run['id']}/pages/1/content").status == 303


def test_api_serves_its_openapi_document_and_docs(services: Container) -> None:
    anonymous = Client()
    document = anonymous.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    described = {(path, method.upper()) for path, item in document["paths"].items() for method in item}
    assert described == {("/v1" + route.path, method) for route in ROUTES for method in route.methods}
    assert document == json.loads((ROOT / "functions/api/openapi.json").read_bytes())


@pytest.mark.parametrize(
    ("path", "packaged"), [("/docs", ["swagger-ui.js", "swagger-ui.css"]), ("/redoc", ["redoc-standalone.js"])]
)
def test_documentation_pages_load_nothing_from_other_hosts(services: Container, path: str, packaged: list[str]) -> None:
    anonymous = Client()
    page = anonymous.get(path)
    assert page.headers["Content-Type"].startswith("text/html")
    assets = re.findall(r"(?:src|href)=\"(?!data:)([^\"]+)\"", page.text)
    assert set(packaged) < {asset.removeprefix("docs/") for asset in assets}
    for asset in assets:
        answer = anonymous.get(f"/{asset}")
        assert answer.status == 200, asset
        assert (len(answer.text) > 100_000) == (asset.removeprefix("docs/") in packaged)
        assert not re.search(r'\bsrc:\s*"https?:', answer.text), f"{asset} loads an image or a script"
    # The browser refuses scripts, styles and images of other hosts.
    policy = page.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'self'", "img-src 'self' data:", "style-src 'self' 'unsafe-inline'"} < set(policy)
    assert not any(rule.startswith("script-src") for rule in policy)


def test_unknown_file_of_the_documentation_is_not_found(services: Container) -> None:
    assert Client().get("/docs/other.js").status == 404


@pytest.mark.parametrize("path", ["", "/"])
@pytest.mark.parametrize("public_url", ["", "https://data.example.org/v1/"])
def test_root_links_to_what_can_be_read(
    services: Container, monkeypatch: pytest.MonkeyPatch, admin: Client, path: str, public_url: str
) -> None:
    services.settings.__dict__["public_url"] = public_url
    answer = Client().get(path)
    assert answer.status == 200
    links = answer.json()
    assert (links.pop("name"), links.pop("release")) == ("Sluice", __version__)
    base = public_url.rstrip("/") or "https://api.example.com/live/v1"
    assert links["openapi"] == f"{base}/openapi.json"
    for link in links.values():
        assert admin.get(link.removeprefix(base)).status == 200, link


def test_openapi_is_valid_and_up_to_date() -> None:
    from openapi_spec_validator import validate

    sys.path.insert(0, str(ROOT / "tools"))
    import generate

    stored = (ROOT / "functions/api/openapi.json").read_bytes()
    assert stored == generate.openapi(), "run make generate"
    validate(json.loads(stored))


def test_template_has_each_route_once_with_its_function() -> None:
    routes_by_path = {}
    options = set()
    for path, verbs in resources("AWS::Serverless::Api")["Api"]["DefinitionBody"]["paths"].items():
        for verb, operation in verbs.items():
            function = re.search(r"function:\$\{(\w+)\}/", str(operation["x-amazon-apigateway-integration"]["uri"]))
            assert function is not None
            if verb == "options":
                options.add(path)
                assert function[1] == "PreflightFunction"
                assert operation["security"] == [{"NONE": []}]
            else:
                routes_by_path[path, verb.upper()] = (function[1], operation.get("security") == [{"NONE": []}])
    tables = {
        "ApiFunction": API_ROUTES,
        "AuthoringFunction": AUTHORING_ROUTES,
        "ConsoleFunction": CONSOLE_ROUTES,
        "QueryFunction": QUERY_ROUTES,
        "ProbeFunction": PROBE_ROUTES,
    }
    expected = {
        ("/v1" + route.path, method): (function, (route.role is None and not route.anonymous))
        for function, routes in tables.items()
        for route in routes
        for method in route.methods
    }
    assert routes_by_path == expected
    assert options == {path for path, _ in expected}
