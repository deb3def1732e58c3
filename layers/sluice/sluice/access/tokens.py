"""JSON Web Tokens of an OIDC issuer: verified with its published keys."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from sluice.domain.identity import Principal, Role
from sluice.errors import Forbidden, Unauthenticated, Unavailable
from sluice.settings import Settings

# Signatures by a key pair only: with a shared secret, the published key could sign.
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_ROLES: tuple[Role, ...] = ("admin", "editor", "viewer")
_PAUSE_SECONDS = 30
_FETCH_SECONDS = 5

Fetch = Callable[[str], dict[str, Any]]


def fetch_keys(url: str) -> dict[str, Any]:
    """The JSON Web Key Set at an address.

    Raises:
        Unavailable: it cannot be had.
    """
    import httpx  # only where tokens are used

    try:
        answer = httpx.get(url, timeout=_FETCH_SECONDS, trust_env=False)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise Unavailable(f"The issuer's keys cannot be had: {type(error).__name__}.") from None
    return found


class Tokens:
    """Recognises the tokens of the one issuer that the settings name.

    Keys are kept for `jwks_seconds`, and longer while the issuer cannot be asked; a token with
    an unknown key has them fetched again, though not more often than each half minute.

    Args:
        fetch: gives the key set at an address.
    """

    def __init__(self, settings: Settings, fetch: Fetch = fetch_keys) -> None:
        self._settings = settings
        self._fetch = fetch
        self._keys: dict[str, dict[str, Any]] = {}
        self._fetched_at = 0.0
        self._asked_at = 0.0

    @property
    def configured(self) -> bool:
        """Whether tokens are taken at all."""
        return bool(self._settings.jwt_issuer and self._settings.jwt_audience)

    def recognise(self, token: str) -> Principal:
        """Who bears this token.

        Raises:
            Unauthenticated: it is not valid, or not of our issuer and for us.
            Forbidden: it is valid, and names no role.
            Unavailable: the issuer's keys cannot be had.
        """
        import jwt  # 30 ms and a C library: only where a token comes

        refused = Unauthenticated("The token is not valid: wrong signature, issuer or audience, or out of its time.")
        if not self.configured:
            raise refused
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in _ALGORITHMS:
                raise refused
            key = jwt.PyJWK(self._key(str(header.get("kid", ""))), algorithm=header["alg"])
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[header["alg"]],
                issuer=self._settings.jwt_issuer,
                leeway=self._settings.jwt_leeway_seconds,
                options={"require": ["exp", "iss", "sub"], "verify_aud": False},
            )
        except jwt.PyJWTError:
            raise refused from None
        if not self._is_for_us(claims):
            raise refused
        return Principal(id=f"user/{claims['sub']}", role=self._role(claims))

    def _is_for_us(self, claims: dict[str, Any]) -> bool:
        audience = claims.get("aud")
        if audience is None and claims.get("token_use") == "access":
            audience = claims.get("client_id")  # Cognito's access tokens say it there
        return self._settings.jwt_audience in (audience if isinstance(audience, list) else [audience])

    def _role(self, claims: dict[str, Any]) -> Role:
        said = claims.get(self._settings.jwt_role_claim)
        words = said.replace(",", " ").split() if isinstance(said, str) else said if isinstance(said, list) else []
        for role in _ROLES:
            if role in words:
                return role
        raise Forbidden(f"The token's claim {self._settings.jwt_role_claim!r} names none of viewer, editor, admin.")

    def _key(self, kid: str) -> dict[str, Any]:
        """The issuer's key of this id.

        Raises:
            Unauthenticated: it has none.
            Unavailable: the keys cannot be had, and none were had before.
        """
        moment = time.monotonic()
        old = moment - self._fetched_at > self._settings.jwks_seconds or not self._fetched_at
        asked = bool(self._asked_at) and moment - self._asked_at <= _PAUSE_SECONDS
        if (old or kid not in self._keys) and not asked:
            self._refresh(moment)
        if not self._fetched_at:
            raise Unavailable("The issuer's keys cannot be had; try again in half a minute.")
        if kid not in self._keys:
            raise Unauthenticated("The token is signed with a key that its issuer does not publish.")
        return self._keys[kid]

    def _refresh(self, moment: float) -> None:
        self._asked_at = moment
        try:
            found = self._fetch(self._address())
        except Unavailable:
            if not self._keys:
                raise
            return
        listed = found.get("keys") if isinstance(found, dict) else None
        if not isinstance(listed, list):
            raise Unavailable("The issuer's key set is none.")
        keys = [key for key in listed if isinstance(key, dict) and key.get("use", "sig") == "sig"]
        self._keys = {str(key.get("kid", "")): key for key in keys}
        self._fetched_at = moment

    def _address(self) -> str:
        """Where the keys are: as told, else by the issuer; an emulator's issuer is AWS's address."""
        if self._settings.jwt_jwks_url:
            return self._settings.jwt_jwks_url
        issuer = self._settings.jwt_issuer.rstrip("/")
        endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
        if self._settings.emulated and endpoint and "cognito-idp" in issuer:
            issuer = f"{endpoint.rstrip('/')}/{issuer.rpartition('/')[2]}"
        return f"{issuer}/.well-known/jwks.json"
