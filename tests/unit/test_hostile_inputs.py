"""Hostile requests and files: none is answered with a 5xx, shows what is inside, or changes what is published.

`PROOF=1` sends all of them; without it, every third one.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from sluice.container import Container
from support.client import Client, Reply, client_of_projects
from support.documents import drop, refresh
from support.examples import seed_examples
from support.fuzzing import require_harmless
from support.hostile import Attack, all_attacks
from support.hostile.data import DROPS
from support.upstream import Upstream

ATTACKS = all_attacks()
SENT = ATTACKS[:: 1 if os.environ.get("PROOF") else 3]
# Planted where no answer may show it: in a secret and in the environment.
CANARY = "c4n4ry-5f1e"


def published(admin: Client) -> dict[str, Any]:
    """What readers of the workspace get."""
    paths = [
        *("/projects/top-coins", "/projects/top-coins/data", "/projects/top-coins/versions"),
        *("/projects/top-coins/models", "/projects/top-coins/models/top/data", "/projects/top-coins/endpoints"),
        *("/endpoints/top-coins/top", "/projects/top-coins/reports/today/latest", "/projects/top-coins/overrides"),
        *("/datasources/cmc-listings/data", "/datasources/cmc-listings/versions", "/datasources/orders/data"),
        *("/inputs/north", "/inputs/north/versions", "/sites", "/equipment", "/sensors", "/operations", "/alarms"),
        *("/sensors/P-101-temperature/readings", "/readings/latest", "/secrets?limit=1"),
    ]
    answers = {path: admin.get(path) for path in paths}
    assert {path: reply.text for path, reply in answers.items() if reply.status != 200} == {}
    return {path: reply.text for path, reply in answers.items()}


def fault(attack: Attack, reply: Reply) -> str | None:
    try:
        require_harmless(reply.status, reply.text)
    except AssertionError as error:
        return f"{attack.name}: {error}"
    for name, value in reply.headers.items():
        if "\n" in value or "evil" in value.lower() or name.lower() in ("x-evil", "set-cookie"):
            return f"{attack.name}: header {name}: {value[:80]!r}"
    if CANARY in reply.text:
        return f"{attack.name}: shows a secret"
    if attack.refused and reply.status < 400:
        return f"{attack.name}: {reply.status}, accepted: {reply.text[:200]}"
    return None


def send(client: Client, attack: Attack) -> Reply:
    return client.call(attack.method, attack.path, attack.body, **attack.headers)


def test_attacks_are_many_and_different() -> None:
    names = [attack.name for attack in ATTACKS]
    assert [name for name in names if names.count(name) > 1] == []
    assert len(ATTACKS) >= 200


def test_no_attack_succeeds(
    services: Container, admin: Client, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", CANARY)
    assert seed_examples(services, admin, upstream) == []
    admin.put("/secrets/shop-password", {"value": CANARY})
    admin.post("/datasources", {"name": "Hostile log", "kind": "push"})
    # One example disables the datasource, and another erases its record.
    assert admin.patch("/datasources/cmc-listings", {"enabled": True}).status == 200
    assert refresh(admin, "top-coins", ingest="all")["status"] == "succeeded"
    before = published(admin)
    faults = [message for attack in SENT if (message := fault(attack, send(admin, attack)))]
    assert faults == []
    assert published(admin) == before
    stranger = client_of_projects(services, [])
    assert "BTC" in before["/projects/top-coins/data"]
    reads = [attack for attack in SENT if attack.method == "GET" or attack.path.endswith("/query")]
    assert [attack.name for attack in reads if "BTC" in send(stranger, attack).text] == []


def test_no_dropped_file_succeeds(services: Container, admin: Client) -> None:
    services.settings.__dict__["max_unpacked_bytes"] = 20_000_000
    admin.put("/datasources/notes", {"name": "notes", "kind": "file"})
    assert drop(services, "notes/good.csv", b"id,name\n1,Ada\n")
    before = admin.get("/datasources/notes/data").text
    for name, content in DROPS.items():
        run = drop(services, f"notes/{name}", content)
        assert run is not None
        assert run["status"] in ("failed", "succeeded", "partial"), name
        require_harmless(200, str(run))
        if run["status"] == "failed":
            assert run["error"]["type"] != "urn:sluice:problem:run-stopped", (name, run["error"])
            assert admin.get("/datasources/notes/data").text == before, name
        before = admin.get("/datasources/notes/data").text
