"""Answers that browsers run nothing of, and that show neither the account nor the buckets."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sluice.container import Container
from sluice.domain.run import PageReceipt
from support.client import Client, event_of
from support.documents import drop, http_source, ingest
from support.upstream import Upstream, raw

EVIL = b"<html><script>fetch('/v1/docs')</script></html>"


def test_raw_pages_are_downloads_that_browsers_do_not_run(
    services: Container, admin: Client, upstream: Upstream
) -> None:
    upstream.answer = lambda request: raw(EVIL, 200, "text/html; charset=utf-8")
    admin.post("/datasources", http_source("a", format="csv"))
    run = ingest(admin, "a")
    page = admin.get(f"/runs/{run['id']}/pages").json()["items"][0]
    for path in (f"/runs/{run['id']}/pages/1/content", f"/pages/{page['hash']}"):
        answer = admin.get(path)
        assert answer.text.encode() == EVIL
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["Content-Security-Policy"] == "sandbox"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    services.settings.__dict__["max_inline_bytes"] = 10
    location = admin.get(f"/pages/{page['hash']}").headers["Location"]
    assert "response-content-type=application%2Foctet-stream" in location
    assert "response-content-disposition=attachment" in location


@pytest.mark.parametrize("header", ["host", "x-forwarded-host"])
def test_urls_ignore_the_host_header(admin: Client, header: str) -> None:
    created = admin.call("POST", "/projects", {"name": "p"}, **{header: "evil.example"})
    assert created.headers["Location"] == "https://api.example.com/live/v1/projects/p"
    link = admin.call("POST", "/projects/p/links", {"target": "data"}, **{header: "evil.example"}).json()
    assert link["url"].startswith("https://api.example.com/live/v1/links?")


def test_urls_on_an_emulator_have_its_address(services: Container, admin: Client) -> None:
    services.settings.__dict__ |= {"emulated": True, "aws_endpoint_url": "http://127.0.0.1:4566"}
    created = admin.call("POST", "/projects", {"name": "p"}, host="evil.example")
    assert created.headers["Location"] == "http://127.0.0.1:4566/restapis/api-1/live/_user_request_/v1/projects/p"


def test_event_without_domain_name_is_answered(services: Container, admin: Client) -> None:
    event = event_of("GET", "/health", None, {})
    del event["requestContext"]["domainName"]
    from api.app import handler
    from support.workflows import Context

    assert handler(event, Context())["statusCode"] == 200


ACCOUNT, BUCKET = "123456789012", "sluice-inbox-123456789012-eu-west-1"


DENIED = (
    f"An error occurred (AccessDenied) when calling the GetObject operation: User: arn:aws:sts::{ACCOUNT}:"
    f"assumed-role/sluice-FetchFunctionRole/sluice-fetch is not authorized to perform: s3:GetObject on resource: "
    f'"arn:aws:s3:::{BUCKET}/notes/a.csv" because no policy allows it'
)


def test_receipt_has_the_file_name_but_not_the_bucket(services: Container, admin: Client) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file"})
    for body in (b"k,v\n1,2\n", b"k,v\n1\n"):
        run = drop(services, "notes/a.csv", body)
        assert run is not None
        page = admin.get(f"/runs/{run['id']}/pages").json()["items"][0]
        assert page["url"] == "drop:notes/a.csv"
        assert "s3://" not in admin.get(f"/runs/{run['id']}").text
    assert run is not None
    stored = {**services.pages.of_run(run["id"])[0].model_dump(), "url": f"s3://{BUCKET}/notes/a.csv"}
    assert PageReceipt.model_validate(stored).url == "drop:notes/a.csv", "an earlier release stored it so"


def test_aws_error_is_shown_without_account_and_bucket(
    services: Container, admin: Client, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*arguments: Any, **options: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": DENIED}}, "GetObject")

    admin.post("/datasources", http_source("a"))
    monkeypatch.setattr(services.lake, "put_raw", denied)
    run = ingest(admin, "a")
    assert (run["status"], "AccessDenied" in run["error"]["detail"]) == ("failed", True)
    for hidden in (ACCOUNT, BUCKET, "arn:", "assumed-role"):
        assert hidden not in admin.get(f"/runs/{run['id']}").text
