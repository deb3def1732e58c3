"""Equipment of sites."""

from __future__ import annotations

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, StringConstraints, model_validator

from sluice.domain.assets.codes import Code, Label
from sluice.domain.base import Document, FieldError

Status = Literal["active", "inactive"]
STATUSES: tuple[Status, ...] = get_args(Status)


class SiteEquipment(Document):
    """A piece of equipment of a site that the path names."""

    code: Code = Field(description="The id in URLs, unique over all sites; it never changes.")
    name: Label | None = Field(
        None, description="The name that people see; several pieces may share it. Omitted: the code."
    )
    location: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        None, description="Where it is at its site, as people say it."
    )
    parent: Code | None = Field(None, description="The code of the equipment that it is a part of. Null: of none.")
    status: Status = Field("active", description="Whether it is in use: `active` or `inactive`.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.parent == self.code:
            raise FieldError("equipment cannot be a part of itself", "parent")
        if self.name is None:
            self.name = self.code
        return self


class Equipment(SiteEquipment):
    """A piece of equipment, which is at one site at a time."""

    site: Code = Field(description="The code of the site where it is; a change moves it there.")


class EquipmentCodes(Document):
    """Pieces of equipment to activate or deactivate together."""

    codes: Annotated[list[Code], Field(min_length=1, max_length=100)] = Field(
        description="The codes of the equipment; all of it is changed, or nothing."
    )
