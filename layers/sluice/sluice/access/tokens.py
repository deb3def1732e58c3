"""JSON Web Tokens of an OIDC issuer, verified with the keys that it publishes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from sluice.domain.identity import Principal, Role
from sluice.errors import Forbidden, Unauthenticated, Unavailable
from sluice.settings import Settings

# Asymmetric algorithms only. With HS256 among them, a token signed with the public key as the
# shared secret would be accepted.
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_ROLES: tuple[Role, ...] = ("admin", "editor", "viewer")
# Each group is one more read of what is shared with it.
_MOST_GROUPS = 50
# Longer names and e-mail addresses are ignored: they are shown to others.
_MOST_CHARACTERS = 320
_PAUSE_SECONDS = 30
_FETCH_SECONDS = 5

Fetch = Callable[[str], dict[str, Any]]


def fetch_keys(url: str) -> dict[str, Any]:
    """Fetch a JSON Web Key Set (JWKS).

    Raises:
        Unavailable: the request fails, or the response is not JSON.
    """
    import httpx  # slow to import, and needed only to fetch keys

    try:
        answer = httpx.get(url, timeout=_FETCH_SECONDS, trust_env=False)
        answer.raise_for_status()
        key_set: dict[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise Unavailable(f"The issuer's JWKS cannot be fetched ({type(error).__name__}).") from None
    return key_set


class Tokens:
    """Authenticates by the tokens of the one issuer that the settings name.

    Keys are cached for `JWKS_SECONDS`, and longer while the issuer cannot be reached. A token with an
    unknown key id makes them be fetched again, at most every 30 seconds: else a flood of tokens with
    invented ids would become a flood of requests to the issuer.

    Args:
        fetch: returns the JWKS at a URL.
    """

    def __init__(self, settings: Settings, fetch: Fetch = fetch_keys) -> None:
        self._settings = settings
        self._fetch = fetch
        self._keys: dict[str, dict[str, Any]] = {}
        self._fetched_at = 0.0
        self._requested_at = 0.0

    @property
    def configured(self) -> bool:
        """Whether the settings name an issuer and an audience; without them, every token is refused."""
        return bool(self._settings.jwt_issuer and self._settings.jwt_audience)

    def authenticate(self, token: str) -> Principal:
        """The principal that a token identifies: `user/{sub}` with the highest role that it names.

        Raises:
            Unauthenticated: the token is not valid, or has another issuer or audience.
            Forbidden: the token is valid but names no role.
            Unavailable: the issuer's keys cannot be fetched.
        """
        import jwt  # 30 ms of import, with a C library: only for requests with a token

        invalid = Unauthenticated(
            "The token is not valid: its signature, issuer or audience is wrong, or it has expired."
        )
        if not self.configured:
            raise invalid
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in _ALGORITHMS:
                raise invalid
            # Fails if the key is of another type than the algorithm in the token's header.
            key = jwt.PyJWK(self._key(str(header.get("kid", ""))), algorithm=header["alg"])
            # `aud` is checked below, since Cognito's access tokens have `client_id` instead.
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[header["alg"]],
                issuer=self._settings.jwt_issuer,
                leeway=self._settings.jwt_leeway_seconds,
                options={"require": ["exp", "iss", "sub"], "verify_aud": False},
            )
        except jwt.PyJWTError:
            raise invalid from None
        if not self._is_for_us(claims):
            raise invalid
        names = self._groups(claims)
        return Principal(
            id=f"user/{claims['sub']}",
            role=self._role(names),
            groups=names,
            email=_email(claims),
            name=_text(claims.get("name")),
        )

    def _is_for_us(self, claims: dict[str, Any]) -> bool:
        audience = claims.get("aud")
        if audience is None and claims.get("token_use") == "access":
            audience = claims.get("client_id")  # Cognito's access tokens have the audience there
        return self._settings.jwt_audience in (audience if isinstance(audience, list) else [audience])

    def _groups(self, claims: dict[str, Any]) -> list[str]:
        """The names in the claim of roles and groups, those of roles included."""
        claim = claims.get(self._settings.jwt_role_claim)
        names = claim.replace(",", " ").split() if isinstance(claim, str) else claim if isinstance(claim, list) else []
        return [name for name in names[:_MOST_GROUPS] if isinstance(name, str)]

    def _role(self, names: list[str]) -> Role:
        for role in _ROLES:
            if role in names:
                return role
        raise Forbidden(f"The token's claim {self._settings.jwt_role_claim!r} names none of viewer, editor, admin.")

    def _key(self, kid: str) -> dict[str, Any]:
        """The issuer's key of this id.

        Raises:
            Unauthenticated: the issuer publishes no such key.
            Unavailable: the keys cannot be fetched, and none are cached.
        """
        moment = time.monotonic()
        expired = moment - self._fetched_at > self._settings.jwks_seconds or not self._fetched_at
        pausing = bool(self._requested_at) and moment - self._requested_at <= _PAUSE_SECONDS
        if (expired or kid not in self._keys) and not pausing:
            self._refresh(moment)
        if not self._fetched_at:
            raise Unavailable("The issuer's keys cannot be fetched; try again in 30 seconds.")
        if kid not in self._keys:
            raise Unauthenticated("The token is signed with a key that its issuer does not publish.")
        return self._keys[kid]

    def _refresh(self, moment: float) -> None:
        # Set before the request, so that a failed one is not repeated by every token either.
        self._requested_at = moment
        try:
            key_set = self._fetch(self._address())
        except Unavailable:
            if not self._keys:
                raise
            return
        keys = key_set.get("keys") if isinstance(key_set, dict) else None
        if not isinstance(keys, list):
            raise Unavailable("The JWKS response has no `keys` array.")
        signing_keys = [key for key in keys if isinstance(key, dict) and key.get("use", "sig") == "sig"]
        self._keys = {str(key.get("kid", "")): key for key in signing_keys}
        self._fetched_at = moment

    def _address(self) -> str:
        """The JWKS URL: the setting's, else the issuer's; on an emulator, Cognito's issuer has AWS's host name."""
        if self._settings.jwt_jwks_url:
            return self._settings.jwt_jwks_url
        issuer = self._settings.jwt_issuer.rstrip("/")
        endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
        if self._settings.emulated and endpoint and "cognito-idp" in issuer:
            issuer = f"{endpoint.rstrip('/')}/{issuer.rpartition('/')[2]}"
        return f"{issuer}/.well-known/jwks.json"


def _email(claims: dict[str, Any]) -> str | None:
    """The e-mail address, unless the issuer says that it was not verified: others would take it for somebody's."""
    verified = claims.get("email_verified") not in (False, "false")
    return _text(claims.get("email")) if verified else None


def _text(claim: Any) -> str | None:
    """A claim that is a text that can be shown; null for any other."""
    text = claim.strip() if isinstance(claim, str) else ""
    return text if text.isprintable() and 0 < len(text) <= _MOST_CHARACTERS else None
