"""Secrets are used only as their hosts, their projects and the datasource's author allow."""

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


def test_editor_cannot_send_a_secret_to_their_own_server(
    services: Container, admin: Client, editor: Client, upstream: Upstream
) -> None:
    for hosts in (None, ["api.payroll.example"]):
        admin.put("/secrets/payroll-db", {"value": VALUE, "hosts": hosts})
        for path in ("/datasources", "/datasources/check", "/datasources/preview?pages=1"):
            refused = editor.post(path, guarded())
            result = refused.json()
            if path == "/datasources/check":
                assert (refused.status, result["ok"]) == (200, False)
            else:
                assert refused.status == 422, refused.text
        assert editor.put("/datasources/mine", guarded()).json()["errors"][0]["pointer"] == "/http/auth/secret"
    assert not upstream.requests


def test_only_admins_learn_whether_a_secret_exists(
    services: Container, admin: Client, editor: Client, upstream: Upstream
) -> None:
    admin.put("/secrets/payroll-db", {"value": VALUE})
    answers = []
    for name in ("payroll-db", "no-such-one"):
        document = http_source("mine", http={"auth": {"type": "bearer", "secret": name}})
        paths = ("/datasources", "/datasources/check", "/datasources/preview")
        answers += [editor.post(path, document).text.replace(name, "NAME") for path in paths]
    comparable = [answer.partition('"elapsed_ms"')[0] + answer.rpartition('"records"')[2] for answer in answers]
    assert comparable[:3] == comparable[3:]


