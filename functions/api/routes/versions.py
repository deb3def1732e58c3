"""The versions of a dataset, newest first."""

from typing import Any

import orjson

from sluice.bootstrap import Platform
from sluice.domain.dataset import Version
from sluice.errors import NotFound
from sluice.http.call import Answer, Call
from sluice.http.resources import DATASOURCES, PROJECTS
from sluice.http.routes import CURSOR, LIMIT, Routes

routes = Routes("versions")


def _view(version: Version) -> dict[str, Any]:
    return version.model_dump(mode="json", by_alias=True, exclude={"manifest_key"})


def _list(call: Call, services: Platform, dataset: str) -> Answer:
    before = services.cursors.open(["versions", dataset], call.one("cursor"))
    found, following = services.datasets.versions(dataset, call.limit(), before)
    cursor = services.cursors.seal(["versions", dataset], following) if following is not None else None
    return Answer({"items": [_view(version) for version in found], "next": cursor})


def _get(services: Platform, dataset: str, number: str) -> Answer:
    """The version and, from its manifest, all that went into it."""
    if not number.isdigit() or len(number) > 15:
        raise NotFound(f"There is no version {number!r} of {dataset}.")
    version = services.datasets.version(dataset, int(number))
    manifest = orjson.loads(services.lake.get(version.manifest_key))
    told = {name: manifest[name] for name in ("inputs", "objects", "engine", "spec", "warnings")}
    return Answer({**_view(version), **told}, headers={"ETag": f'"{version.number}"'})


@routes.get("/datasources/{slug}/versions", answer={"type": "object"}, parameters=[LIMIT, CURSOR])
def list_datasource_versions(call: Call, services: Platform, slug: str) -> Answer:
    """A datasource's versions."""
    DATASOURCES.load(call, services, slug)
    return _list(call, services, f"datasource/{slug}")


@routes.get("/datasources/{slug}/versions/{number}", answer={"type": "object"})
def get_datasource_version(call: Call, services: Platform, slug: str, number: str) -> Answer:
    """One version of a datasource."""
    DATASOURCES.load(call, services, slug)
    return _get(services, f"datasource/{slug}", number)


@routes.get("/projects/{slug}/versions", answer={"type": "object"}, parameters=[LIMIT, CURSOR])
def list_project_versions(call: Call, services: Platform, slug: str) -> Answer:
    """A project's versions."""
    PROJECTS.load(call, services, slug)
    return _list(call, services, f"project/{slug}")


@routes.get("/projects/{slug}/versions/{number}", answer={"type": "object"})
def get_project_version(call: Call, services: Platform, slug: str, number: str) -> Answer:
    """One version of a project, with the versions that went into it."""
    PROJECTS.load(call, services, slug)
    return _get(services, f"project/{slug}", number)
