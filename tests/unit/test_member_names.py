"""Principals that a resource can be shared with: names of any issuer, and what is none."""

from __future__ import annotations

from itertools import product
from urllib.parse import quote, unquote

from sluice.container import Container
from sluice.domain.identity import Principal
from support.client import Client
from support.sharing import MEMBERS, People, person

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
