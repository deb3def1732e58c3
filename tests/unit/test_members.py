"""Sharing: each role of a member on each resource, people and groups, and that nobody else knows of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import product
from typing import Any
from urllib.parse import quote, unquote

import pytest

from sluice.container import Container
from sluice.domain.identity import Principal, Role
from sluice.errors import Unauthenticated
from support.client import Client, client_of
from support.conformance import DOCUMENT
from support.documents import http_source, refresh
from support.upstream import Upstream

MEMBERS = "/projects/p/members"


class People:
    """The port of tokens, with people instead of an issuer: the token is `{name}.{role}.{groups}`."""

    configured = True

    def authenticate(self, token: str) -> Principal:
        name, role, groups = token.split(".")
        if role not in ("viewer", "editor", "admin"):
            raise Unauthenticated("no role")
        return Principal(id=f"user/{name}", role=role, groups=[role, *filter(None, groups.split("-"))])


def person(name: str, role: Role = "viewer", groups: str = "") -> Client:
    return Client(f"{name}.{role}.{groups}")


@pytest.fixture(autouse=True)
def people(services: Container) -> None:
    services.__dict__["tokens"] = People()


@pytest.fixture
def ann() -> Client:
    """A person who owns things."""
    return person("ann", "editor")


@pytest.fixture(autouse=True)
def owned(people: None, ann: Client, upstream: Upstream) -> None:
    upstream.serve([{"id": 1, "v": 2}])
    assert ann.post("/datasources", http_source("a")).status == 201
    assert ann.post("/projects", {"name": "p", "refresh_on": "manual"}).status == 201
    assert ann.put("/projects/p/datasources/a", {}).status == 201
    assert ann.put("/inputs/i", {"kind": "document", "document": {"x": 1}}).status == 201
    assert ann.put("/projects/p/inputs/i", {"version": None}).status == 201
    refresh(ann, "p")


def test_an_unshared_resource_is_404_to_others_and_in_no_list() -> None:
    bob = person("bob", "editor", "planners")
    for path in ("/projects/p", "/projects/p/data", "/datasources/a", "/datasources/a/data", "/inputs/i", MEMBERS):
        assert bob.get(path).status == 404, path
    for path in ("/projects", "/datasources", "/inputs", "/runs"):
        assert bob.get(path).json()["items"] == [], path
    absent = bob.get("/projects/q").json()
    hidden = bob.get("/projects/p").json()
    assert {**hidden, "detail": "", "instance": ""} == {**absent, "detail": "", "instance": ""}
    assert hidden["detail"] == absent["detail"].replace("'q'", "'p'"), "one cannot tell which of the two exists"


@pytest.mark.parametrize("principal", ["user:bob", "group:planners", "group:viewer"])
def test_a_share_shows_the_project_and_what_it_uses(ann: Client, principal: str) -> None:
    bob = person("bob", "viewer", "planners")
    shared = ann.put(f"{MEMBERS}/{principal}", {"role": "viewer"})
    assert (shared.status, shared.json()["principal"], shared.json()["role"]) == (201, principal, "viewer")
    assert ann.put(f"{MEMBERS}/{principal}", {"role": "viewer"}).status == 200
    for path in ("/projects/p", "/projects/p/data", "/datasources/a", "/datasources/a/data", "/inputs/i", MEMBERS):
        assert bob.get(path).status == 200, path
    assert [item["slug"] for item in bob.get("/projects").json()["items"]] == ["p"]
    assert [item["slug"] for item in bob.get("/datasources").json()["items"]] == ["a"]
    assert len(bob.get("/runs").json()["items"]) >= 1
    for method, path, body in WRITES:
        assert bob.call(method, path, body).status == 403, (method, path)
    assert [member["principal"] for member in bob.get(MEMBERS).json()["items"]] == ["user:ann", principal]
    assert ann.delete(f"{MEMBERS}/{principal}").status == 204
    assert bob.get("/projects/p").status == 404, "at once"
    assert bob.get("/datasources/a").status == 404
    assert ann.delete(f"{MEMBERS}/{principal}").status == 404


WRITES: list[tuple[str, str, Any]] = [
    ("PATCH", "/projects/p", {"name": "other"}),
    ("POST", "/projects/p/runs", {}),
    ("PUT", "/projects/p/models/m", {"sql": "SELECT * FROM merged"}),
    ("PUT", "/projects/p/inputs/i", {"version": 1}),
    ("PUT", f"{MEMBERS}/user:eve", {"role": "owner"}),
    ("DELETE", f"{MEMBERS}/user:bob", None),
    ("DELETE", "/projects/p", None),
    ("PATCH", "/datasources/a", {"name": "other"}),
    ("POST", "/datasources/a/runs", {}),
    ("DELETE", "/datasources/a?force=true", None),
    ("PUT", "/inputs/i", {"kind": "document", "document": {"x": 2}}),
    ("DELETE", "/inputs/i?force=true", None),
]


def test_a_designer_writes_inputs_and_nothing_else(ann: Client) -> None:
    bob = person("bob")
    for kind, slug in (("projects", "p"), ("datasources", "a"), ("inputs", "i")):
        assert ann.put(f"/{kind}/{slug}/members/user:bob", {"role": "designer"}).status == 201
    assert bob.put("/inputs/i", {"kind": "document", "document": {"x": 2}}).status == 200
    assert bob.post("/inputs/i/restore", {"version": 1}).status == 200
    assert len(bob.get("/inputs/i/versions").json()["items"]) == 3
    for method, path, body in WRITES:
        if (method, path) != ("PUT", "/inputs/i"):
            assert bob.call(method, path, body).status == 403, (method, path)
    assert bob.post("/projects", {"name": "own"}).status == 403, "creates no project"


def test_an_editor_changes_and_runs_and_an_owner_shares_and_deletes(ann: Client) -> None:
    bob, carl = person("bob"), person("carl")
    ann.put(f"{MEMBERS}/user:bob", {"role": "editor"})
    ann.put(f"{MEMBERS}/user:carl", {"role": "owner"})
    assert bob.patch("/projects/p", {"name": "renamed"}).status == 200
    assert bob.post("/projects/p/runs", {}).status == 202
    assert bob.put("/projects/p/models/m", {"sql": "SELECT * FROM merged"}).status == 201
    assert bob.put(f"{MEMBERS}/user:eve", {"role": "viewer"}).status == 403
    assert bob.delete("/projects/p").status == 403
    assert bob.patch("/datasources/a", {"name": "x"}).status == 403, "the datasource is shared as far as it is seen"
    assert carl.put(f"{MEMBERS}/user:eve", {"role": "viewer"}).status == 201
    assert carl.delete("/projects/p").status == 204


def test_only_who_edits_something_has_a_project_use_it(ann: Client) -> None:
    dan = person("dan", "editor")
    dan.post("/projects", {"name": "d"})
    uses = [("/projects/d/datasources/a", "/datasources/a"), ("/projects/d/inputs/i", "/inputs/i")]
    for use, thing in uses:
        assert dan.put(use, {}).status == 404
        for role, status in (("viewer", 403), ("designer", 403), ("editor", 201)):
            ann.put(f"{thing}/members/user:dan", {"role": role})
            answer = dan.put(use, {})
            assert answer.status == status, (use, role)
            assert status == 201 or "needs the role editor of this resource" in answer.json()["detail"]
        ann.put(f"{thing}/members/user:dan", {"role": "viewer"})
        assert dan.put(use, {}).status == 200, "what is there already can be written again"


@pytest.mark.parametrize("through", ["user:dan", "group:planners"])
def test_a_share_ends_for_whom_it_was_passed_on_to(ann: Client, through: str) -> None:
    dan, eve = person("dan", "editor", "planners"), person("eve")
    dan.post("/projects", {"name": "d"})
    dan.put("/projects/d/members/user:eve", {"role": "viewer"})
    for use, thing in (("/projects/d/datasources/a", "/datasources/a"), ("/projects/d/inputs/i", "/inputs/i")):
        ann.put(f"{thing}/members/{through}", {"role": "editor"})
        assert dan.put(use, {}).status == 201
        assert eve.get(thing).status == 200
        used_by = [item["project"] for item in ann.get(f"{thing}/projects").json()["items"]]
        assert used_by == ["d", "p"], "the owner sees who uses it, although he does not see the project"
        assert [item["project"] for item in eve.get(f"{thing}/projects").json()["items"]] == ["d"]
        ann.delete(f"{thing}/members/{through}")
        for gone in (dan, eve):
            assert gone.get(thing).status == 404, thing
    assert ann.get("/projects/d").status == 404


def test_a_project_shows_what_its_editor_has_brought(ann: Client) -> None:
    """What counts is that who assigned it, or the owner of the project, still sees it by himself."""
    bob, eve = person("bob", "editor"), person("eve")
    bob.post("/datasources", http_source("bobs"))
    ann.put(f"{MEMBERS}/user:bob", {"role": "editor"})
    ann.put(f"{MEMBERS}/user:eve", {"role": "viewer"})
    assert bob.put("/projects/p/datasources/bobs", {}).status == 201
    assert (ann.get("/datasources/bobs").status, eve.get("/datasources/bobs").status) == (200, 200)


def test_what_an_admin_has_assigned_is_seen_as_long_as_he_is_one(ann: Client, admin: Client) -> None:
    root, eve = person("root", "admin"), person("eve")
    admin.post("/datasources", http_source("b"))
    root.post("/projects", {"name": "r"})
    root.put("/projects/r/datasources/b", {})
    root.put("/projects/r/members/user:eve", {"role": "viewer"})
    assert eve.get("/datasources/b").status == 200
    person("root", "editor").get("/me")
    assert eve.get("/datasources/b").status == 404


def test_a_link_ends_when_its_creator_may_no_longer_create_it(ann: Client) -> None:
    bob, nobody = person("bob", "viewer", "planners"), Client()
    for member, role, ends in (("user:bob", "editor", "viewer"), ("group:planners", "owner", None)):
        ann.put(f"{MEMBERS}/{member}", {"role": role})
        link = bob.post("/projects/p/links", {"target": "data"}).json()
        path = link["url"].partition("/v1")[2]
        assert nobody.get(path).status == 200
        assert link["id"] in ann.get("/projects/p/links").text
        assert ann.put(f"{MEMBERS}/{member}", {"role": ends}).status == 200 if ends else True
        assert ann.delete(f"{MEMBERS}/{member}").status == 204 if not ends else True
        assert nobody.get(path).status == 404
        assert ann.get("/projects/p/links").json()["items"] == []
        ann.delete(f"{MEMBERS}/{member}")
    own = ann.post("/projects/p/links", {"target": "data"}).json()["url"].partition("/v1")[2]
    assert nobody.get(own).status == 200


def test_the_creator_cannot_be_shut_out(ann: Client) -> None:
    carl = person("carl")
    ann.put(f"{MEMBERS}/user:carl", {"role": "owner"})
    assert carl.put(f"{MEMBERS}/user:ann", {"role": "viewer"}).status == 409
    assert carl.delete(f"{MEMBERS}/user:ann").status == 409


def test_a_key_never_may_more_than_its_role(ann: Client, services: Container) -> None:
    reader = client_of(services, "viewer", projects=[])
    key = reader.get("/me").json()["id"].replace("/", ":")
    assert reader.get("/projects/p").status == 404
    assert ann.put(f"{MEMBERS}/{key}", {"role": "owner"}).status == 201
    assert reader.get("/projects/p/data").status == 200
    assert reader.get("/datasources/a").status == 200
    assert reader.patch("/projects/p", {"name": "x"}).status == 403
    writer = client_of(services, "editor", projects=[])
    ann.put(f"{MEMBERS}/{writer.get('/me').json()['id'].replace('/', ':')}", {"role": "editor"})
    assert writer.patch("/projects/p", {"name": "x"}).status == 200
    assert writer.delete("/projects/p").status == 403


def test_bad_members_are_refused(ann: Client, services: Container) -> None:
    assert ann.put(f"{MEMBERS}/user:bob", {"role": "boss"}).status == 422
    assert ann.put(f"{MEMBERS}/bob", {"role": "viewer"}).status == 422
    assert ann.put(f"{MEMBERS}/key:000000000000", {"role": "viewer"}).status == 404
    assert ann.put("/projects/nothing/members/user:bob", {"role": "viewer"}).status == 404
    services.settings.__dict__["max_members"] = 1
    assert ann.put(f"{MEMBERS}/user:b1", {"role": "viewer"}).status == 201
    full = ann.put(f"{MEMBERS}/user:b2", {"role": "viewer"})
    assert full.status == 409
    assert "group" in full.json()["detail"]
    assert len(ann.get(MEMBERS).json()["items"]) == 2


NAMES = [
    "auth0|5f7c",
    "google-oauth2|1234",
    "gr\u00fcppe",
    "Network planners",
    "a#b",
    "x" * 255,
    "\u4eba",
    "a:b",
    "~*'(%41",
]


def test_names_of_any_issuer_can_be_shared_with(ann: Client, admin: Client, services: Container) -> None:
    for name, kind in product(NAMES, ("user", "group")):
        encoded = quote(name, safe="")
        path = f"{MEMBERS}/{kind}:{encoded}"
        shared = ann.put(path, {"role": "viewer"})
        assert (shared.status, shared.json()["principal"]) == (201, f"{kind}:{name}")
        assert shared.headers["Location"].isascii()
        assert unquote(shared.headers["Location"]).endswith(f"{kind}:{name}")
        services.__dict__["tokens"] = Someone(f"user/{name}" if kind == "user" else "user/x", ["viewer", name])
        somebody = Client("a.b.c")
        assert somebody.get("/projects/p/data").status == 200, (kind, name)
        assert [item["slug"] for item in somebody.get("/projects").json()["items"]] == ["p"]
        services.__dict__["tokens"] = People()
        assert admin.get(f"/projects/p?view_as={kind}:{encoded}").status == 200
        assert ann.delete(path).status == 204
        services.__dict__["tokens"] = Someone(f"user/{name}", ["viewer", name])
        assert somebody.get("/projects/p").status == 404
        services.__dict__["tokens"] = People()


class Someone:
    """The port of tokens for one person, whatever the token."""

    configured = True

    def __init__(self, principal: str, groups: list[str]) -> None:
        self._principal = Principal(id=principal, role="viewer", groups=groups)

    def authenticate(self, _: str) -> Principal:
        return self._principal


def test_what_is_no_principal_is_422_everywhere(ann: Client, admin: Client) -> None:
    for text in ("bob", "user:", "team:x", "user:%20x", "user:a%00b", "user:a%0Ab", "user:a%2Fb", f"user:{'x' * 256}"):
        answers = [
            ann.put(f"{MEMBERS}/{text}", {"role": "viewer"}),
            ann.delete(f"{MEMBERS}/{text}"),
            admin.get(f"/projects?view_as={text}"),
            admin.get(f"/audit?principal={text}"),
        ]
        assert [answer.status for answer in answers] == [422] * 4, text
        assert person("eve").put(f"{MEMBERS}/{text}", {"role": "viewer"}).status == 404


def test_a_new_project_of_the_name_is_shared_with_nobody(ann: Client) -> None:
    bob = person("bob")
    ann.put(f"{MEMBERS}/user:bob", {"role": "owner"})
    ann.delete("/projects/p")
    assert ann.post("/projects", {"name": "p"}).status == 201
    assert bob.get("/projects/p").status == 404
    assert [member["principal"] for member in ann.get(MEMBERS).json()["items"]] == ["user:ann"]


def test_an_admin_sees_what_another_principal_sees(ann: Client, admin: Client, services: Container) -> None:
    ann.put(f"{MEMBERS}/group:planners", {"role": "viewer"})
    assert admin.get("/projects?view_as=user:bob").json()["items"] == []
    assert [item["slug"] for item in admin.get("/projects?view_as=group:planners").json()["items"]] == ["p"]
    assert admin.get("/projects/p?view_as=user:bob").status == 404
    reader = client_of(services, "viewer", projects=["p"])
    key = reader.get("/me").json()["id"].replace("/", ":")
    assert admin.get(f"/keys?view_as={key}").status == 403
    assert [item["slug"] for item in admin.get(f"/projects?view_as={key}").json()["items"]] == ["p"]
    assert person("bob", "viewer", "planners").get("/me").status == 200
    assert [item["slug"] for item in admin.get("/projects?view_as=user:bob").json()["items"]] == ["p"], (
        "since he has signed in, his groups are known"
    )
    assert admin.get("/projects/p/data?view_as=user:bob").status == 200
    assert admin.get("/inputs/templates/topology?view_as=user:bob").status == 303
    assert admin.get(f"/projects/p/data?view_as={key}").status == 200
    assert admin.get(f"/inputs/templates/topology?view_as={key}").status == 303
    assert ann.get("/projects?view_as=user:bob").status == 403
    assert admin.get("/projects?view_as=bob").status == 422
    assert admin.patch("/projects/p?view_as=user:bob", {"name": "x"}).status == 422, "nobody writes as another"


def test_values_of_headers_are_for_who_may_change_the_datasource(
    ann: Client, admin: Client, services: Container
) -> None:
    headers = {"X-Tenant": "CANARY-HEADER", "Accept-Language": "CANARY-HEADER"}
    changed = ann.patch("/datasources/a", {"http": {"headers": headers}})
    assert changed.json()["http"]["headers"] == headers
    ann.put(f"{MEMBERS}/user:eve", {"role": "owner"})
    for role in ("viewer", "designer", "editor"):
        ann.put(f"/datasources/a/members/user:{role}", {"role": role})
    mine, reader = person("editor"), client_of(services, "viewer")
    for client in (ann, admin, mine):
        assert client.get("/datasources/a").json()["http"]["headers"] == headers
        assert client.get("/datasources").json()["items"][0]["http"]["headers"] == headers
    masked = dict.fromkeys(headers, "********")
    for client in (person("eve"), person("viewer"), person("designer"), reader, client_of(services, "editor")):
        shown = client.get("/datasources/a").json()
        assert shown["http"]["headers"] == masked, "the names are shown"
        assert shown["http"]["url"] == changed.json()["http"]["url"]
        runs = [run["id"] for run in client.get("/runs").json()["items"]]
        paths = [f"/runs/{run}{part}" for run in runs for part in ("", "/pages")]
        paths += [f"/datasources/a{part}" for part in ("", "/versions", "/versions/1", "/projects", "/stats", "/data")]
        for path in ("/datasources", "/projects/p", "/projects/p/datasources", "/projects/p/versions/1", *paths):
            answer = client.get(path)
            assert answer.status == 200 or path.startswith("/projects"), path
            assert "CANARY" not in answer.text, path
    assert "CANARY" not in admin.get("/datasources/a?view_as=user:viewer").text
    assert mine.patch("/datasources/a", {"name": "n"}).json()["http"]["headers"] == headers


def test_nothing_is_done_as_another(ann: Client, admin: Client, upstream: Upstream) -> None:
    before, calls = admin.get("/runs").json(), len(upstream.requests)
    for root in (admin, person("root", "admin")):
        refused = root.get("/projects/p/fetch?view_as=user:ann")
        assert (refused.status, refused.json()["errors"][0]["pointer"]) == (422, "?view_as")
        assert "more than reading" in refused.json()["detail"]
    assert (admin.get("/runs").json(), len(upstream.requests)) == (before, calls)


def test_reading_as_another_starts_nothing(ann: Client, admin: Client, upstream: Upstream) -> None:
    """Every route that takes `view_as`."""
    before, calls = admin.get("/runs").json(), len(upstream.requests)
    walked = 0
    for path, operations in json.loads(DOCUMENT.read_text())["paths"].items():
        parameters = operations.get("get", {}).get("parameters", [])
        if any(parameter["name"] == "view_as" for parameter in parameters):
            slug = {"datasources": "a", "inputs": "i"}.get(path.split("/")[2], "p")
            target = re.sub(r"\{\w+\}", "a", re.sub(r"\{slug\}", slug, path.removeprefix("/v1")))
            assert admin.get(f"{target}?view_as=user:ann").status < 500, target
            walked += 1
    assert walked > 80
    assert (admin.get("/runs").json(), len(upstream.requests)) == (before, calls)


IDS = re.compile(r'"(?:id|slug|name|run|hash|principal)": ?"([^"]{2,80})"')


def test_a_viewer_of_one_project_reads_nothing_of_another(ann: Client, upstream: Upstream) -> None:
    """Walks every id that was seen anywhere, with every reading route."""
    upstream.serve([{"id": 7, "secret": "CANARY-ROW"}])
    ann.post("/datasources", http_source("hidden", description="CANARY-TEXT"))
    ann.post("/projects", {"name": "hidden-project", "description": "CANARY-TEXT", "refresh_on": "manual"})
    ann.put("/projects/hidden-project/datasources/hidden", {})
    ann.put("/projects/hidden-project/models/m", {"sql": "SELECT *, 'CANARY-SQL' AS c FROM merged"})
    ann.put("/inputs/hidden-input", {"kind": "document", "document": {"x": "CANARY-INPUT"}})
    refresh(ann, "hidden-project", ingest="all")
    texts = [ann.get(path).text for path in ("/projects", "/datasources", "/inputs", "/runs?limit=200")]
    runs = [run["id"] for run in ann.get("/runs?limit=200").json()["items"]]
    texts += [ann.get(f"/runs/{run}/pages").text for run in runs]
    seen = sorted(
        {found for text in texts for found in IDS.findall(text)} | {"hidden", "hidden-project", "m", "latest"}
    )
    ann.put(f"{MEMBERS}/user:bob", {"role": "viewer"})
    hashes = {page for page in seen if re.fullmatch(r"[0-9a-f]{64}", page)}
    assert hashes, "the raw pages are among what is walked"
    for bob, names in ((person("bob"), seen), (person("bob", "editor"), [*HIDDEN, *hashes, *runs])):
        walked = 0
        for target, is_hidden in reading_requests(names):
            answer = bob.get(target)
            walked += 1
            assert "CANARY" not in answer.text, target
            assert answer.status < 500, target
            assert answer.status >= 300 or '"hidden' not in answer.text, target
            if is_hidden:
                assert answer.status in (403, 404, 422), (target, answer.status)
        assert walked > 500


HIDDEN = ("hidden", "hidden-project", "hidden-input")
# Query parameters whose values name something.
NAMING = ("project", "datasource", "input", "run", "subscription", "resource", "id", "a")


def reading_requests(names: list[str]) -> Iterator[tuple[str, bool]]:
    """Each reading route with each name in its path and query, and whether the path is of something hidden."""
    for path, operations in json.loads(DOCUMENT.read_text())["paths"].items():
        if "get" not in operations or path.count("{") > 2:
            continue
        for first in names if "{" in path else [""]:
            for second in ("m", "1", "main", "user:ann", "hidden") if path.count("{") == 2 else [""]:
                target = re.sub(r"\{\w+\}", second, re.sub(r"\{\w+\}", first, path.removeprefix("/v1"), count=1))
                yield target, first in HIDDEN and "/endpoints/" not in path
        target = re.sub(r"\{\w+\}", "p", path.removeprefix("/v1"))
        for parameter in operations["get"].get("parameters", []):
            if parameter["in"] == "query" and parameter["name"] in NAMING:
                others = "&b=latest" if parameter["name"] == "a" else ""
                yield from ((f"{target}?{parameter['name']}={name}{others}", False) for name in names)


def test_shares_are_no_definitions_that_the_api_shows(ann: Client, admin: Client) -> None:
    ann.put(f"{MEMBERS}/user:bob", {"role": "viewer"})
    assert "resource_created_at" not in json.dumps(admin.get(MEMBERS).json())


def test_fetching_runs_nothing_for_who_may_not_run(ann: Client) -> None:
    """What counts is as what the project is shared, not the role in the workspace."""
    before = len(ann.get("/runs").json()["items"])
    for role in ("viewer", "designer"):
        ann.put(f"{MEMBERS}/user:bob", {"role": role})
        assert person("bob", "editor").get("/projects/p/fetch").status == 200
    assert len(ann.get("/runs").json()["items"]) == before
    ann.put(f"{MEMBERS}/user:bob", {"role": "editor"})
    assert person("bob", "viewer").get("/projects/p/fetch").status == 200
    assert len(ann.get("/runs").json()["items"]) > before
