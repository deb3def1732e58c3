"""The identity of a dataset: its owner, and which of the owner's datasets it is."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

Owner = Literal["datasource", "project"]
_FORMS = "datasource/{slug}, project/{slug}, or project/{slug}/{kind}/{name}"


class DatasetId(str):
    """A dataset's identity, which is also the text that the catalog stores.

    `datasource/{slug}` holds a datasource's records, `project/{slug}` a project's merge, and
    `project/{slug}/{kind}/{name}` what is derived from the merge: of the kinds `model`, `report`,
    `algorithm` (a table of results) and `table` (test results of a table that has no version of its own).

    Raises:
        ValueError: the text has none of these forms.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> DatasetId:
        """Validate a stored text, or one that another constructor has built."""
        owner, *rest = text.split("/")
        if owner not in ("datasource", "project") or not all(rest) or len(rest) not in _SEGMENTS[owner]:
            raise ValueError(f"{text!r} names no dataset; the forms are {_FORMS}.")
        return super().__new__(cls, text)

    @classmethod
    def of_datasource(cls, slug: str) -> DatasetId:
        """The records of a datasource."""
        return cls(f"datasource/{slug}")

    @classmethod
    def of_project(cls, slug: str) -> DatasetId:
        """The merge of a project."""
        return cls(f"project/{slug}")

    @classmethod
    def of_project_resource(cls, project: str, kind: str, name: str) -> DatasetId:
        """What a project's resource produces: `kind` is `model`, `report`, `algorithm` or `table`."""
        return cls(f"project/{project}/{kind}/{name}")

    @property
    def owner_kind(self) -> Owner:
        """Whether a datasource or a project owns the dataset."""
        return "datasource" if self.startswith("datasource/") else "project"

    @property
    def owner(self) -> str:
        """The slug of the datasource or project."""
        return self.split("/")[1]

    @property
    def resource(self) -> tuple[str, str] | None:
        """The kind and name of the project's resource; None for records and merges."""
        _, _, *rest = self.split("/")
        return (rest[0], rest[1]) if rest else None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validate stored texts; the JSON Schema is that of a string."""
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())


_SEGMENTS = {"datasource": (1,), "project": (1, 3)}
