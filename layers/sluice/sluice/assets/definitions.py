"""Creating, changing and deleting sites, equipment and sensors."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from sluice.alarms.service import sensors_changed
from sluice.catalog.assets import Change
from sluice.catalog.definitions import Definition
from sluice.container import Container
from sluice.domain.assets.equipment import Status
from sluice.domain.assets.kinds import ASSET_TYPES, AssetDocument, AssetKind, AssetType
from sluice.domain.identity import Principal
from sluice.domain.json_text import same_json
from sluice.errors import Invalid, PreconditionFailed, Unavailable

# Deep enough for any real hierarchy; it bounds the reads of a write that sets a parent.
_MAX_PARENTS = 50
_ATTEMPTS = 8
# What follows each write or deletion of assets of a kind.
_FOLLOWERS: dict[AssetKind, tuple[Callable[[Container, Sequence[str]], None], ...]] = {"sensor": (sensors_changed,)}


def content_of(document: AssetDocument) -> dict[str, Any]:
    """A document as it is stored."""
    content: dict[str, Any] = document.model_dump(mode="json")
    return content


def write_assets(services: Container, changes: Sequence[Change], by: Principal) -> None:
    """Write changes of assets, all or none, and do what follows them.

    Args:
        changes: the changes.
        by: who makes them.

    Raises:
        SluiceError: as `Assets.write` raises.
        Unavailable: what follows could not be done; each further write of the assets does it, too.
    """
    services.assets.write(changes, by)
    for kind in dict.fromkeys(change.kind for change in changes):
        follow_changes(services, kind, [change.name for change in changes if change.kind == kind])


def follow_changes(services: Container, kind: AssetKind, names: Sequence[str]) -> None:
    """Do what follows the changes of assets of a kind; it is safe to repeat."""
    for follow in _FOLLOWERS.get(kind, ()):
        follow(services, names)


def create_asset(services: Container, asset: AssetType, document: AssetDocument, by: Principal) -> Definition:
    """Create a site, equipment or a sensor.

    Args:
        asset: its type.
        document: the document.
        by: who creates it.

    Raises:
        Invalid: an asset that the document refers to does not exist, or equipment would be nested too deeply.
        AlreadyExists: the code or id is used.
    """
    content = content_of(document)
    name = content[asset.name_field]
    _require_parent(services, name, content.get("parent"))
    write_assets(services, [Change(asset.kind, name, None, content)], by)
    return services.definitions.get(asset.kind, name)


def replace_asset(services: Container, stored: Definition, document: AssetDocument, by: Principal) -> Definition:
    """Replace the document of an asset; an equal one changes nothing.

    Args:
        stored: the asset as it was read.
        document: the new document.
        by: who replaces it.

    Raises:
        Invalid: an asset that the document refers to does not exist, or equipment would become a part of itself.
        PreconditionFailed: the asset has changed since it was read.
    """
    content, kind = content_of(document), _kind(stored)
    if same_json(content, stored.document):
        follow_changes(services, kind, [stored.name])
        return stored
    if content.get("parent") != stored.document.get("parent"):
        _require_parent(services, stored.name, content["parent"])
    write_assets(services, [Change(kind, stored.name, stored, content)], by)
    return services.definitions.get(kind, stored.name)


def delete_asset(services: Container, stored: Definition, by: Principal) -> None:
    """Delete an asset; its history and its operations stay.

    Args:
        stored: the asset as it was read.
        by: who deletes it.

    Raises:
        Conflict: other assets refer to it.
        PreconditionFailed: it has changed since it was read.
    """
    write_assets(services, [Change(_kind(stored), stored.name, stored, None)], by)


def set_status(services: Container, codes: Sequence[str], status: Status, by: Principal) -> list[Definition]:
    """Activate or deactivate pieces of equipment, all or none.

    Args:
        codes: their codes, at most 100; a repeated one counts once.
        status: the new status.
        by: who does it.

    Returns:
        The equipment, in the order of the codes.

    Raises:
        Invalid: there is no equipment of a code; `errors` names each.
        Unavailable: other requests kept changing the equipment; try again.
    """
    for _ in attempts():
        stored = services.definitions.find_all("equipment", codes)
        unknown = [(index, code) for index, code in enumerate(codes) if code not in stored]
        if unknown:
            named = ", ".join(dict.fromkeys(code for _, code in unknown))
            faults = [
                {"pointer": f"/codes/{index}", "message": f"There is no equipment {code!r}."} for index, code in unknown
            ]
            raise Invalid(f"There is no equipment {named}; nothing was changed.", faults)
        changes = [
            Change("equipment", code, equipment, {**equipment.document, "status": status})
            for code, equipment in stored.items()
            if equipment.document["status"] != status
        ]
        try:
            services.assets.write(changes, by)
        except PreconditionFailed:
            continue
        return list((services.definitions.find_all("equipment", list(stored)) if changes else stored).values())
    raise Unavailable("The equipment keeps being changed by other requests; try again.")


def attempts() -> Iterator[int]:
    """Numbers of the attempts of a write that others may overtake, with a pause before each repetition."""
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 - guards nothing
        yield attempt


def _kind(stored: Definition) -> AssetKind:
    return next(kind for kind in ASSET_TYPES if kind == stored.kind)


def _stored_parent(services: Container, code: str) -> str | None:
    equipment = services.definitions.find("equipment", code)
    parent: str | None = equipment.document["parent"] if equipment else None
    return parent


def _require_parent(services: Container, code: str, parent: str | None) -> None:
    """Refuse a parent that equipment cannot have."""
    fault = parent_fault(code, parent, partial(_stored_parent, services))
    if fault is not None:
        raise Invalid(fault, [{"pointer": "/parent", "message": fault}])


def parent_fault(code: str, parent: str | None, parent_of: Callable[[str], str | None]) -> str | None:
    """Why equipment cannot be a part of other equipment; null if it can.

    Args:
        code: the equipment.
        parent: the equipment that it shall be a part of.
        parent_of: returns the parent of other equipment.
    """
    for _ in range(_MAX_PARENTS):
        if parent is None:
            return None
        if parent == code:
            return f"The parent is a part of {code!r} itself."
        parent = parent_of(parent)
    return f"Equipment cannot be nested more than {_MAX_PARENTS} levels deep."
