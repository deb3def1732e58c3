"""An OIDC issuer: its keys, and tokens that it has signed."""

from __future__ import annotations

import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from sluice.access.tokens import Tokens
from sluice.container import Container
from sluice.errors import Unavailable

ISSUER, AUDIENCE = "https://issuer.example.com/pool", "client-1"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()


def jwk(key: Any, kid: str) -> dict[str, Any]:
    algorithm = {rsa.RSAPrivateKey: "RSAAlgorithm", ec.EllipticCurvePrivateKey: "ECAlgorithm"}
    name = next((algorithm[kind] for kind in algorithm if isinstance(key, kind)), "OKPAlgorithm")
    text = getattr(jwt.algorithms, name).to_jwk(key.public_key())
    return {**json.loads(text), "kid": kid, "use": "sig"}


class Issuer:
    """Publishes keys and records the requested URLs."""

    def __init__(self) -> None:
        self.keys = [jwk(RSA_KEY, "rsa"), jwk(EC_KEY, "ec"), jwk(ED_KEY, "ed")]
        self.requests: list[str] = []
        self.down = False

    def __call__(self, url: str) -> dict[str, Any]:
        self.requests.append(url)
        if self.down:
            raise Unavailable("down")
        return {"keys": self.keys}


def trust_issuer(services: Container) -> Issuer:
    """Have the platform accept the tokens of an issuer."""
    issuer = Issuer()
    services.settings = services.settings.model_copy(
        update={"jwt_issuer": ISSUER, "jwt_audience": AUDIENCE, "jwt_role_claim": "groups"}
    )
    services.__dict__["tokens"] = Tokens(services.settings, issuer)
    return issuer


def token(key: Any = RSA_KEY, kid: str | None = "rsa", algorithm: str = "RS256", **claims: Any) -> str:
    moment = int(time.time())
    defaults = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "groups": ["editor"], "iat": moment, "exp": moment + 60}
    present = {name: value for name, value in {**defaults, **claims}.items() if value is not None}
    return jwt.encode(present, key, algorithm=algorithm, headers={"kid": kid} if kid is not None else None)
