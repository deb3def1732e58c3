"""JSON Web Tokens: which are accepted, and every kind of invalid one."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from authorizer.app import handler
from sluice.access.tokens import Tokens
from sluice.container import Container
from sluice.errors import Unavailable
from support.client import Client
from support.issuer import AUDIENCE, EC_KEY, ED_KEY, ISSUER, OTHER_KEY, RSA_KEY, Issuer, jwk, token, trust_issuer
from support.workflows import Context


@pytest.fixture
def issuer(services: Container) -> Issuer:
    return trust_issuer(services)


def me(text: str) -> Any:
    answer = Client().get("/me", authorization=f"Bearer {text}")
    return answer.json() if answer.status == 200 else answer.status


@pytest.mark.usefixtures("issuer")
@pytest.mark.parametrize(
    ("key", "kid", "algorithm"),
    [(RSA_KEY, "rsa", "RS256"), (RSA_KEY, "rsa", "PS512"), (EC_KEY, "ec", "ES256"), (ED_KEY, "ed", "EdDSA")],
)
def test_valid_token_is_accepted(key: Any, kid: str, algorithm: str) -> None:
    shown = me(token(key, kid, algorithm))
    assert "project.create" in shown.pop("actions")
    assert shown == {
        "id": "user/ada",
        "role": "editor",
        "projects": None,
        "groups": ["editor"],
        "workspace": "main",
    }


@pytest.mark.usefixtures("issuer")
@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"groups": ["viewer", "admin", "x"]}, "admin"),
        ({"groups": "viewer"}, "viewer"),
        ({"groups": "openid, editor"}, "editor"),
        ({"aud": ["other", AUDIENCE]}, "editor"),
        ({"aud": None, "client_id": AUDIENCE, "token_use": "access"}, "editor"),
        ({"exp": int(time.time()) + 10_000, "nbf": int(time.time()) - 1}, "editor"),
    ],
)
def test_roles_and_audiences_of_valid_tokens(claims: dict[str, Any], role: str) -> None:
    assert me(token(**claims))["role"] == role


def unsigned() -> str:
    return token(None, algorithm="none")


def signed_with_the_published_key() -> str:
    """HS256 with the public key as its secret: algorithm confusion."""

    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    import hashlib
    import hmac

    from cryptography.hazmat.primitives import serialization

    secret = RSA_KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    moment = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "groups": ["admin"], "exp": moment + 60}
    body = f"{part({'alg': 'HS256', 'kid': 'rsa', 'typ': 'JWT'})}.{part(claims)}"
    signature = hmac.new(secret, body.encode(), hashlib.sha256).digest()
    return f"{body}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def tampered() -> str:
    header, _, signature = token().split(".")
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "eve", "groups": ["admin"], "exp": int(time.time()) + 60}
    return f"{header}.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.{signature}"


@pytest.mark.usefixtures("issuer")
@pytest.mark.parametrize(
    "make",
    [
        unsigned,
        signed_with_the_published_key,
        tampered,
        lambda: token(OTHER_KEY),
        lambda: token(EC_KEY, "rsa", "ES256"),
        lambda: token(iss="https://evil.example.com"),
        lambda: token(iss=None),
        lambda: token(aud="client-2"),
        lambda: token(aud=None),
        lambda: token(aud=None, client_id=AUDIENCE),
        lambda: token(aud=None, client_id="client-2", token_use="access"),
        lambda: token(exp=int(time.time()) - 60),
        lambda: token(exp=None),
        lambda: token(exp="soon"),
        lambda: token(nbf=int(time.time()) + 600),
        lambda: token(iat=int(time.time()) + 600),
        lambda: token(sub=None),
        lambda: token(kid="unknown"),
        lambda: token(kid=None),
        lambda: "a.b.c",
        lambda: "..",
        lambda: token()[:-4] + "AAAA",
        lambda: token() + ".x",
    ],
    ids=[
        "alg none", "HS256 with the public key", "tampered", "wrong key", "wrong kind of key", "wrong issuer",
        "no issuer", "wrong audience", "no audience", "client_id of an id token", "wrong client", "expired",
        "no expiry",
        "odd expiry", "not yet valid", "issued in the future", "nobody", "unknown kid", "no kid", "nonsense", "empty",
        "wrong signature", "too many parts",
    ],
)  # fmt: skip
def test_invalid_tokens_are_refused(make: Callable[[], str]) -> None:
    assert me(make()) == 401


@pytest.mark.usefixtures("issuer")
@pytest.mark.parametrize("groups", [None, [], ["root"], "root", 5, {"admin": True}])
def test_token_without_role_is_forbidden(groups: Any) -> None:
    event = {"headers": {"Authorization": f"Bearer {token(groups=groups)}"}, "httpMethod": "GET", "methodArn": "arn"}
    policy = handler(event, Context())["policyDocument"]["Statement"][0]
    assert policy["Effect"] == "Deny"


def test_jwks_is_cached_and_fetched_again_for_an_unknown_key(services: Container, issuer: Issuer) -> None:
    for _ in range(3):
        assert me(token())["role"] == "editor"
    assert issuer.requests == [f"{ISSUER}/.well-known/jwks.json"]
    issuer.keys.append(jwk(OTHER_KEY, "new"))
    assert me(token(OTHER_KEY, "new")) == 401, "the keys were fetched a moment ago"
    services.tokens._requested_at -= 31
    assert me(token(OTHER_KEY, "new"))["role"] == "editor"
    services.tokens._fetched_at -= 3601
    services.tokens._requested_at -= 31
    issuer.keys.pop(0)
    assert me(token()) == 401, "the issuer has withdrawn the key"


def test_unreachable_issuer_is_503_until_keys_are_cached(services: Container, issuer: Issuer) -> None:
    issuer.down = True
    with pytest.raises(Unavailable):
        services.tokens.authenticate(token())
    with pytest.raises(Unavailable):
        services.tokens.authenticate(token())
    assert len(issuer.requests) == 1, "only the first request fetches the keys"
    issuer.down = False
    services.tokens._requested_at -= 31
    assert me(token())["role"] == "editor"
    issuer.down = True
    services.tokens._fetched_at -= 3601
    services.tokens._requested_at -= 31
    assert me(token())["role"] == "editor", "cached keys remain valid"


@pytest.mark.parametrize("key_set", [[], {"keys": None}, {}, {"keys": {}}])
def test_invalid_jwks_is_unavailable(services: Container, key_set: Any) -> None:
    settings = services.settings.model_copy(update={"jwt_issuer": ISSUER, "jwt_audience": AUDIENCE})
    with pytest.raises(Unavailable):
        Tokens(settings, lambda url: key_set).authenticate(token())


def test_encryption_keys_are_not_used_for_signatures(services: Container, issuer: Issuer) -> None:
    issuer.keys = [{**jwk(RSA_KEY, "rsa"), "use": "enc"}]
    assert me(token()) == 401


def test_without_issuer_every_token_is_refused(services: Container) -> None:
    assert me(token()) == 401


def test_jwks_url_is_derived_from_the_settings(services: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    issuer = Issuer()
    pool = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_abc"
    settings = services.settings.model_copy(update={"jwt_issuer": pool, "jwt_audience": AUDIENCE})
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    for changes in ({}, {"emulated": True}, {"jwt_jwks_url": "https://keys.example.com/"}):
        with pytest.raises(Exception, match="not valid"):
            Tokens(settings.model_copy(update=changes), issuer).authenticate(token())
    assert issuer.requests == [
        f"{pool}/.well-known/jwks.json",
        "http://127.0.0.1:4566/us-east-1_abc/.well-known/jwks.json",
        "https://keys.example.com/",
    ]


def test_function_answers_401_under_sam_local(services: Container) -> None:
    services.settings = services.settings.model_copy(update={"aws_sam_local": True})
    event = {"headers": {}, "httpMethod": "GET", "methodArn": "arn"}
    assert handler(event, Context())["context"] == {}
    assert Client().get("/me").status == 401
    assert Client("slc_aaaaaaaaaaaa_" + "x" * 43).get("/me").json()["type"] == "urn:sluice:problem:unauthenticated"
