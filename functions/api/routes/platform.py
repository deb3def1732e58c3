"""The API's root, its health, and the caller's identity."""

from sluice import __version__
from sluice.api.call import Answer, Call
from sluice.api.routes import Routes
from sluice.container import Container

routes = Routes("platform")

# What the root links to: each name is the field of the answer, with the path below `/v1`.
_LINKS = {
    "docs": "/docs",
    "redoc": "/redoc",
    "openapi": "/openapi.json",
    "health": "/health",
    "me": "/me",
    "datasources": "/datasources",
    "projects": "/projects",
    "runs": "/runs",
    "sites": "/sites",
    "vessels": "/vessels",
    "equipment": "/equipment",
    "operations": "/operations",
    "sensors": "/sensors",
    "readings": "/readings",
    "alarms": "/alarms",
    "subscriptions": "/subscriptions",
    "secrets": "/secrets",
    "users": "/users",
    "keys": "/keys",
}


@routes.get("", None, answer="ApiRoot", small=True)
def root(call: Call, services: Container) -> Answer:
    """The name and release of the API, and where to go from here."""
    links = {name: call.url(path) for name, path in _LINKS.items()}
    return Answer({"name": "Sluice", "release": __version__, **links})


@routes.get("/health", None, answer="Health", small=True)
def health(call: Call, services: Container) -> Answer:
    """Check that the platform answers, and which release it is."""
    return Answer({"status": "ok", "version": __version__})


@routes.get("/me", "identity.read", answer="Identity", small=True)
def me(call: Call, services: Container) -> Answer:
    """The caller's identity, role and workspace."""
    principal = call.principal
    return Answer({**principal.model_dump(mode="json"), "workspace": services.settings.workspace})
