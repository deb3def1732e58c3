"""People who have signed in, and finding whom to share with."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.catalog.table import Table, Write
from sluice.container import Container
from sluice.domain.identity import KeyRequest, Principal
from sluice.domain.names import now, parse_time
from sluice.domain.person import Account
from sluice.errors import Unavailable
from support import permissions
from support.client import Client, client_of
from support.issuer import token, trust_issuer

ADA = {"sub": "ada", "email": "Ada@Example.com", "name": "Ada Lovelace"}
BOB = {"sub": "bob", "email": "bob@example.com", "name": "Bob Ångström"}


@pytest.fixture(autouse=True)
def issuer(services: Container) -> None:
    trust_issuer(services)


def sign_in(**claims: Any) -> Client:
    person = Client(token(**claims))
    assert person.get("/me").status == 200
    return person


def search(client: Client, text: str) -> list[Any]:
    answer = client.get(f"/users?search={text}")
    assert answer.status == 200, answer.text
    return list(answer.json()["items"])


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The principals of which something is written."""
    written: list[str] = []
    execute = Table.execute

    def counting(table: Table, write: Write) -> object:
        if "display_name" in str(write.request) or "last_seen_at" in str(write.request):
            written.append(write.request["Key"]["name"]["S"])
        return execute(table, write)

    monkeypatch.setattr(Table, "execute", counting)
    return written


@pytest.mark.parametrize("text", ["ada", "ADA@", "love", "a%20L", "example.com", "ada@example.com"])
def test_person_who_has_signed_in_is_found(services: Container, viewer: Client, text: str) -> None:
    sign_in(**ADA)
    assert search(viewer, text) == [{"principal": "user:ada", "email": "Ada@Example.com", "name": "Ada Lovelace"}]


def test_search_ignores_case_beyond_ascii(viewer: Client) -> None:
    sign_in(**BOB)
    assert [item["principal"] for item in search(viewer, "%C3%A5ngstr%C3%B6m")] == ["user:bob"]
    assert search(viewer, "nobody") == []


@pytest.mark.parametrize("query", ["?search=ab", "?search=", "?search=%20ab%20", "?search=" + "x" * 201, ""])
def test_search_needs_three_characters(editor: Client, query: str) -> None:
    refused = editor.get(f"/users{query}")
    assert (refused.status, refused.json()["errors"][0]["pointer"]) == (422, "?search")
    assert Client().get(f"/users{query}").status == 401


def test_admin_lists_everybody_with_role_and_last_use(admin: Client, viewer: Client) -> None:
    sign_in(**ADA, groups=["editor", "traders"])
    sign_in(**BOB, groups=["viewer"])
    first = admin.get("/users?limit=1").json()
    second = admin.get(f"/users?limit=1&cursor={first['next']}").json()
    ada, bob = first["items"] + second["items"]
    assert (ada["principal"], ada["role"], ada["groups"]) == ("user:ada", "editor", ["editor", "traders"])
    assert now() - parse_time(ada["last_seen_at"]) < timedelta(minutes=5)
    assert (bob["principal"], bob["role"]) == ("user:bob", "viewer")
    assert search(admin, "ada") == [ada]
    assert "last_seen_at" not in search(viewer, "ada")[0]


def test_editors_find_keys_by_name(services: Container, admin: Client, editor: Client, viewer: Client) -> None:
    key = admin.post("/keys", {"name": "Nightly pipeline", "role": "viewer"}).json()
    expected = [{"principal": f"key:{key['id']}", "email": None, "name": "Nightly pipeline"}]
    assert search(editor, "nightly") == search(admin, "PIPE") == expected
    assert search(client_of(services, "editor", []), "nightly") == expected, "what it owns can be shared, too"
    assert search(viewer, "nightly") == []
    assert admin.delete(f"/keys/{key['id']}").status == 204
    assert search(editor, "nightly") == []


def test_expired_keys_are_not_found(services: Container, editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    request = KeyRequest(name="Nightly pipeline", role="viewer", expires_at=now() + timedelta(minutes=1))
    services.keys.issue(request, "test")
    assert len(search(editor, "nightly")) == 1
    monkeypatch.setattr("sluice.access.api_keys.now", lambda: now() + timedelta(minutes=2))
    assert search(editor, "nightly") == []


def test_person_is_written_once_per_interval(
    services: Container, writes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = sign_in(**ADA)
    assert (ada.get("/me").status, ada.get("/projects").status, writes) == (200, 200, ["user/ada"])
    services.people._recorded.clear()  # another process
    assert ada.get("/me").status == 200
    assert writes == 2 * ["user/ada"], "it asks, and the condition does not hold"
    seen = services.people.find_all(["user/ada"])["user/ada"].last_seen_at
    monkeypatch.setattr("sluice.catalog.people.now", lambda: now() + timedelta(minutes=11))
    assert ada.get("/me").status == 200
    later = services.people.find_all(["user/ada"])["user/ada"].last_seen_at
    assert parse_time(later) - parse_time(seen) > timedelta(minutes=10)


def test_new_role_or_name_is_stored_at_once(services: Container, admin: Client) -> None:
    sign_in(**ADA, groups=["viewer"])
    sign_in(**{**ADA, "name": "Ada King"}, groups=["admin"])
    (ada,) = admin.get("/users").json()["items"]
    assert (ada["name"], ada["role"]) == ("Ada King", "admin")
    sign_in(sub="ada", groups=["admin"])  # an access token: it has neither
    (ada,) = admin.get("/users").json()["items"]
    assert (ada["name"], ada["email"]) == ("Ada King", "Ada@Example.com")


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "boss@example.com", "email_verified": False},
        {"email": "boss@example.com", "email_verified": "false"},
        {"email": 7, "name": ["boss"]},
        {"email": "", "name": "  "},
        {"name": "boss\nadmin"},
        {"name": "boss\ud800"},
        {"name": "boss" * 100},
    ],
    ids=str,
)
def test_unverified_or_invalid_claims_are_not_shown(admin: Client, claims: dict[str, Any]) -> None:
    sign_in(sub="eve", **claims)
    (eve,) = admin.get("/users").json()["items"]
    assert (eve["principal"], eve["email"], eve["name"]) == ("user:eve", None, None)


