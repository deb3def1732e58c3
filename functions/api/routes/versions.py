"""The versions of a dataset, newest first."""

from typing import Any

import orjson

from sluice.api.call import Answer, Call
from sluice.api.routes import CURSOR, IDEMPOTENCY_KEY, LIMIT, Routes
from sluice.container import Container
from sluice.domain.dataset import Manifest, Version
from sluice.domain.dataset_id import DatasetId
from sluice.errors import NotFound

routes = Routes("versions")

# In place of a number: the version that readers get.
_PUBLISHED = "published"


def _view(version: Version) -> dict[str, Any]:
    return version.model_dump(mode="json", by_alias=True, exclude={"manifest_key"})


def _list(call: Call, services: Container, dataset: DatasetId) -> Answer:
    before = services.cursors.open(["versions", dataset], call.query_value("cursor"))
    versions, following = services.datasets.versions(dataset, call.limit(), before)
    cursor = services.cursors.seal(["versions", dataset], following) if following is not None else None
    return Answer({"items": [_view(version) for version in versions], "next": cursor})


def _number(dataset: DatasetId, text: str) -> int:
    if not text.isdigit() or len(text) > 15:
        raise NotFound(f"There is no version {text!r} of {dataset}.")
    return int(text)


def _get(services: Container, dataset: DatasetId, number: str) -> Answer:
    """The version and, from its manifest, its inputs, objects and specification."""
    datasets = services.datasets
    published = number == _PUBLISHED
    version = datasets.published(dataset) if published else datasets.version(dataset, _number(dataset, number))
    manifest = orjson.loads(services.lake.get(version.manifest_key))
    details = {name: manifest[name] for name in ("inputs", "objects", "engine", "spec", "warnings")}
    details |= {name: manifest.get(name) for name in ("document", "key")}
    parsed = Manifest.model_validate(manifest)
    details |= {"provenance": [part.model_dump() for part in parsed.provenance], "output_hash": parsed.content_hash}
    details["erased"] = [tombstone.model_dump() for tombstone in parsed.erased]
    return Answer({**_view(version), **details}, headers={"ETag": f'"{version.number}"'})


@routes.get("/datasources/{slug}/versions", "datasource.read", answer="VersionViewList", parameters=[LIMIT, CURSOR])
def list_datasource_versions(call: Call, services: Container, slug: str) -> Answer:
    """A datasource's versions."""
    return _list(call, services, DatasetId.of_datasource(slug))


@routes.get("/datasources/{slug}/versions/{number}", "datasource.read", answer="VersionDetail")
def get_datasource_version(call: Call, services: Container, slug: str, number: str) -> Answer:
    """One version of a datasource."""
    return _get(services, DatasetId.of_datasource(slug), number)


@routes.get("/projects/{slug}/versions", "project.read", answer="VersionViewList", parameters=[LIMIT, CURSOR])
def list_project_versions(call: Call, services: Container, slug: str) -> Answer:
    """A project's versions."""
    return _list(call, services, DatasetId.of_project(slug))


@routes.get("/projects/{slug}/versions/{number}", "project.read", answer="VersionDetail")
def get_project_version(call: Call, services: Container, slug: str, number: str) -> Answer:
    """One version of a project, with the versions that it was merged from."""
    return _get(services, DatasetId.of_project(slug), number)


@routes.post(
    "/projects/{slug}/versions/{number}/promote",
    "project.promote",
    answer="VersionView",
    parameters=[IDEMPOTENCY_KEY],
)
def promote_project_version(call: Call, services: Container, slug: str, number: str) -> Answer:
    """Publish this version for all readers at once; promote an earlier version to roll back.

    The next refresh publishes its own result again.
    """
    call.require_known_parameters()
    dataset = DatasetId.of_project(slug)
    version = services.datasets.promote(dataset, _number(dataset, number), call.principal.id)
    return Answer(_view(version), headers={"ETag": f'"{version.number}"'})
