"""What a proposal makes of the address: credentials, parameters and the slug."""

from __future__ import annotations

import json
from dataclasses import asdict

import httpx
import pytest

from sluice.sources.http.detection.addresses import free_slug, name_of
from support.detection import detect, numbered, reason
from support.upstream import StubResponse, Upstream, ok, raw

TOKEN = "s3cr3tTokenValue"


def test_credential_in_the_address_becomes_a_secret(upstream: Upstream) -> None:
    def answer(request: httpx.Request) -> StubResponse:
        if request.url.params.get("api_key") != TOKEN:
            return raw(b"", 401)
        page = int(request.url.params.get("page", 1))
        following = str(request.url.copy_merge_params({"page": page + 1})) if page < 3 else None
        return ok({"self": str(request.url), "next": following, "data": numbered(30)[10 * page - 10 : 10 * page]})

    upstream.answer = answer
    detection = detect(upstream, f"https://x.example.com/things?api_key={TOKEN}&units=m")
    assert TOKEN not in json.dumps(asdict(detection))
    assert detection.document["http"]["params"] == {"units": "m"}
    auth = {"type": "api_key", "in": "query", "name": "api_key", "secret": "example-things-api_key"}
    assert detection.document["http"]["auth"] == auth
    assert "credential" in reason(detection, "/http/auth").reason
    assert "PUT /v1/secrets/example-things-api_key" in detection.warnings[0]
    assert reason(detection, "/http/pagination").confidence == "verified"


@pytest.mark.parametrize(
    ("query", "left_out", "kept"),
    [
        (f"token={TOKEN}&signature=abc", "'signature'", {}),
        (f"key={TOKEN}12345&q=a", "'key'", {"q": "a"}),
        ("key=short&q=a", None, {"key": "short", "q": "a"}),
        ("page_token=abc&q=a", "'page_token'", {"q": "a"}),
    ],
)
def test_which_parameters_are_kept(upstream: Upstream, query: str, left_out: str | None, kept: dict[str, str]) -> None:
    upstream.serve(numbered(3))
    detection = detect(upstream, f"https://x.example.com/things?{query}")
    assert detection.document["http"].get("params", {}) == kept
    assert any(left_out in warning for warning in detection.warnings) if left_out else not detection.warnings


def test_repeated_parameters_stay_in_the_address(upstream: Upstream) -> None:
    upstream.serve(numbered(3))
    detection = detect(upstream, f"https://x.example.com/things?id=1&id=2&api_key={TOKEN}")
    assert detection.document["http"]["url"] == "https://x.example.com/things?id=1&id=2"
    assert TOKEN not in json.dumps(asdict(detection))


@pytest.mark.parametrize(
    ("url", "slug"),
    [
        ("https://api.example.co.uk/v1/", "example"),
        ("http://127.0.0.1:8080/prices.json", "prices"),
        ("http://127.0.0.1:8080/csv", "csv"),
        ("http://127.0.0.1/api/data.json", "api-data"),
        ("http://127.0.0.1/", "127-0-0-1"),
        ("https://check.com/", "check-source"),
        ("https://a.example.com/%C3%BC/" + "long-" * 30, "example-long"),
    ],
)
def test_slug(url: str, slug: str) -> None:
    assert free_slug(name_of(url), lambda name: False) == slug


def test_slug_that_is_taken_gets_a_number() -> None:
    taken = {"a", "a-2"}
    assert free_slug("a", lambda name: name in taken) == "a-3"
    assert len(free_slug("x" * 60, lambda name: not name.endswith("-2"))) == 50
