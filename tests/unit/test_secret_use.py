"""Secrets go only where whoever set them said: by host, by project, and for whom."""

from typing import Any

import httpx
import pytest

from sluice.container import Container
from support.client import Client
from support.documents import http_source, ingest
from support.upstream import Upstream, ok, raw

VALUE = "hunter2-payroll"


def guarded(host: str = "echo.attacker.example", **changes: Any) -> dict[str, Any]:
    auth = {"type": "bearer", "secret": "payroll-db"}
    return http_source("mine", http={"url": f"https://{host}/v1", "auth": auth}, **changes)


def sent_anywhere(upstream: Upstream) -> bool:
    return any(VALUE in str(request.headers) + str(request.url) for request in upstream.requests)


def test_an_editor_cannot_send_a_secret_to_a_server_of_their_own(
    services: Container, admin: Client, editor: Client, upstream: Upstream
) -> None:
    for hosts in (None, ["api.payroll.example"]):
        admin.put("/secrets/payroll-db", {"value": VALUE, "hosts": hosts})
        for path in ("/datasources", "/datasources/check", "/datasources/preview?pages=1"):
            refused = editor.post(path, guarded())
            found = refused.json()
            if path == "/datasources/check":
                assert (refused.status, found["ok"]) == (200, False)
            else:
                assert refused.status == 422, refused.text
        assert editor.put("/datasources/mine", guarded()).json()["errors"][0]["pointer"] == "/http/auth/secret"
    assert not upstream.requests


def test_who_is_no_admin_is_not_told_whether_a_secret_exists(
    services: Container, admin: Client, editor: Client, upstream: Upstream
) -> None:
    admin.put("/secrets/payroll-db", {"value": VALUE})
    answers = []
    for name in ("payroll-db", "no-such-one"):
        document = http_source("mine", http={"auth": {"type": "bearer", "secret": name}})
        paths = ("/datasources", "/datasources/check", "/datasources/preview")
        answers += [editor.post(path, document).text.replace(name, "NAME") for path in paths]
    told = [answer.partition('"elapsed_ms"')[0] + answer.rpartition('"records"')[2] for answer in answers]
    assert told[:3] == told[3:]


def test_a_secret_with_hosts_goes_to_these_only(
    services: Container, admin: Client, editor: Client, upstream: Upstream
) -> None:
    shown = admin.put("/secrets/payroll-db", {"value": VALUE, "hosts": ["API.payroll.example", "other:8443"]})
    assert (shown.status, shown.json()["hosts"]) == (201, ["API.payroll.example", "other:8443"])
    upstream.serve([{"id": 1}])
    assert editor.post("/datasources", guarded("api.payroll.example")).status == 201
    assert ingest(editor, "mine")["status"] == "succeeded"
    assert upstream.requests[-1].headers["authorization"] == f"Bearer {VALUE}"
    assert editor.post("/datasources/check", guarded("api.payroll.example")).json()["ok"]
    assert editor.post("/datasources/check", guarded("other:8443")).json()["ok"]
    assert not editor.post("/datasources/check", guarded("other:8444")).json()["ok"]
    for changed in ("https://api.payroll.example.evil/v1", "https://evil.example/?api.payroll.example"):
        assert editor.patch("/datasources/mine", {"http": {"url": changed}}).status == 422
        assert admin.patch("/datasources/mine", {"http": {"url": changed}}).status == 422, "hosts bind admins, too"


def test_hosts_that_change_later_count_at_the_fetch(
    services: Container, admin: Client, editor: Client, upstream: Upstream
) -> None:
    admin.put("/secrets/payroll-db", {"value": VALUE, "hosts": ["api.payroll.example"]})
    editor.post("/datasources", guarded("api.payroll.example"))
    for hosts in (["elsewhere.example"], None):
        admin.put("/secrets/payroll-db", {"value": VALUE, "hosts": hosts})
        run = ingest(editor, "mine")
        assert (run["status"], run["error"]["type"]) == ("failed", "urn:sluice:problem:secret-forbidden")
        assert not editor.post("/datasources/mine/check").json()["ok"]
        assert editor.post("/datasources/mine/preview").status == 422
    assert not upstream.requests
    assert admin.put("/datasources/mine", guarded("api.payroll.example")).status == 200
    upstream.serve([])
    assert ingest(editor, "mine")["status"] == "succeeded", "an admin has written it last, although nothing changed"


