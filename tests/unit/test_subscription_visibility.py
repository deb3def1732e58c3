"""Subscriptions: whose they are, and that their events are only of what their owner sees."""

from __future__ import annotations

import json

from sluice.container import Container
from support.client import Client, client_of
from support.documents import http_source, ingest, refresh
from support.functions import LocalFunctions
from support.sharing import People, person
from support.webhooks import HOOK, Hook, deliveries, publish, subscribe


def test_filters_and_hidden_datasets(admin: Client, services: Container, hook: Hook, functions: LocalFunctions) -> None:
    subscribe(admin, project="p")
    admin.put("/datasources/a", http_source("a"))
    admin.put("/projects/p", {"name": "p", "refresh_on": "manual"})
    admin.put("/projects/p/datasources/a", {})
    refresh(admin, "p")
    admin.delete("/projects/p")
    functions.run()
    assert [message["data"]["dataset"] for message in hook.messages] == ["project/p"]


def test_event_reaches_only_who_may_see_its_subject(
    admin: Client, services: Container, hook: Hook, functions: LocalFunctions
) -> None:
    limited = client_of(services, "editor", ["p"])
    subscription = subscribe(limited)
    admin.put("/projects/p", {"name": "p", "refresh_on": "manual"})
    for name in "ab":
        admin.put(f"/datasources/{name}", http_source(name))
    admin.put("/projects/p/datasources/a", {})
    limited.put("/datasources/mine", http_source("mine"))
    for name in ("a", "b", "mine"):
        ingest(admin, name)
    refresh(admin, "p", ingest="none")
    functions.run()
    assert sorted(message["data"]["dataset"] for message in hook.messages) == [
        "datasource/a",
        "datasource/mine",
        "project/p",
    ]
    assert len(deliveries(limited, subscription)) == 3


def test_person_gets_events_only_of_what_he_sees_now(
    admin: Client, services: Container, hook: Hook, functions: LocalFunctions
) -> None:
    services.__dict__["tokens"] = People()
    bob = person("bob", "editor", "planners")
    subscription = subscribe(bob)
    subscribe(bob, "run.failed")
    admin.put("/projects/p", {"name": "p", "refresh_on": "manual"})
    for name in "ab":
        admin.put(f"/datasources/{name}", http_source(name))
    admin.put("/projects/p/datasources/a", {})
    bob.put("/datasources/mine", http_source("mine"))
    admin.put("/projects/p/members/group:planners", {"role": "viewer"})

    def run_all() -> list[str]:
        hook.upstream.requests.clear()
        for name in ("a", "b", "mine"):
            ingest(admin, name)
        refresh(admin, "p", ingest="none")
        functions.run()
        return sorted(message["data"]["dataset"] for message in hook.messages)

    assert run_all() == ["datasource/a", "datasource/mine", "project/p"]
    admin.put("/datasources/b", http_source("b", records="nothing"))
    ingest(admin, "b")
    admin.delete("/projects/p/members/group:planners")
    assert run_all() == ["datasource/mine"], "no longer what is shared no longer, and no failure of what never was"
    assert len(deliveries(bob, subscription)) == 4
    person("bob", "viewer").get("/me")
    assert run_all() == [], "who may subscribe no longer gets nothing"


def test_subscription_names_only_what_its_author_sees(admin: Client, services: Container) -> None:
    services.__dict__["tokens"] = People()
    admin.put("/projects/p", {"name": "p"})
    admin.put("/datasources/a", http_source("a"))
    for author in (person("bob", "editor"), client_of(services, "editor", [])):
        for field, hidden in (("project", "p"), ("datasource", "a")):
            answers = [
                author.post("/subscriptions", {"event": "run.failed", "webhook": HOOK, field: name})
                for name in (hidden, "nothing")
            ]
            assert [answer.status for answer in answers] == [422, 422]
            first, second = (answer.json()["errors"] for answer in answers)
            assert first[0]["pointer"] == f"/{field}"
            assert json.loads(json.dumps(first).replace(f"'{hidden}'", "'nothing'")) == second
        assert author.get("/subscriptions").json()["items"] == []
    admin.put("/datasources/a/members/user:bob", {"role": "viewer"})
    assert subscribe(person("bob", "editor"), datasource="a")["datasource"] == "a"


def test_subscription_of_a_revoked_key_gets_no_further_event(
    admin: Client, services: Container, hook: Hook, functions: LocalFunctions
) -> None:
    owner = client_of(services, "editor")
    subscribe(owner)
    publish(admin, "a")
    services.keys.revoke(services.keys.get(owner.get("/me").json()["id"].removeprefix("key/")))
    publish(admin, "b")
    functions.run()
    assert [message["data"]["datasource"] for message in hook.messages] == ["a"]
    assert len(admin.get("/subscriptions").json()["items"]) == 1, "an admin can delete it"


def test_subscription_is_known_to_its_owner_and_admins_only(admin: Client, services: Container) -> None:
    owner, stranger = client_of(services, "editor"), client_of(services, "editor")
    path = f"/subscriptions/{subscribe(owner)['id']}"
    for method, tail in (("GET", ""), ("DELETE", ""), ("POST", "/rotate"), ("GET", "/deliveries")):
        assert stranger.call(method, path + tail).status == 404
    assert stranger.get("/subscriptions").json()["items"] == []
    assert len(owner.get("/subscriptions").json()["items"]) == 1
    assert len(admin.get("/subscriptions").json()["items"]) == 1
    assert client_of(services, "viewer").get("/subscriptions").status == 403
    assert admin.delete(path).status == 204
