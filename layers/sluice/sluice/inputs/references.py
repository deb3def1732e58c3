"""References to inputs, such as `north@3`, as runs of algorithms have them."""

from __future__ import annotations

from dataclasses import dataclass

from sluice.catalog.definitions import Definition, missing
from sluice.catalog.inputs import latest_version
from sluice.container import Container
from sluice.domain.identity import Principal
from sluice.domain.names import is_slug
from sluice.domain.reference import parse_reference
from sluice.errors import Invalid, NotFound
from sluice.projects.visibility import is_visible


@dataclass(frozen=True)
class ResolvedInput:
    """One version of an input.

    Args:
        slug: the input.
        version: the number of the version.
        kind: the kind, a name in the registry.
        sha256: the SHA-256 of the document as compact JSON, in hexadecimal; `read_document` reads it by this.
    """

    slug: str
    version: int
    kind: str
    sha256: str


def resolve(
    services: Container,
    reference: str,
    project: str | None = None,
    principal: Principal | None = None,
) -> ResolvedInput:
    """The version of an input that a reference means. An input that is deleted counts only if the project pins it.

    Args:
        services: the container.
        reference: `north@3`, or `north` for the version that the project pins, else the latest.
        project: the project whose pins count; None for none.
        principal: who asks, and may use inputs that it may read; None: no access is checked.

    Raises:
        Invalid: the reference has not this form.
        NotFound: there is no such input or version, or the principal must not know of it.
    """
    parts = parse_reference(reference)
    slug, number = parts.name, parts.number()
    if parts.prefix is not None or not is_slug(slug):
        raise Invalid(f"{reference!r} is not a reference to an input, such as north or north@3.")
    stored = services.inputs.get(slug)
    pin = services.pins.find(project, slug) if project is not None else None
    if pin is None:
        _require_readable(services, stored, principal)
    number = number or (pin.document["version"] if pin else None)
    version = services.inputs.version(slug, number) if number else latest_version(stored)
    return ResolvedInput(slug, version.number, stored.document["kind"], version.hash)


def _require_readable(services: Container, stored: Definition, principal: Principal | None) -> None:
    if principal is not None and not is_visible(services, principal, stored):
        raise missing("input", stored.name)
    if stored.deleted_at is not None:
        slug = stored.name
        raise NotFound(f"The input {slug!r} is deleted; restore it by POST /inputs/{slug}/restore.")