def test_request_succeeds_if_the_person_cannot_be_stored(services: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    def throttled(*_: object) -> None:
        raise Unavailable("DynamoDB throttled; try again.")

    monkeypatch.setattr(services.people, "record", throttled)
    sign_in(**ADA)
    monkeypatch.undo()
    sign_in(sub="x" * 2000)  # longer than a key of DynamoDB


def test_refused_token_makes_nobody_known(services: Container, admin: Client) -> None:
    assert Client(token(**ADA, exp=1)).get("/me").status == 401
    assert Client(token(**ADA, groups=["none"])).get("/me").status in (401, 403)
    assert admin.get("/users").json()["items"] == []


class Pool:
    """The stack's own user pool, whose users may never have signed in."""

    def __init__(self, *users: Account) -> None:
        self.users = users

    def with_email(self, beginning: str) -> list[Account]:
        return [user for user in self.users if (user.email or "").startswith(beginning)]


def test_people_of_the_own_pool_are_found_before_they_sign_in(services: Container, editor: Client) -> None:
    sign_in(**ADA)
    sign_in(sub="bob")  # with an access token, which has no e-mail address
    services.__dict__["user_pool"] = Pool(
        Account("ada", "ada@example.com", None),
        Account("adam", "adam@example.com", None),
        Account("bob", "bob@x.org", "B"),
    )
    assert [item["principal"] for item in search(editor, "ada")] == ["user:ada", "user:adam"]
    assert search(editor, "bob") == [{"principal": "user:bob", "email": "bob@x.org", "name": "B"}]


def test_cursor_belongs_to_its_search(editor: Client, admin: Client) -> None:
    sign_in(**ADA)
    sign_in(**BOB)
    cursor = editor.get("/users?search=example&limit=1").json()["next"]
    assert editor.get(f"/users?search=example&limit=1&cursor={cursor}").status == 200
    assert editor.get(f"/users?search=exampl&cursor={cursor}").status == 422
    assert admin.get(f"/users?cursor={cursor}").status == 422


NAMES = st.lists(st.sampled_from(["anna", "annika", "joanna", "bert", "ANNABEL"]), max_size=7)


@given(people=NAMES, accounts=NAMES, keys=NAMES, limit=st.integers(1, 4), most=st.integers(1, 9))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_have_every_match_once(
    services: Container, people: list[str], accounts: list[str], keys: list[str], limit: int, most: int
) -> None:
    emptied(services)
    for number, name in enumerate(people):
        services.people.record(Principal(id=f"user/p{number}", role="viewer", name=name))
    for name in keys:
        services.keys.issue(KeyRequest(name=name, role="viewer"), "test")
    pool = Pool(*(Account(f"p{number + 3}", f"{name}@x.org", None) for number, name in enumerate(accounts)))
    directory = type(services.directory)(services.people, services.keys, pool, most)
    pages, position = 0, None
    names: list[tuple[str, str | None]] = []
    while True:
        entries, position = directory.search("ANN", limit, position, keys=True)
        assert len(entries) <= limit
        names += [(entry.principal.partition("/")[0], entry.name or entry.email) for entry in entries]
        pages += 1
        if position is None:
            break

    def matching(name: str) -> bool:
        return "ann" in name.casefold()

    signed_in = [name for name in people if matching(name)]
    found_before = {f"p{number}" for number, name in enumerate(people) if matching(name)}
    others = [
        f"{name}@x.org"
        for number, name in enumerate(accounts)
        if name.startswith("ann") and f"p{number + 3}" not in found_before
    ]
    expected = [("user", name) for name in signed_in + others] + [("key", name) for name in keys if matching(name)]
    assert sorted(names, key=str) == sorted(expected, key=str)


def emptied(services: Container) -> None:
    """Remove the people and keys of the previous example."""
    table = services.people._table
    for person in list(services.people.after(None)):
        key = {"workspace_kind": "main#person", "name": person.id}
        table.execute(table.delete(key, "attribute_exists(#name)"))
    services.people._recorded.clear()
    for definition in services.keys.page(1000, None)[0]:
        services.keys.revoke(definition)


def test_authorizer_may_write_people_and_nobody_else(services: Container) -> None:
    for function in permissions.FUNCTIONS:
        may = permissions.allows(function, "dynamodb:UpdateItem", "AccessTable[person]")
        assert may == (function in ("authorizer", "api")), function
    with permissions.acting("authorizer"):
        services.people.record(Principal(id="user/x", role="viewer", email="x@example.com"))
    assert permissions.refused == set()
