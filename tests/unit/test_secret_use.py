"""Secrets go only where whoever set them said: by host, by project, and for whom."""

from typing import Any

import pytest

from sluice.bootstrap import Platform
from support.client import Client
from support.documents import http_source, ingest
from support.upstream import Upstream, raw

VALUE = "hunter2-payroll"


def guarded(host: str = "echo.attacker.example", **changes: Any) -> dict[str, Any]:
    auth = {"type": "bearer", "secret": "payroll-db"}
    return http_source("mine", http={"url": f"https://{host}/v1", "auth": auth}, **changes)


def sent_anywhere(upstream: Upstream) -> bool:
    return any(VALUE in str(request.headers) + str(request.url) for request in upstream.requests)


def test_an_editor_cannot_send_a_secret_to_a_server_of_their_own(
    services: Platform, admin: Client, editor: Client, upstream: Upstream
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
    services: Platform, admin: Client, editor: Client, upstream: Upstream
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
    services: Platform, admin: Client, editor: Client, upstream: Upstream
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
    services: Platform, admin: Client, editor: Client, upstream: Upstream
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
    services: Platform, admin: Client, editor: Client, upstream: Upstream
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


def test_a_redirect_takes_no_secret_to_another_host(services: Platform, admin: Client, upstream: Upstream) -> None:
    admin.put("/secrets/payroll-db", {"value": VALUE, "hosts": ["api.payroll.example"]})
    admin.post("/datasources", guarded("api.payroll.example"))

    def answer(request: Any) -> Any:
        if request.url.host == "api.payroll.example":
            return raw(b"", 302, location="https://echo.attacker.example/")
        return raw(b"[]", 200, **{"content-type": "application/json"})

    upstream.answer = answer
    assert ingest(admin, "mine")["status"] == "succeeded"
    assert [request.url.host for request in upstream.requests] == ["api.payroll.example", "echo.attacker.example"]
    assert "authorization" not in upstream.requests[1].headers


def test_a_secret_with_projects_stays_within_them(
    services: Platform, admin: Client, editor: Client, upstream: Upstream
) -> None:
    allowed = {"value": VALUE, "hosts": ["api.payroll.example"], "projects": ["pay"]}
    admin.put("/secrets/payroll-db", allowed)
    assert editor.post("/datasources", guarded("api.payroll.example")).status == 422, "editor owns no such project"
    editor.post("/projects", {"name": "pay"})
    editor.post("/projects", {"name": "other"})
    assert editor.post("/datasources", guarded("api.payroll.example")).status == 201
    assert editor.put("/projects/pay/datasources/mine", {}).status == 201
    refused = editor.put("/projects/other/datasources/mine", {})
    assert (refused.status, "secret" in refused.json()["detail"]) == (409, True)
    upstream.serve([{"id": 1}])
    assert ingest(editor, "mine")["status"] == "succeeded"
    admin.put("/secrets/payroll-db", {**allowed, "projects": ["other"]})
    assert ingest(editor, "mine")["error"]["type"] == "urn:sluice:problem:secret-forbidden"


@pytest.mark.parametrize(
    "hosts", [[], ["a b"], ["http://x.example"], ["x.example/y"], ["x:99999"], ["0177.0.0.1"], [1]]
)
def test_hosts_that_cannot_be(admin: Client, hosts: list[Any]) -> None:
    assert admin.put("/secrets/s", {"value": VALUE, "hosts": hosts}).status == 422
    assert admin.get("/secrets").json()["items"] == []


def test_the_value_is_never_anywhere_while_its_hosts_change(
    services: Platform, admin: Client, monkeypatch: pytest.MonkeyPatch
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
    services: Platform, admin: Client, viewer: Client
) -> None:
    admin.post("/datasources", http_source("a"))
    found = services.definitions.get("datasource", "a")
    http = {**found.document["http"], "headers": {"Authorization": VALUE, "Accept": "x"}}
    services.definitions.replace(found, {**found.document, "http": http})
    for answer in (viewer.get("/datasources/a"), viewer.get("/datasources")):
        assert VALUE not in answer.text
        assert '"Accept":"x"' in answer.text
