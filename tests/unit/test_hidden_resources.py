"""Nothing tells of what is not shared: no id, no name, no value of a header."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from sluice.container import Container
from support.client import Client, client_of
from support.conformance import DOCUMENT
from support.documents import http_source, refresh
from support.sharing import MEMBERS, person
from support.upstream import Upstream


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
