"""Writing and reading inputs: their versions, and the documents in the lake."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from typing import Any, TypeVar

from sluice.catalog.definitions import Definition, missing
from sluice.catalog.inputs import latest_version
from sluice.container import Container
from sluice.domain.base import READ_ONLY_FIELDS, validate
from sluice.domain.identity import Principal
from sluice.domain.input import RESERVED_SLUGS, InputRequest, InputVersion, RestoreRequest
from sluice.domain.json_text import depth, dumps, loads, loads_with_digits
from sluice.domain.names import SLUG_MAX, SLUG_PATTERN, is_slug, now, rfc3339
from sluice.errors import AlreadyExists, Conflict, Invalid, NotFound
from sluice.inputs.check import DEFAULT_KIND, check_document, kind_of
from sluice.inputs.diff import Change, differences
from sluice.inputs.kind import InputKind
from sluice.inputs.kinds import KINDS
from sluice.lake import object_keys
from sluice.lake.gzipped import compress
from sluice.projects.visibility import is_visible, visible_pins
from sluice.services import WithLake

R = TypeVar("R", bound=InputRequest)
# What answers have besides the document, its kind and the comment, so that an answer can be sent back by PUT.
_VIEW_FIELDS = (
    "slug",
    "version",
    "hash",
    "size",
    "warnings",
    "restored_from",
    "updated_by",
    "deleted_at",
    *READ_ONLY_FIELDS,
)


@dataclass(frozen=True)
class Content:
    """A document that was checked.

    Args:
        kind: its kind.
        text: the document as compact JSON.
        warnings: what to look at although it is valid, as sentences.
    """

    kind: InputKind
    text: bytes
    warnings: list[str]


def parse_input(services: Container, model: type[R], body: Any, stored: Definition | None = None) -> tuple[R, Content]:
    """Check the body of a PUT or POST.

    Args:
        services: the container.
        stored: the input as it was read; None: there is none.
        model: the class of the request.
        body: the parsed JSON; fractions may be Decimal, so that no digit is lost.

    Returns:
        The request without its document, and the document.

    Raises:
        Invalid: the body or the document is not valid.
    """
    document = body.get("document") if isinstance(body, dict) else None
    if isinstance(document, dict):
        # The document has its own check; here it would only lose the digits of its numbers.
        body = loads(dumps({**body, "document": {}}))
    request = validate(model, body, ignored=[name for name in _VIEW_FIELDS if name not in model.model_fields])
    kind = request.kind or (stored.document["kind"] if stored is not None else DEFAULT_KIND)
    return request, checked_content(services, kind_of(kind), document)


def checked_content(services: Container, kind: InputKind, document: Any) -> Content:
    """Check a document.

    Raises:
        Invalid: it is not valid, too large, or nested too deeply.
    """
    settings = services.settings
    if depth(document) > settings.max_nesting:
        message = f"The document is nested more than {settings.max_nesting} levels deep (MAX_NESTING)."
        raise Invalid(message, [{"pointer": "/document", "message": message}])
    text = dumps(document)
    if len(text) > settings.max_input_bytes:
        message = f"The document has {len(text)} bytes; at most {settings.max_input_bytes} are allowed."
        raise Invalid(message, [{"pointer": "/document", "message": message}])
    return Content(kind, text, check_document(kind, loads(text), settings.max_import_errors))


def write_input(
    services: Container, slug: str, stored: Definition | None, content: Content, comment: str | None, by: Principal
) -> tuple[Definition, bool]:
    """Store a document as a new version, unless it is that of the latest version.

    Args:
        services: the container.
        slug: the input.
        stored: the input as it was read, present or deleted; None if there never was one.
        content: the document.
        comment: what the version changes.
        by: who writes it.

    Returns:
        The input, and whether it was not there before.

    Raises:
        Invalid: the input has another kind, or the slug cannot be one.
        AlreadyExists, PreconditionFailed: another request was faster.
    """
    if stored is None:
        _require_slug(slug)
    elif stored.document["kind"] != content.kind.name:
        kind = stored.document["kind"]
        message = f"The input {slug!r} is of kind {kind}, and stays so: leave `kind` out, or choose another slug."
        raise Invalid(message, [{"pointer": "/kind", "message": message}])
    digest = hashlib.sha256(content.text).hexdigest()
    is_there = stored is not None and stored.deleted_at is None
    if stored is not None and is_there and latest_version(stored).hash == digest:
        return stored, False
    services.lake.put(object_keys.input_document(digest), compress(content.text), "application/gzip")
    version = _next_version(stored, by, digest, len(content.text), comment, warnings=content.warnings)
    return services.inputs.add(slug, stored, content.kind.name, version, by), not is_there


def create_input(services: Container, slug: str, content: Content, comment: str | None, by: Principal) -> Definition:
    """Store a document as the first version of a new input.

    Args:
        services: the container.
        slug: the input.
        content: the document.
        comment: what the version is.
        by: who creates it.

    Raises:
        NotFound: the slug is that of an input that the principal must not know of.
        AlreadyExists: there is an input of this slug, or there was one that was deleted.
    """
    stored = services.inputs.existed(slug)
    if stored is None:
        return write_input(services, slug, None, content, comment, by)[0]
    if not is_visible(services, by, stored):
        raise missing("input", slug)
    if stored.deleted_at is None:
        raise AlreadyExists(f"There is already an input {slug!r}; PUT /inputs/{slug} adds a version to it.")
    raise AlreadyExists(
        f"The input {slug!r} is deleted: restore it by POST /inputs/{slug}/restore, or choose another slug."
    )


def _require_slug(slug: str) -> None:
    if not is_slug(slug) or slug in RESERVED_SLUGS:
        rule = f"{SLUG_PATTERN.words}; at most {SLUG_MAX} characters, and not `templates`"
        message = f"The name {slug!r} cannot be used: {rule}."
        raise Invalid(message, [{"pointer": "/slug", "message": message}])


def _next_version(
    stored: Definition | None,
    by: Principal,
    digest: str,
    size: int,
    comment: str | None,
    *,
    warnings: list[str],
    restored_from: int | None = None,
) -> InputVersion:
    return InputVersion(
        number=latest_version(stored).number + 1 if stored else 1,
        comment=comment,
        hash=digest,
        size=size,
        warnings=warnings,
        restored_from=restored_from,
        created_at=rfc3339(now()),
        created_by=by.id,
    )


def restore_input(services: Container, stored: Definition, request: RestoreRequest, by: Principal) -> Definition:
    """Make the document of an old version the newest version; an input that was deleted is there again.

    Args:
        services: the container.
        stored: the input as it was read, present or deleted.
        request: which version.
        by: who restores it.

    Returns:
        The input; unchanged if its latest version has this document already.

    Raises:
        Invalid: there is no such version.
        PreconditionFailed: the input has changed since it was read.
    """
    latest = latest_version(stored)
    try:
        old = services.inputs.version(stored.name, request.version or latest.number)
    except NotFound as absent:
        raise Invalid(absent.detail, [{"pointer": "/version", "message": absent.detail}]) from None
    if stored.deleted_at is None and old.hash == latest.hash:
        return stored
    comment = request.comment or f"Restored version {old.number}."
    version = _next_version(stored, by, old.hash, old.size, comment, warnings=old.warnings, restored_from=old.number)
    return services.inputs.add(stored.name, stored, stored.document["kind"], version, by)


def delete_input(services: Container, stored: Definition, by: Principal, *, force: bool) -> None:
    """Delete an input; its versions stay, and it can be restored.

    Args:
        services: the container.
        stored: the input as it was read.
        by: who deletes it; an error names those of the projects that this principal may see.
        force: delete it even if projects pin it; they go on with the versions that they pin.

    Raises:
        NotFound: it is deleted already.
        Conflict: projects pin it and `force` is false.
        PreconditionFailed: it has changed since it was read.
    """
    if stored.deleted_at is not None:
        raise missing("input", stored.name)
    try:
        services.inputs.delete(stored, by, even_pinned=force)
    except Conflict:
        raise _pinned(services, stored, by) from None


def _pinned(services: Container, stored: Definition, principal: Principal) -> Conflict:
    slug = stored.name
    names = [pin.name.partition("#")[0] for pin in visible_pins(services, principal, stored)]
    shown = f" {', '.join(names)}" if names else "s that you cannot see"
    return Conflict(
        f"The input {slug!r} is pinned by the project{'s' if len(names) > 1 else ''}{shown}. Remove the pin by DELETE "
        f"/projects/{names[0] if names else '{slug}'}/inputs/{slug}, or delete the input with force=true."
    )


def document_text(services: WithLake, sha256: str) -> bytes:
    """A document as compact JSON.

    Args:
        services: has the lake.
        sha256: the version's hash.
    """
    return gzip.decompress(services.lake.get(object_keys.input_document(sha256)))


def read_document(services: WithLake, sha256: str) -> Any:
    """A document.

    Args:
        services: has the lake.
        sha256: the version's hash.
    """
    return loads(document_text(services, sha256))


def diff_versions(services: Container, slug: str, older: int, newer: int) -> tuple[list[Change], bool]:
    """The differences between two versions of an input; see `inputs.diff`.

    Returns:
        The changes, and whether there are more than the setting `MAX_INPUT_CHANGES` allows.

    Raises:
        NotFound: there is no such version.
    """
    kind = KINDS.get(services.inputs.get(slug).document["kind"])
    versions = [services.inputs.version(slug, number) for number in (older, newer)]
    # Also what differs only in digits that a float does not have.
    old, new = (loads_with_digits(document_text(services, version.hash)) for version in versions)
    return differences(old, new, kind.keys if kind else {}, services.settings.max_input_changes)