def test_without_hosts_only_what_an_admin_wrote_last_may_use_it(
    services: Container, admin: Client, editor: Client, upstream: Upstream
) -> None:
    admin.put("/secrets/payroll-db", {"value": VALUE})
    upstream.serve([{"id": 1}])
    admin.post("/datasources", guarded("api.payroll.example"))
    assert ingest(editor, "mine")["status"] == "succeeded"
    editor.post("/datasources", http_source("theirs"))
    refused = editor.patch("/datasources/theirs", {"http": {"auth": {"type": "bearer", "secret": "payroll-db"}}})
    assert refused.status == 422
    admin.patch("/datasources/theirs", {"http": {"auth": {"type": "bearer", "secret": "payroll-db"}}})
    assert ingest(editor, "theirs")["status"] == "succeeded"
    assert editor.patch("/datasources/theirs", {"http": {"url": "https://echo.example"}}).status == 422
    assert editor.patch("/datasources/theirs", {"description": "mine"}).status == 422, "the last writer is an editor"


def test_a_redirect_takes_no_secret_to_another_host(services: Container, admin: Client, upstream: Upstream) -> None:
    admin.put("/secrets/payroll-db", {"value": VALUE, "hosts": ["api.payroll.example"]})
    admin.post("/datasources", guarded("api.payroll.example"))

    def answer(request: Any) -> Any:
        if request.url.host == "api.payroll.example":
            return raw(b"", 302, location="https://echo.attacker.example/")
        return raw(b"[]", 200)

    upstream.answer = answer
    assert ingest(admin, "mine")["status"] == "succeeded"
    assert [request.url.host for request in upstream.requests] == ["api.payroll.example", "echo.attacker.example"]
    assert "authorization" not in upstream.requests[1].headers


PAYROLL = {"value": VALUE, "hosts": ["api.payroll.example"]}


def test_a_secret_with_projects_stays_within_them(
    services: Container, admin: Client, editor: Client, upstream: Upstream
) -> None:
    unknown = admin.put("/secrets/payroll-db", {**PAYROLL, "projects": ["pay"]})
    assert (unknown.status, unknown.json()["errors"][0]["pointer"]) == (422, "/projects/0")
    admin.post("/projects", {"name": "admins"})
    admin.put("/secrets/payroll-db", {**PAYROLL, "projects": ["admins"]})
    assert editor.post("/datasources", guarded("api.payroll.example")).status == 422, "editor owns no such project"
    editor.post("/projects", {"name": "pay"})
    editor.post("/projects", {"name": "other"})
    admin.put("/secrets/payroll-db", {**PAYROLL, "projects": ["pay"]})
    assert editor.post("/datasources", guarded("api.payroll.example")).status == 201
    assert editor.put("/projects/pay/datasources/mine", {}).status == 201
    refused = editor.put("/projects/other/datasources/mine", {})
    assert (refused.status, "secret" in refused.json()["detail"]) == (409, True)
    upstream.serve([{"id": 1}])
    assert ingest(editor, "mine")["status"] == "succeeded"
    admin.put("/secrets/payroll-db", {**PAYROLL, "projects": ["other"]})
    assert ingest(editor, "mine")["error"]["type"] == "urn:sluice:problem:secret-forbidden"


def test_a_later_project_of_the_same_slug_is_another_one(admin: Client, editor: Client, upstream: Upstream) -> None:
    admin.post("/projects", {"name": "pay"})
    admin.put("/secrets/payroll-db", {**PAYROLL, "projects": ["pay"]})
    admin.delete("/projects/pay")
    editor.post("/projects", {"name": "pay"})
    assert editor.post("/datasources", guarded("api.payroll.example")).status == 422
    assert not editor.post("/datasources/check", guarded("api.payroll.example")).json()["ok"]


