"""Signing in at an OpenID Connect issuer, which checks the proof of RFC 7636."""

from __future__ import annotations

import base64
import hashlib
import json
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, expect

from support.browser import Console
from support.issuer import RSA_KEY, jwk, token
from support.server import Server, send
from support.stack import Deployed

CLIENT = "console-of-the-tests"


class Issuer:
    """Signs everybody in as the editor `ada`; the code is valid with the verifier of its challenge only."""

    def __init__(self, server: Server) -> None:
        self.url = server.url
        self.challenges: dict[str, str] = {}
        self.exchanged = 0
        # What it adds to its answer, and whom its tokens are for.
        self.answers: dict[str, str] = {"iss": server.url, "more": "x"}
        self.audience = CLIENT
        self._server = server
        self.describe()
        server.answer("/.well-known/jwks.json", json.dumps({"keys": [jwk(RSA_KEY, "rsa")]}).encode())
        server.routes["/authorize"] = self._authorize
        server.routes["/token"] = self._exchange

    def describe(self, **changes: str) -> None:
        """Serve the discovery document with some fields changed."""
        discovery = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/.well-known/jwks.json",
        }
        known = json.dumps(discovery | changes).encode()
        self._server.answer("/.well-known/openid-configuration", known, access_control_allow_origin="*")

    def _authorize(self, handler: BaseHTTPRequestHandler) -> None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(handler.path).query).items()}
        assert (asked["response_type"], asked["code_challenge_method"], asked["client_id"]) == ("code", "S256", CLIENT)
        code = f"code-{len(self.challenges)}"
        self.challenges[code] = asked["code_challenge"]
        back = f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], **self.answers})}"
        send(handler, b"", 302, location=back)

    def _exchange(self, handler: BaseHTTPRequestHandler) -> None:
        sent = parse_qs(handler.rfile.read(int(handler.headers["content-length"])).decode())
        digest = hashlib.sha256(sent["code_verifier"][0].encode()).digest()
        proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        good = self.challenges.pop(sent["code"][0], None) == proof
        self.exchanged += good
        signed = token(iss=self.url, aud=self.audience, sub="ada", groups=["editor"])
        body = {"id_token": signed, "token_type": "Bearer"} if good else {"error": "invalid_grant"}
        send(handler, json.dumps(body).encode(), 200 if good else 400, access_control_allow_origin="*")


@pytest.fixture
def issuer(server: Server) -> Issuer:
    return Issuer(server)


def _sign_in_again(console: Console, issuer: Issuer) -> None:
    """The token is refused in the middle of something: the page stays, and the issuer is asked in another window."""
    page = console.page
    console.expect_refusals(401)
    console.go("/projects")
    page.get_by_role("button", name="Create a project").first.click()
    page.get_by_label("Name", exact=True).fill("Typed for long")
    page.route("**/v1/projects", lambda route: route.fulfill(status=401, body="{}"), times=1)
    page.get_by_role("button", name="Create", exact=True).click()
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Sign in at").click()
    if not opened.value.is_closed():
        opened.value.wait_for_event("close")
    console.heading("Typed for long")
    assert issuer.exchanged == 2
    assert page.evaluate("Object.keys(sessionStorage)") == ["sluice.credential"]


def test_a_person_signs_in_at_the_issuer_and_returns_to_their_place(
    browser: Browser, deployed: Deployed, screenshots: Path, issuer: Issuer
) -> None:
    trusted = {"JWT_ISSUER": issuer.url, "JWT_AUDIENCE": CLIENT, "JWT_ROLE_CLAIM": "groups", "JWT_JWKS_URL": ""}
    functions = ["console", "authorizer"]
    with (
        deployed.configured(functions, CONSOLE_CLIENT_ID=CLIENT, **trusted),
        Console(browser, deployed, screenshots).opened(None) as console,
    ):
        page = console.page
        console.go("/no/such/place")
        page.get_by_role("button", name=f"Sign in at {urlsplit(issuer.url).netloc}").click()
        console.heading("There is no such page")
        assert page.url.endswith("/console/#/no/such/place"), "no code stays in the address"
        expect(page.get_by_text("user/ada, editor")).to_be_visible()
        assert issuer.exchanged == 1
        assert page.evaluate("Object.keys(sessionStorage)") == ["sluice.credential"]
        _sign_in_again(console, issuer)
        # An answer of the issuer that this tab did not ask for is not taken.
        page.get_by_role("button", name="Sign out").click()
        page.goto(f"{console.address}?code=code-9&state=x")
        expect(page.get_by_label("API key")).to_be_visible()
        assert issuer.exchanged == 2
        assert page.url == console.address, "nor does it stay in the address, and in links"


@pytest.mark.long
def test_a_sign_in_that_cannot_be_used_says_why(
    browser: Browser, deployed: Deployed, screenshots: Path, issuer: Issuer
) -> None:
    trusted = {"JWT_ISSUER": issuer.url, "JWT_AUDIENCE": CLIENT, "JWT_ROLE_CLAIM": "groups", "JWT_JWKS_URL": ""}
    with (
        deployed.configured(["console", "authorizer"], CONSOLE_CLIENT_ID=CLIENT, **trusted),
        Console(browser, deployed, screenshots).opened(None) as console,
    ):
        console.expect_refusals(401)
        page = console.page
        note = page.locator(".note.bad")
        sign_in = page.get_by_role("button", name=f"Sign in at {urlsplit(issuer.url).netloc}")
        issuer.audience = "another program"
        sign_in.click()
        expect(note).to_contain_text("this stack does not accept its token. An administrator should compare")
        issuer.answers = {"iss": "https://other.example"}
        sign_in.click()
        expect(note).to_contain_text("another issuer")
        issuer.describe(authorization_endpoint="javascript:alert(1)")
        sign_in.click()
        expect(note).to_contain_text("no usable addresses")
        issuer.describe(issuer="https://other.example")
        sign_in.click()
        expect(note).to_contain_text("calls itself https://other.example")
