"""The documentation of the API: its OpenAPI document, Swagger UI and Redoc. Nothing is loaded from other hosts."""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from sluice.api.call import Answer, Call
from sluice.api.routes import Routes
from sluice.container import Container
from sluice.errors import NotFound

routes = Routes("platform")

_PAGES = Path(__file__).parents[1] / "documentation"
# The package with the files of Swagger UI and Redoc, relative to its folder. It is not imported: it would need Django.
_PACKAGE = "drf_spectacular_sidecar"
_SWAGGER = f"static/{_PACKAGE}/swagger-ui-dist"
_REDOC = f"static/{_PACKAGE}/redoc/bundles"
_SCRIPT, _STYLE = "text/javascript; charset=utf-8", "text/css; charset=utf-8"
_PACKAGED = {
    "swagger-ui.js": (f"{_SWAGGER}/swagger-ui-bundle.js", _SCRIPT),
    "swagger-ui.css": (f"{_SWAGGER}/swagger-ui.css", _STYLE),
    "redoc-standalone.js": (f"{_REDOC}/redoc.standalone.js", _SCRIPT),
}
# No option of Redoc turns its maker's logo off, which is on another host. The empty image makes Redoc leave it out.
_LOGO, _NO_LOGO = b"https://cdn.redoc.ly/redoc/logo-mini.svg", b"data:,"
_OWN = {"docs.js": _SCRIPT, "docs.css": _STYLE, "redoc.js": _SCRIPT, "redoc.css": _STYLE}
_DAY = {"Cache-Control": "public, max-age=86400"}
# Requests of Swagger UI may be redirected to a presigned URL of the lake, which is on another host.
_DOCS_POLICY = "connect-src *"
# Redoc indexes the document for its search in a worker that it makes itself.
_REDOC_POLICY = "connect-src 'self'; worker-src blob:"


@lru_cache(maxsize=1)
def _document() -> bytes:
    return (Path(__file__).parents[1] / "openapi.json").read_bytes()


@routes.get("/openapi.json", None, answer="ApiDescription", small=True)
def openapi(call: Call, services: Container) -> Answer:
    """The OpenAPI 3.1 document of this API."""
    return Answer(_document())


@routes.get("/docs", None, media_types=("text/html",), small=True)
def docs(call: Call, services: Container) -> Answer:
    """Swagger UI for this API: read about operations, and try them."""
    return _page("docs.html", _DOCS_POLICY)


@routes.get("/redoc", None, media_types=("text/html",), small=True)
def redoc(call: Call, services: Container) -> Answer:
    """Redoc for this API: the whole reference on one page."""
    return _page("redoc.html", _REDOC_POLICY)


@routes.get("/docs/{asset}", None, media_types=("text/javascript", "text/css"), small=True)
def docs_asset(call: Call, services: Container, asset: str) -> Answer:
    """A script or style sheet of Swagger UI or Redoc."""
    if asset in _OWN:
        return Answer((_PAGES / asset).read_bytes(), media_type=_OWN[asset])
    if asset not in _PACKAGED:
        raise NotFound(f"There is no {call.path}.")
    name, media_type = _PACKAGED[asset]
    content = (_package() / name).read_bytes().replace(_LOGO, _NO_LOGO)
    return Answer(content, headers=_DAY, media_type=media_type)


def _page(name: str, policy: str) -> Answer:
    policy = f"default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; {policy}"
    headers = {"Content-Security-Policy": policy}
    return Answer((_PAGES / name).read_bytes(), headers=headers, media_type="text/html; charset=utf-8")


def _package() -> Path:
    spec = find_spec(_PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent
