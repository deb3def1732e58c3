"""Secrets are planted wherever one may go, and searched for wherever none may be.

Two places have secrets by design, and are not searched: the parameters of SSM, in which they are stored, and pages as
received, since an upstream may put into a page what it was sent. An answer that shows a new key, link or signing
secret once is not searched either; its repetition is.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

import asyncpg
import httpx
import pymysql
import pytest
from pymongo.errors import OperationFailure

from sluice.container import Container
from sluice.sources.address import AddressPolicy
from sluice.sources.mongo import connection
from sluice.sources.sql.mysql import MysqlResult
from support.canaries import Traces, canary, contains
from support.client import Client
from support.documents import JOIN, http_source, ingest, refresh
from support.functions import LocalFunctions
from support.upstream import StubResponse, Upstream, ok, raw
from support.workflows import LocalWorkflows

Answer = Callable[[httpx.Request], StubResponse]
SECRET = canary("token")
AUTHS: dict[str, dict[str, Any]] = {
    "bearer": {"type": "bearer", "secret": "token"},
    "basic": {"type": "basic", "username": "reader", "secret": "token"},
    "api_key_header": {"type": "api_key", "in": "header", "name": "X-Key", "secret": "token"},
    "api_key_query": {"type": "api_key", "in": "query", "name": "code", "secret": "token"},
}


@pytest.fixture
def traces(workflows: LocalWorkflows, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Traces:
    return Traces(monkeypatch, capsys)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"x{SECRET}y", True),
        (quote(SECRET, safe=""), True),
        (quote(quote(SECRET, safe=""), safe=""), True),
        (base64.b64encode(f"reader:{SECRET}".encode()).decode(), True),
        (base64.b64encode(f"user1:{SECRET}".encode()).decode(), True),
        (base64.urlsafe_b64encode(f"ab{SECRET}cd".encode()).decode(), True),
        (f"x{SECRET}y".encode().hex(), True),
        (SECRET[:-4], False),
        (canary("other"), False),
    ],
)
def test_canary_is_found_in_each_form(text: str, *, found: bool) -> None:
    assert contains(text, SECRET) == found


def echo(request: httpx.Request) -> str:
    """All that a request had, as some servers show it in their error pages."""
    return f"{request.method} {request.url} {dict(request.headers)} {request.content!r}"


def next_page(address: str) -> StubResponse:
    return ok({"data": [{"id": 1}], "next": address})


def fail(error: Exception) -> StubResponse:
    raise error


ESCAPED = quote(SECRET, safe="")
ANSWERS: dict[str, Answer] = {
    "records": lambda request: ok([{"id": 1}]),
    "error_page": lambda request: raw(echo(request).encode(), 500),
    "refusal": lambda request: raw(echo(request).encode(), 401, www_authenticate=f"Bearer {SECRET}"),
    "no_json": lambda request: raw(b"{" + echo(request).encode()),
    "redirect_query": lambda request: raw(b"", 302, location=f"https://evil.example/?t={ESCAPED}"),
    "redirect_path": lambda request: raw(b"", 302, location=f"https://evil.example/{ESCAPED}"),
    "redirect_user": lambda request: raw(b"", 302, location=f"https://u:{ESCAPED}@evil.example/"),
    "redirect_loop": lambda request: raw(b"", 302, location=f"/v1?code={ESCAPED}"),
    "media_type": lambda request: StubResponse(200, b"?", {"content-type": f"text/{SECRET}"}),
    "file_name": lambda request: raw(b"[]", content_disposition=f'attachment; filename="{SECRET}.json"'),
    "retry_after": lambda request: raw(b"", 503, retry_after=SECRET),
    "encoding": lambda request: raw(b"[]", content_encoding=SECRET),
    "next_query": lambda request: next_page(f"/v1?page=2&code={ESCAPED}"),
    "next_path": lambda request: next_page(f"/v1/{ESCAPED}"),
    "next_invalid": lambda request: next_page(f"ftp://{SECRET}@x/{SECRET}"),
    "connection": lambda request: fail(httpx.ConnectError(f"cannot reach {echo(request)}")),
    "protocol": lambda request: fail(httpx.LocalProtocolError(f"Illegal header value {SECRET!r}")),
    "unexpected": lambda request: fail(RuntimeError(f"a fault of a library: {echo(request)}")),
}
# Where a secret travels makes a difference to these; to the others, only which secret it is.
ECHOES = ("error_page", "refusal", "unexpected")


@pytest.mark.parametrize(
    ("auth", "answers"),
    [("api_key_query", [*ANSWERS]), ("api_key_header", ECHOES), ("bearer", ECHOES), ("basic", ECHOES)],
    ids=["api_key_query", "api_key_header", "bearer", "basic"],
)
def test_secret_of_an_api_stays_in_its_requests(
    services: Container, admin: Client, upstream: Upstream, traces: Traces, auth: str, answers: Sequence[str]
) -> None:
    services.settings = services.settings.model_copy(update={"fetch_attempts": 2})
    assert admin.put("/secrets/token", {"value": SECRET, "hosts": ["coins.example.com"]}).status == 201
    http = {"auth": AUTHS[auth], "pagination": {"type": "next_url", "path": "next", "max_pages": 3}}
    admin.put("/datasources/coins", http_source(http=http, records="data || @"))
    for answer in answers:
        upstream.answer = ANSWERS[answer]
        run = ingest(admin, "coins")
        for part in ("", "/pages", "/events"):
            admin.get(f"/runs/{run['id']}{part}")
        admin.post("/datasources/coins/check")
        admin.post("/datasources/coins/preview")
        admin.post("/datasources/detect", {"url": "https://coins.example.com/v1", "auth": AUTHS[auth]})
    sent = [request.url.host for request in upstream.requests if contains(str(request.headers.raw), SECRET)]
    in_url = [request.url.host for request in upstream.requests if contains(str(request.url), SECRET)]
    assert {*sent, *in_url} == {"coins.example.com"}, "it is sent to its host, and to no other one"
    assert traces.leaks(SECRET) == []


@pytest.mark.parametrize(
    "http",
    [
        {"url": f"https://user:{ESCAPED}@coins.example.com/v1"},
        {"url": f"https://{ESCAPED}@coins.example.com/v1"},
        {"url": f"https://coins.example.com/v1?api_key={ESCAPED}"},
        {"params": {"access_token": SECRET}},
        {"headers": {"Authorization": f"Bearer {SECRET}"}},
        {"headers": {"X-Api-Key": SECRET}},
        {"auth": {"type": "bearer", "secret": SECRET}},
        {"auth": {"type": "basic", "username": "u", "secret": "token", "password": SECRET}},
        {"auth": {"type": SECRET}},
    ],
    ids=["userinfo", "user", "url", "params", "authorization", "header", "secret_name", "password", "type"],
)
def test_secret_in_a_document_is_refused_and_forgotten(admin: Client, traces: Traces, http: dict[str, Any]) -> None:
    document = http_source(http=http)
    for method, path in (
        ("POST", "/datasources"),
        ("PUT", "/datasources/coins"),
        ("POST", "/datasources/check"),
        ("POST", "/datasources/preview"),
    ):
        assert admin.call(method, path, document).status == 422
    if "url" in http:
        assert admin.post("/datasources/detect", {"url": http["url"]}).status in (200, 422)
    assert traces.leaks(SECRET) == []


def test_secret_that_is_not_valid_is_not_shown(admin: Client, traces: Traces) -> None:
    for body in (
        {"value": [SECRET]},
        {"value": SECRET, "hosts": 5},
        {SECRET: SECRET},
        {"value": SECRET, "projects": ["no"]},
    ):
        assert admin.put("/secrets/token", body).status == 422
    assert admin.put("/secrets/token", f'{{"value": "{SECRET}"').status == 400
    assert admin.put("/secrets/token", {"value": SECRET}).status == 201
    admin.get("/secrets")
    assert traces.leaks(SECRET) == []


USER, PASSWORD = canary("user"), canary("password")
FAULT = f"authentication of {USER} with {PASSWORD} at {quote(PASSWORD, safe='')} failed"


def type_of(fault: Exception) -> str:
    return type(fault).__name__


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every host has a public address."""

    async def resolve(*_: Any) -> list[str]:
        return ["93.184.215.14"]

    monkeypatch.setattr(AddressPolicy, "resolve", resolve)


