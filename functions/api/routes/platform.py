"""The API's root, its health, and the caller's identity."""

from sluice import __version__
from sluice.api.call import Answer, Call
from sluice.api.routes import Parameter, Routes
from sluice.api.targets import NAMED_KINDS, allowed_actions
from sluice.container import Container
from sluice.errors import Invalid

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


_RESOURCE = [
    Parameter(kind, f"The actions allowed on this {kind}, by its slug or id, instead of on the caller's own.")
    for kind in NAMED_KINDS
]


@routes.get("/me", "identity.read", answer="Identity", parameters=_RESOURCE, small=True)
def me(call: Call, services: Container) -> Answer:
    """The caller's identity, role and workspace, and the actions that are allowed: of any resource, or of one.

    At most one resource can be named. So a program need not offer what would be answered 403.
    """
    principal = call.principal
    named = [(kind, value) for kind in NAMED_KINDS if (value := call.query_value(kind)) is not None]
    if len(named) > 1:
        raise Invalid("Name one resource at a time.", [{"pointer": f"?{named[1][0]}", "message": "Leave this out."}])
    actions = allowed_actions(services, principal, *named[0]) if named else allowed_actions(services, principal)
    workspace = services.settings.workspace
    return Answer({**principal.model_dump(mode="json"), "workspace": workspace, "actions": actions})
