"""Health, the caller's identity, the OpenAPI document and Swagger UI."""

from functools import lru_cache
from pathlib import Path

import aws_lambda_powertools

from sluice import __version__
from sluice.api.call import Answer, Call
from sluice.api.routes import Routes
from sluice.container import Container
from sluice.errors import NotFound

routes = Routes("platform")

# Powertools contains Swagger UI, so it need not be loaded from a CDN or copied into this repository.
_SWAGGER = Path(aws_lambda_powertools.__file__).parent / "event_handler" / "openapi" / "swagger_ui"
_ASSETS = {
    "swagger-ui.js": ("swagger-ui-bundle.min.js", "text/javascript; charset=utf-8"),
    "swagger-ui.css": ("swagger-ui.min.css", "text/css; charset=utf-8"),
}
# The URLs are relative, so that the page works below any stage and behind any proxy.
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sluice API</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<script src="docs/swagger-ui.js"></script>
<script>
SwaggerUIBundle({url: "openapi.json", dom_id: "#api", validatorUrl: null, persistAuthorization: true});
</script>
</body>
</html>
"""
_DAY = {"Cache-Control": "public, max-age=86400"}


@routes.get("/health", None, answer="Health", small=True)
def health(call: Call, services: Container) -> Answer:
    """Check that the platform answers, and which release it is."""
    return Answer({"status": "ok", "version": __version__})


@routes.get("/me", "identity.read", answer="Identity", small=True)
def me(call: Call, services: Container) -> Answer:
    """The caller's identity, role and workspace."""
    principal = call.principal
    return Answer({**principal.model_dump(mode="json"), "workspace": services.settings.workspace})


@lru_cache(maxsize=1)
def _document() -> bytes:
    return (Path(__file__).parents[1] / "openapi.json").read_bytes()


@routes.get("/openapi.json", None, answer="ApiDescription", small=True)
def openapi(call: Call, services: Container) -> Answer:
    """The OpenAPI 3.1 document of this API."""
    return Answer(_document())


@routes.get("/docs", None, media_types=("text/html",), small=True)
def docs(call: Call, services: Container) -> Answer:
    """Swagger UI for this API."""
    return Answer(_PAGE.encode(), media_type="text/html; charset=utf-8")


@routes.get("/docs/{asset}", None, media_types=("text/javascript", "text/css"), small=True)
def docs_asset(call: Call, services: Container, asset: str) -> Answer:
    """A script or style sheet of Swagger UI; nothing is loaded from other hosts."""
    if asset not in _ASSETS:
        raise NotFound(f"There is no {call.path}.")
    name, media_type = _ASSETS[asset]
    return Answer((_SWAGGER / name).read_bytes(), headers=_DAY, media_type=media_type)
