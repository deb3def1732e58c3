"""Pinning inputs in projects: which version the runs of a project take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sluice.catalog.definitions import Definition, missing
from sluice.catalog.inputs import latest_version
from sluice.container import Container
from sluice.errors import Invalid, NotFound
from sluice.inputs.kinds import KINDS
from sluice.inputs.service import read_document


@dataclass(frozen=True)
class Pinned:
    """An input that a project pins.

    Args:
        slug: the input.
        kind: its kind.
        sha256: the hash of the document of the version that runs take.
    """

    slug: str
    kind: str
    sha256: str


def pin_input(
    services: Container, project: Definition, slug: str, version: int | None, stored: Definition | None, by: str
) -> Definition:
    """Pin a version of an input in a project.

    Args:
        services: the container.
        project: the project.
        slug: the input.
        version: the version; None for always the latest.
        stored: the pin as it was read; None if there is none.
        by: who pins it.

    Returns:
        The pin; unchanged if it is the same.

    Raises:
        NotFound: there is no such input.
        Invalid: there is no such version, or it does not fit the other inputs of the project.
        PreconditionFailed: the pin has changed since it was read.
    """
    head = services.inputs.get(slug)
    if head.deleted_at is not None:
        raise missing("input", slug)
    if stored is not None and stored.document["version"] == version:
        return stored
    pinned = _pinned(services, head, version)
    _require_fitting(services, project.name, pinned)
    return services.pins.put(project, slug, version, stored, by)


def pinned_inputs(services: Container, project: str) -> list[tuple[Definition, Definition]]:
    """The pins of a project and the inputs that they are of, by slug."""
    pins = services.pins.of_project(project)
    return [(pin, services.inputs.get(pin.name.partition("#")[2])) for pin in pins]


def pin_view(services: Container, pin: Definition, head: Definition) -> dict[str, Any]:
    """A pin as the API shows it.

    Args:
        services: the container.
        pin: the pin.
        head: its input, even if it is deleted.
    """
    project, _, slug = pin.name.partition("#")
    number = pin.document["version"]
    version = services.inputs.version(slug, number) if number else latest_version(head)
    return {
        "project": project,
        "input": slug,
        "kind": head.document["kind"],
        "version": number,
        "current": version.number,
        "hash": version.hash,
        "comment": version.comment,
        "latest": latest_version(head).number,
        "deleted": head.deleted_at is not None,
        "etag": pin.etag,
        "created_at": pin.created_at,
        "created_by": pin.created_by,
    }


def _pinned(services: Container, head: Definition, version: int | None) -> Pinned:
    try:
        taken = services.inputs.version(head.name, version) if version else latest_version(head)
    except NotFound as absent:
        raise Invalid(absent.detail, [{"pointer": "/version", "message": absent.detail}]) from None
    return Pinned(head.name, head.document["kind"], taken.hash)


def _require_fitting(services: Container, project: str, changed: Pinned) -> None:
    """Require a pinned document and the others of the project to fit each other.

    A document that must fit another kind, as a traffic matrix must a topology, has to fit at least one of the pinned
    documents of that kind, if there are any.

    Args:
        services: the container.
        project: the slug of the project.
        changed: the input that is pinned now.

    Raises:
        Invalid: one fits none of them; `errors` names what is missing.
    """
    others = [
        _pinned(services, head, pin.document["version"])
        for pin, head in pinned_inputs(services, project)
        if head.name != changed.slug
    ]
    everything = [*others, changed]
    for item in everything:
        for kind in KINDS[item.kind].fits:
            candidates = [other for other in everything if other.kind == kind]
            if candidates and (item is changed or changed in candidates):
                _require_fit(services, item, kind, candidates)


def _require_fit(services: Container, item: Pinned, kind: str, candidates: list[Pinned]) -> None:
    document = read_document(services, item.sha256)
    refusals = []
    for candidate in candidates:
        try:
            KINDS[item.kind].fits[kind](document, read_document(services, candidate.sha256))
        except Invalid as refused:
            refusals.append((len(refused.errors), candidate.slug, refused))
        else:
            return
    _, slug, closest = min(refusals, key=lambda refusal: refusal[:2])
    most = services.settings.max_import_errors
    raise Invalid(f"{item.slug} does not fit {slug}: {closest.detail}", closest.errors[:most])