def test_data_that_was_fetched_with_a_secret_stays_within_its_projects(
    admin: Client, editor: Client, upstream: Upstream
) -> None:
    for name in ("pay", "other"):
        editor.post("/projects", {"name": name})
    admin.put("/secrets/payroll-db", {**PAYROLL, "projects": ["pay"]})
    editor.post("/datasources", guarded("api.payroll.example"))
    upstream.serve([{"id": 1}])
    ingest(editor, "mine")
    unguarded = {**guarded("api.payroll.example"), "http": {"url": "https://api.payroll.example/v1"}}
    assert editor.put("/datasources/mine", unguarded).status == 200
    assert editor.put("/projects/other/datasources/mine", {}).status == 409, "the data is still there"
    assert editor.put("/projects/pay/datasources/mine", {}).status == 201


def test_the_same_document_again_needs_no_right_to_the_secret(admin: Client, editor: Client) -> None:
    admin.put("/secrets/payroll-db", {"value": VALUE})
    editor.post("/datasources", http_source("mine", http={"url": "https://api.payroll.example/v1"}))
    admin.put("/datasources/mine", guarded("api.payroll.example"))
    etag = editor.get("/datasources/mine").json()["etag"]
    for again in (
        editor.put("/datasources/mine", guarded("api.payroll.example")),
        editor.patch("/datasources/mine", {}),
    ):
        assert (again.status, again.json()["etag"]) == (200, etag)


@pytest.mark.parametrize("value", ["hunter2-payroll  ", "  hunter2-payroll", "hunter2-payroll\n"])
def test_white_space_around_a_secret_is_not_sent_and_not_shown(admin: Client, upstream: Upstream, value: str) -> None:
    admin.put("/secrets/payroll-db", {"value": value, "hosts": ["api.payroll.example"]})
    upstream.serve([{"id": 1}])
    assert admin.post("/datasources/check", guarded("api.payroll.example")).json()["ok"]
    assert upstream.requests[-1].headers["authorization"] == f"Bearer {VALUE}"


def test_an_error_of_the_http_library_does_not_show_what_was_sent(admin: Client, upstream: Upstream) -> None:
    admin.put("/secrets/payroll-db", {"value": VALUE, "hosts": ["api.payroll.example"]})

    def broken(request: Any) -> Any:
        raise httpx.LocalProtocolError(f"Illegal header value b'Bearer {VALUE}'")

    upstream.answer = broken
    for path in ("/datasources/check", "/datasources/preview"):
        assert VALUE not in admin.post(path, guarded("api.payroll.example")).text
    admin.post("/datasources", guarded("api.payroll.example"))
    run = ingest(admin, "mine")
    assert VALUE not in admin.get(f"/runs/{run['id']}").text + admin.get(f"/runs/{run['id']}/pages").text


@pytest.mark.parametrize("way", ["redirect", "next_url"])
@pytest.mark.parametrize(
    "address",
    ["https://elsewhere.example/data?{query}", "ftp://elsewhere.example/data?{query}", "https://e.example/{value}"],
)
def test_an_echoed_secret_goes_nowhere_and_is_not_shown(
    admin: Client, viewer: Client, upstream: Upstream, way: str, address: str
) -> None:
    admin.put("/secrets/payroll-db", {"value": VALUE, "hosts": ["api.payroll.example"]})
    auth = {"type": "api_key", "in": "query", "name": "code", "secret": "payroll-db"}
    pagination = {"type": "next_url", "path": "next"} if way == "next_url" else {"type": "none"}
    http = {"url": "https://api.payroll.example/v1", "auth": auth, "pagination": pagination}
    admin.post("/datasources", http_source("mine", http=http, records="data"))

    def answer(request: Any) -> Any:
        named = address.format(query=f"CODE={VALUE}&{request.url.query.decode()}", value=VALUE)
        if request.url.host != "api.payroll.example":
            return ok({"data": [{"id": 2}]})
        return raw(b"", 302, location=named) if way == "redirect" else ok({"data": [{"id": 1}], "next": named})

    upstream.answer = answer
    checked = admin.post("/datasources/mine/check").text + admin.post("/datasources/mine/preview?pages=2").text
    run = ingest(admin, "mine")
    shown = "".join(viewer.get(f"/runs/{run['id']}{part}").text for part in ("", "/pages", "/events"))
    assert VALUE not in checked + shown
    elsewhere = [request for request in upstream.requests if request.url.host != "api.payroll.example"]
    assert all(VALUE not in str(request.url) + str(request.headers) for request in elsewhere)