def sql_source(engine: str) -> dict[str, Any]:
    login = {"host": "db.example.com", "user": "db-user", "password": "db-password"}
    return {
        "name": "a",
        "kind": "sql",
        "sql": {"engine": engine, "query": "SELECT 1 AS n", "database": "shop", **login},
    }


@pytest.mark.usefixtures("resolved")
@pytest.mark.parametrize("fault", [asyncpg.InvalidPasswordError(FAULT), OSError(FAULT), KeyError(FAULT)], ids=type_of)
def test_login_of_postgresql_is_not_shown(
    services: Container, admin: Client, traces: Traces, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    async def connect(**arguments: Any) -> None:
        assert (arguments["user"], arguments["password"]) == (USER, PASSWORD)
        raise fault

    monkeypatch.setattr(asyncpg, "connect", connect)
    run_with_login(services, admin, sql_source("postgresql"))
    assert traces.leaks(USER, PASSWORD) == []


@pytest.mark.usefixtures("resolved")
@pytest.mark.parametrize("fault", [pymysql.OperationalError(1045, FAULT), OSError(FAULT), KeyError(FAULT)], ids=type_of)
def test_login_of_mysql_is_not_shown(
    services: Container, admin: Client, traces: Traces, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def connect(result: MysqlResult) -> None:
        assert (result._login.user, result._login.password) == (USER, PASSWORD)
        raise fault

    monkeypatch.setattr(MysqlResult, "_connect", connect)
    run_with_login(services, admin, sql_source("mysql"))
    assert traces.leaks(USER, PASSWORD) == []


@pytest.mark.usefixtures("resolved")
@pytest.mark.parametrize("fault", [OperationFailure(FAULT, 18), OSError(FAULT), KeyError(FAULT)], ids=type_of)
def test_uri_of_mongodb_is_not_shown(
    services: Container, admin: Client, traces: Traces, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    async def hello(_: Any) -> None:
        raise fault

    monkeypatch.setattr(connection, "_hello", hello)
    uri = f"mongodb://{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@db.example.com/"
    admin.put("/secrets/shop-uri", {"value": uri})
    mongo = {"uri": "shop-uri", "database": "shop", "collection": "goods"}
    run_with_login(services, admin, {"name": "a", "kind": "mongo", "mongo": mongo})
    assert traces.leaks(USER, PASSWORD) == []


def run_with_login(services: Container, admin: Client, document: dict[str, Any]) -> None:
    services.settings = services.settings.model_copy(update={"fetch_attempts": 1})
    admin.put("/secrets/db-user", {"value": USER})
    admin.put("/secrets/db-password", {"value": PASSWORD})
    assert admin.put("/datasources/a", document).status == 201
    assert ingest(admin, "a")["status"] == "failed"
    admin.post("/datasources/a/check")
    admin.post("/datasources/a/preview")


def test_keys_are_shown_once(services: Container, traces: Traces, admin: Client) -> None:
    created = {"name": "program", "role": "editor"}
    with traces.paused():
        key = admin.post("/keys", created, idempotency_key="a").json()
        rotated = admin.post(f"/keys/{key['id']}/rotate", idempotency_key="b").json()["key"]
    assert admin.post("/keys", created, idempotency_key="a").headers["Idempotent-Replayed"] == "true"
    assert admin.post(f"/keys/{key['id']}/rotate", idempotency_key="b").status == 200
    holder = Client(rotated)
    for path in ("/me", "/keys", f"/projects/{rotated}", "/datasources"):
        holder.get(path)
    holder.delete(f"/keys/{rotated}", user_agent=rotated)
    holder.post("/projects", {"name": "p", rotated: rotated}, idempotency_key=rotated)
    Client(key["key"]).get("/me")
    Client(rotated + "x").get("/me")
    token = f"eyJhbGciOiJSUzI1NiJ9.{'canary' * 5}.{'canary' * 5}"
    Client(token).get("/me")
    admin.delete(f"/keys/{token}", user_agent=token)
    assert traces.leaks(key["key"], rotated, rotated.split("_", 2)[2], str(admin.key), token) == []


def test_secrets_of_webhooks_are_shown_once(
    functions: LocalFunctions, admin: Client, upstream: Upstream, traces: Traces
) -> None:
    hook = {"event": "version.published", "webhook": f"https://hooks.example.com/in?token={ESCAPED}"}
    with traces.paused():
        secret = admin.post("/subscriptions", hook, idempotency_key="a").json()["secret"]
    replayed = admin.post("/subscriptions", hook, idempotency_key="a").json()
    with traces.paused():
        rotated = admin.post(f"/subscriptions/{replayed['id']}/rotate").json()["secret"]
    for answer in (lambda request: ok([{"id": 1}]), lambda request: fail(httpx.ConnectError(echo(request)))):
        upstream.answer = answer
        admin.put("/datasources/a", http_source("a"))
        ingest(admin, "a")
        functions.run()
    upstream.answer = lambda request: raw(echo(request).encode(), 500)
    admin.get(f"/subscriptions/{replayed['id']}/deliveries")
    assert any(request.url.host == "hooks.example.com" for request in upstream.requests)
    assert traces.leaks(secret, rotated) == []
    # The address belongs to the subscription, which its owner reads; nothing else has it.
    elsewhere = [
        leak for leak in traces.leaks(SECRET) if "/subscriptions" not in leak and "DefinitionsTable" not in leak
    ]
    assert elsewhere == [], elsewhere


def test_token_of_a_link_is_not_stored_or_logged(
    services: Container, admin: Client, upstream: Upstream, traces: Traces
) -> None:
    upstream.serve([{"id": 1}])
    admin.post("/datasources", http_source("a"))
    admin.post("/projects", {"name": "p", "merge": JOIN, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/a", {})
    refresh(admin, "p")
    with traces.paused():
        url = admin.post("/projects/p/links", {"target": "data"}).json()["url"]
    path = url.partition("/v1")[2]
    assert Client().get(path).status == 200
    assert Client().get(path + "x").status == 404
    token = path.rpartition("/")[2].rpartition("=")[2]
    assert traces.leaks(token) == []
