"""An admin sees what another principal sees, and does nothing as another."""

from __future__ import annotations

import json
import re

from sluice.container import Container
from support.client import Client, client_of
from support.conformance import DOCUMENT
from support.sharing import MEMBERS, person
from support.upstream import Upstream


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