def test_secret_with_hosts_is_sent_to_these_only(
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
    refused = editor.post("/datasources/check", guarded("other:8444")).json()
    assert not refused["ok"]
    assert "its hosts do not include other:8444" in refused["reason"]
    for changed in ("https://api.payroll.example.evil/v1", "https://evil.example/?api.payroll.example"):
        assert editor.patch("/datasources/mine", {"http": {"url": changed}}).status == 422
        assert admin.patch("/datasources/mine", {"http": {"url": changed}}).status == 422, "hosts bind admins too"


def test_hosts_changed_later_apply_at_the_fetch(
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


def test_secret_without_hosts_needs_a_datasource_written_by_an_admin(
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


def test_redirect_to_another_host_carries_no_secret(services: Container, admin: Client, upstream: Upstream) -> None:
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


def test_secret_with_projects_is_used_in_these_only(
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


def test_secret_does_not_include_a_later_project_of_the_same_slug(
    admin: Client, editor: Client, upstream: Upstream
) -> None:
    admin.post("/projects", {"name": "pay"})
    admin.put("/secrets/payroll-db", {**PAYROLL, "projects": ["pay"]})
    admin.delete("/projects/pay")
    editor.post("/projects", {"name": "pay"})
    assert editor.post("/datasources", guarded("api.payroll.example")).status == 422
    assert not editor.post("/datasources/check", guarded("api.payroll.example")).json()["ok"]


def test_data_fetched_with_a_secret_stays_in_its_projects(admin: Client, editor: Client, upstream: Upstream) -> None:
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


def test_unchanged_document_needs_no_right_to_its_secret(admin: Client, editor: Client) -> None:
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
def test_white_space_around_a_secret_is_stripped(admin: Client, upstream: Upstream, value: str) -> None:
    admin.put("/secrets/payroll-db", {"value": value, "hosts": ["api.payroll.example"]})
    upstream.serve([{"id": 1}])
    assert admin.post("/datasources/check", guarded("api.payroll.example")).json()["ok"]
    assert upstream.requests[-1].headers["authorization"] == f"Bearer {VALUE}"


def test_http_library_error_does_not_show_the_secret(admin: Client, upstream: Upstream) -> None:
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
def test_echoed_secret_is_redacted(admin: Client, viewer: Client, upstream: Upstream, way: str, address: str) -> None:
    admin.put("/secrets/payroll-db", {"value": VALUE, "hosts": ["api.payroll.example"]})
    auth = {"type": "api_key", "in": "query", "name": "code", "secret": "payroll-db"}
    pagination = {"type": "next_url", "path": "next"} if way == "next_url" else {"type": "none"}
    http = {"url": "https://api.payroll.example/v1", "auth": auth, "pagination": pagination}
    admin.post("/datasources", http_source("mine", http=http, records="data"))

    def answer(request: Any) -> Any:
        target = address.format(query=f"CODE={VALUE}&{request.url.query.decode()}", value=VALUE)
        if request.url.host != "api.payroll.example":
            return ok({"data": [{"id": 2}]})
        return raw(b"", 302, location=target) if way == "redirect" else ok({"data": [{"id": 1}], "next": target})

    upstream.answer = answer
    checked = admin.post("/datasources/mine/check").text + admin.post("/datasources/mine/preview?pages=2").text
    run = ingest(admin, "mine")
    shown = "".join(viewer.get(f"/runs/{run['id']}{part}").text for part in ("", "/pages", "/events"))
    assert VALUE not in checked + shown
    elsewhere = [request for request in upstream.requests if request.url.host != "api.payroll.example"]
    assert all(VALUE not in str(request.url) + str(request.headers) for request in elsewhere)


def test_cookies_are_sent_to_the_datasources_origin_only(admin: Client, upstream: Upstream) -> None:
    admin.post("/datasources", http_source("mine", http={"url": "https://api.payroll.example/v1"}))

    def answer(request: Any) -> Any:
        if request.url.port is None:
            return raw(b"", 302, location="https://api.payroll.example:8443/", set_cookie="session=mine; Path=/")
        return ok([{"id": 1}])

    upstream.answer = answer
    assert ingest(admin, "mine")["status"] == "succeeded"
    assert "cookie" not in upstream.requests[-1].headers


def test_only_admins_learn_why_a_secret_is_refused(admin: Client, editor: Client, upstream: Upstream) -> None:
    admin.post("/datasources", guarded("api.payroll.example"))
    missing = editor.post("/datasources/mine/check").json()["reason"]
    admin.put("/secrets/payroll-db", {"value": VALUE, "hosts": ["elsewhere.example"]})
    assert editor.post("/datasources/mine/check").json()["reason"] == missing
    assert "hosts do not include" in admin.post("/datasources/mine/check").json()["reason"]


@pytest.mark.parametrize(
    "hosts", [[], ["a b"], ["http://x.example"], ["x.example/y"], ["x:99999"], ["0177.0.0.1"], [1]]
)
def test_invalid_hosts_are_refused(admin: Client, hosts: list[Any]) -> None:
    assert admin.put("/secrets/s", {"value": VALUE, "hosts": hosts}).status == 422
    assert admin.get("/secrets").json()["items"] == []


def test_secret_cannot_be_used_while_its_hosts_change(
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
    assert seen == [[], []], "not usable while value and hosts do not match"
    seen.clear()
    admin.put("/secrets/payroll-db", {"value": "newer", "hosts": ["new.example"]})
    assert seen == [["new.example"]] * 2, "a rotation does not interrupt runs"


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
def test_credentials_in_a_document_are_refused(admin: Client, place: str, name: str) -> None:
    refused = admin.post("/datasources", http_source("a", http={place: {name: VALUE}}))
    assert (refused.status, refused.json()["errors"][0]["pointer"]) == (422, f"/http/{place}/{name}")
    assert VALUE not in refused.text
    assert admin.post("/datasources/check", http_source("a", http={place: {name: VALUE}})).status == 422


@pytest.mark.parametrize("name", ["Accept", "X-Page-Size", "Idempotency-Key", "X-Sort-Key", "Author", "Tokenizer"])
def test_other_headers_are_accepted(admin: Client, name: str) -> None:
    assert admin.post("/datasources", http_source("a", http={"headers": {name: "x"}})).status == 201


def test_credential_stored_by_an_earlier_release_is_masked(services: Container, admin: Client, viewer: Client) -> None:
    admin.post("/datasources", http_source("a"))
    stored = services.definitions.get("datasource", "a")
    http = {**stored.document["http"], "headers": {"Authorization": VALUE, "Accept": "x"}}
    services.definitions.replace(stored, {**stored.document, "http": http})
    for client, accept in ((viewer, "********"), (admin, "x")):
        for answer in (client.get("/datasources/a"), client.get("/datasources")):
            assert VALUE not in answer.text
            assert f'"Accept":"{accept}"' in answer.text
