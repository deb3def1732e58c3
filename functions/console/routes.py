"""The console's page and its files, which a build of `console/` has put into one folder."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from sluice.api.call import Answer, Call
from sluice.api.routes import Routes
from sluice.container import Container
from sluice.errors import NotFound
from sluice.settings import Settings

routes = Routes("platform")

_PAGE = "index.html"
_BASE = b'<base href="/v1/console/" />'
_ASSET = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+")
_MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}
# The build puts a hash of the content into each name.
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_SCOPE = "openid email profile"


# Issuers answer a sign-in in the query, each with parameters of its own.
@routes.get("/console", None, media_types=("text/html",), small=True, any_query=True)
def console(call: Call, services: Container) -> Answer:
    """The web console."""
    page = _file(services.settings, _PAGE)
    # Every address in the page is relative to this one: the stage's path is known only now.
    base = f'<base href="{urlsplit(call.base_url).path}/console/" />'.encode()
    headers = {"Content-Security-Policy": _policy(services), "Referrer-Policy": "no-referrer"}
    return Answer(page.replace(_BASE, base), headers=headers, media_type="text/html; charset=utf-8")


@routes.get(
    "/console/{asset}",
    None,
    answer="ConsoleConfig",
    media_types=("application/json", "text/javascript", "text/css"),
    small=True,
)
def console_asset(call: Call, services: Container, asset: str) -> Answer:
    """A script or style sheet of the console, or `config.json`: where people sign in."""
    if asset == "config.json":
        return Answer(_config(services.settings))
    media_type = _MEDIA_TYPES.get(Path(asset).suffix)
    if media_type is None or _ASSET.fullmatch(asset) is None:
        raise NotFound(f"There is no {call.path}.")
    return Answer(_file(services.settings, asset), headers=_FOR_EVER, media_type=media_type)


def _config(settings: Settings) -> dict[str, str | None]:
    signs_in = bool(settings.console_client_id and settings.jwt_issuer)
    return {
        "issuer": settings.jwt_issuer if signs_in else None,
        "client_id": settings.console_client_id if signs_in else None,
        "scope": _SCOPE,
    }


def _file(settings: Settings, name: str) -> bytes:
    """A file of the build.

    Raises:
        NotFound: there is no such file, or no build.
    """
    folder = Path(settings.console_folder).resolve()
    if not (folder / _PAGE).exists():
        raise NotFound(_missing(folder))
    return _read(folder, name)


@lru_cache(maxsize=64)
def _read(folder: Path, name: str) -> bytes:
    file = folder / name
    if not file.is_file():
        raise NotFound(f"The console has no file {name}; load the page again.")
    return file.read_bytes()


def _missing(folder: Path) -> str:
    reason = folder.with_name("console.log")
    why = f" The build failed: {reason.read_text().strip()[-600:]}" if reason.exists() else ""
    return f"The console is not part of this stack.{why}"


def _policy(services: Container) -> str:
    """Nothing comes from another host but answers of the lake, of the inbox, and of the issuer of tokens."""
    settings = services.settings
    sign_in = (settings.jwt_issuer, *settings.console_sign_in_urls.split(",")) if settings.console_client_id else ()
    issuers = {f"{url.scheme}://{url.netloc}" for url in map(urlsplit, sign_in) if url.netloc}
    hosts = sorted({services.presigned_origin, *issuers})
    return (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        f"connect-src 'self' {' '.join(hosts)}; frame-src 'self' blob:; frame-ancestors 'none'; base-uri 'self'; "
        "form-action 'none'"
    )