def test_cookies_stay_with_the_datasources_own_origin(admin: Client, upstream: Upstream) -> None:
    admin.post("/datasources", http_source("mine", http={"url": "https://api.payroll.example/v1"}))

    def answer(request: Any) -> Any:
        if request.url.port is None:
            return raw(b"", 302, location="https://api.payroll.example:8443/", set_cookie="session=mine; Path=/")
        return ok([{"id": 1}])

    upstream.answer = answer
    assert ingest(admin, "mine")["status"] == "succeeded"
    assert "cookie" not in upstream.requests[-1].headers


def test_only_who_manages_secrets_is_told_why_an_admins_datasource_cannot_use_one(
    admin: Client, editor: Client, upstream: Upstream
) -> None:
    admin.post("/datasources", guarded("api.payroll.example"))
    missing = editor.post("/datasources/mine/check").json()["reason"]
    admin.put("/secrets/payroll-db", {"value": VALUE, "hosts": ["elsewhere.example"]})
    assert editor.post("/datasources/mine/check").json()["reason"] == missing
    assert "hosts do not include" in admin.post("/datasources/mine/check").json()["reason"]


@pytest.mark.parametrize(
    "hosts", [[], ["a b"], ["http://x.example"], ["x.example/y"], ["x:99999"], ["0177.0.0.1"], [1]]
)
def test_hosts_that_cannot_be(admin: Client, hosts: list[Any]) -> None:
    assert admin.put("/secrets/s", {"value": VALUE, "hosts": hosts}).status == 422
    assert admin.get("/secrets").json()["items"] == []


def test_the_value_is_never_anywhere_while_its_hosts_change(
    services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.put("/secrets/payroll-db", {"value": "old", "hosts": ["old.example"]})
    seen = []
    put = services.secrets.put

    def watched(name: str, value: str) -> None:
        seen.append(services.definitions.get("secret", name).document["hosts"])
        put(name, value)
        seen.append(services.definitions.get("secret", name).document["hosts"])

    monkeypatch.setattr(services.secrets, "put", watched)
    admin.put("/secrets/payroll-db", {"value": "new", "hosts": ["new.example"]})
    assert seen == [[], []], "closed while value and hosts do not belong together"
    seen.clear()
    admin.put("/secrets/payroll-db", {"value": "newer", "hosts": ["new.example"]})
    assert seen == [["new.example"]] * 2, "a rotation interrupts nobody"


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("headers", "Authorization"),
        ("headers", "authorization"),
        ("headers", "Proxy-Authorization"),
        ("headers", "Cookie"),
        ("headers", "X-API-Key"),
        ("headers", "X-CMC_PRO_API_KEY"),
        ("headers", "X-Auth-Token"),
        ("headers", "X-Amz-Security-Token"),
        ("params", "api_key"),
        ("params", "access_token"),
        ("params", "apiKey"),
        ("params", "hapikey"),
        ("params", "access_tokens"),
        ("params", "api-key-v2"),
        ("params", "sig"),
        ("headers", "X-Functions-Key"),
        ("headers", "X-Session-Id"),
    ],
)
def test_credentials_are_not_typed_into_a_document(admin: Client, place: str, name: str) -> None:
    refused = admin.post("/datasources", http_source("a", http={place: {name: VALUE}}))
    assert (refused.status, refused.json()["errors"][0]["pointer"]) == (422, f"/http/{place}/{name}")
    assert VALUE not in refused.text
    assert admin.post("/datasources/check", http_source("a", http={place: {name: VALUE}})).status == 422


@pytest.mark.parametrize("name", ["Accept", "X-Page-Size", "Idempotency-Key", "X-Sort-Key", "Author", "Tokenizer"])
def test_other_headers_may_have_any_name(admin: Client, name: str) -> None:
    assert admin.post("/datasources", http_source("a", http={"headers": {name: "x"}})).status == 201


def test_a_credential_that_an_earlier_release_stored_is_masked(
    services: Container, admin: Client, viewer: Client
) -> None:
    admin.post("/datasources", http_source("a"))
    found = services.definitions.get("datasource", "a")
    http = {**found.document["http"], "headers": {"Authorization": VALUE, "Accept": "x"}}
    services.definitions.replace(found, {**found.document, "http": http})
    for answer in (viewer.get("/datasources/a"), viewer.get("/datasources")):
        assert VALUE not in answer.text
        assert '"Accept":"x"' in answer.text
