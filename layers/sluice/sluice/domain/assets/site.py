"""Sites: vessels, factories and plants."""

from __future__ import annotations

from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from sluice.domain.assets.codes import Code, Label
from sluice.domain.base import Document

SiteType = Literal["vessel", "factory", "plant"]
SITE_TYPES: tuple[SiteType, ...] = get_args(SiteType)


class Site(Document):
    """A place with equipment: a vessel, a factory or a plant."""

    code: Code = Field(description="The id in URLs, unique among sites; it never changes.")
    type: SiteType = Field(description="What it is: a `vessel`, `factory` or `plant`.")
    name: Label | None = Field(None, description="The name that people see. Omitted: the code.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.name is None:
            self.name = self.code
        return self


class Vessel(Site):
    """A site of type vessel, as `/vessels` takes it."""

    type: Literal["vessel"] = Field("vessel", description="`vessel`, the only type of the sites under `/vessels`.")
