"""The kinds of assets: their documents, and what these refer to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from sluice.domain.assets.equipment import Equipment
from sluice.domain.assets.sensor import Sensor
from sluice.domain.assets.site import Site, Vessel

AssetKind = Literal["site", "equipment", "sensor"]
AssetDocument = Site | Equipment | Sensor


@dataclass(frozen=True)
class Reference:
    """A field that names another asset, which exists as long as the field names it.

    Args:
        field: the field's name.
        kind: the kind of the asset that it names.
    """

    field: str
    kind: AssetKind


@dataclass(frozen=True)
class AssetType:
    """A type of asset: a kind, or the vessels among the sites.

    Args:
        kind: the kind of its definitions.
        model: the document's class.
        name_field: the field with its name: a code or an id.
        noun: the kind in a sentence, with its article.
        references: the fields that name other assets; the first one names its owner, by which it is listed.
        in_use: why it cannot be deleted while other assets refer to it, and what to do; with `{name}`.
    """

    kind: AssetKind
    model: type[AssetDocument]
    name_field: str
    noun: str
    references: tuple[Reference, ...] = ()
    in_use: str = ""

    def referred(self, document: dict[str, Any] | None) -> dict[str, tuple[AssetKind, str]]:
        """The kind and name of each asset that a document refers to, by the field that names it.

        Args:
            document: the document; None refers to nothing.
        """
        named = [(reference, (document or {}).get(reference.field)) for reference in self.references]
        return {reference.field: (reference.kind, name) for reference, name in named if name is not None}


SITE = AssetType(
    "site",
    Site,
    "code",
    "a site",
    in_use="The site {name!r} has equipment. Delete it or move it to another site first; GET /sites/{name}/equipment "
    "lists it.",
)
VESSEL = replace(SITE, model=Vessel, noun="a vessel")
EQUIPMENT = AssetType(
    "equipment",
    Equipment,
    "code",
    "equipment",
    (Reference("site", "site"), Reference("parent", "equipment")),
    in_use="The equipment {name!r} has sensors or is the parent of other equipment. Delete its sensors, which "
    "GET /sensors?equipment={name} lists, and set another parent for the equipment that is a part of it.",
)
SENSOR = AssetType("sensor", Sensor, "id", "a sensor", (Reference("equipment", "equipment"),))
ASSET_TYPES: dict[AssetKind, AssetType] = {asset.kind: asset for asset in (SITE, EQUIPMENT, SENSOR)}
