"""The types of resources that a blueprint describes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from sluice.domain.base import READ_ONLY_FIELDS, validate
from sluice.domain.datasource import Datasource
from sluice.domain.endpoint import Endpoint
from sluice.domain.model import Model
from sluice.domain.names import SECRET_NAME_PATTERN, SLUG_MAX, SLUG_PATTERN, is_secret_name, is_slug
from sluice.domain.project import Assignment, Project
from sluice.domain.report import Report
from sluice.domain.secret import SecretValue
from sluice.errors import Invalid
from sluice.models.definition_rules import name_fault
from sluice_client import segment


@dataclass(frozen=True, order=True)
class ResourceKey:
    """What identifies a resource in a workspace.

    Args:
        type: the name of its type.
        name: its slug or name.
        project: the slug of the project that it belongs to; empty if it belongs to the workspace.
    """

    type: str
    name: str
    project: str = ""

    def __str__(self) -> str:
        return f"{self.type} {self.project}/{self.name}" if self.project else f"{self.type} {self.name}"

    @property
    def path(self) -> str:
        """Its path in the API, below `/v1`."""
        return f"{list_path(self.type, self.project)}/{segment(self.name)}"


@dataclass(frozen=True)
class ResourceType:
    """A type of resource.

    Args:
        folder: the folder of its files, in the blueprint or in a project's folder; empty if other files describe it.
        path: the path of its list in the API, with `{project}`.
        model: the document's class.
        in_project: whether it belongs to a project.
        has_slug: whether the name is the document's `slug`, too.
        fixed: fields that cannot change.
        hidden: fields that the API never shows.
        name_fault: why it cannot have a name; null if it can.
        check: raises Invalid for what new documents may not contain but stored ones may.
    """

    folder: str
    path: str
    model: type[BaseModel]
    in_project: bool = False
    has_slug: bool = False
    fixed: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    name_fault: Callable[[str], str | None] = lambda _: None
    check: Callable[[Any], None] = lambda _: None

    def parse(self, name: str, document: dict[str, Any]) -> Any:
        """Validate a document.

        Args:
            name: the resource's name.
            document: as the user wrote it, or as the API answered it.

        Returns:
            An instance of `model`.

        Raises:
            Invalid: `errors` has a JSON Pointer and a message for each fault.
        """
        parsed = validate(self.model, {"slug": name, **document} if self.has_slug else document)
        slug = getattr(parsed, "slug", name)
        if self.has_slug and slug != name:
            message = f"The slug is that of the file's name, {name!r}; omit it."
            raise Invalid(message, [{"pointer": "/slug", "message": message}])
        return parsed

    def normalize(self, name: str, document: dict[str, Any]) -> dict[str, Any]:
        """A document with all defaults and without hidden fields: equal for documents that mean the same.

        Args:
            name: the resource's name.
            document: as the user wrote it, or as the API answered it.

        Raises:
            Invalid: the document is not valid.
        """
        dumped: dict[str, Any] = self.parse(name, document).model_dump(mode="json", by_alias=True)
        return {field: value for field, value in dumped.items() if field not in self.hidden}

    def stored(self, name: str, view: dict[str, Any]) -> dict[str, Any]:
        """The normalized document in the API's view of a resource.

        Args:
            name: the resource's name.
            view: the document with the fields that only answers have.

        Returns:
            The document; without defaults if an earlier release stored what is no longer valid.
        """
        model = Datasource.KINDS.get(view.get("kind", ""), self.model) if self.model is Datasource else self.model
        fields = model.model_fields.keys() - set(READ_ONLY_FIELDS)
        document = {field: value for field, value in view.items() if field in fields}
        try:
            return self.normalize(name, document | dict.fromkeys(self.hidden, "hidden"))
        except Invalid:
            return document


def list_path(kind: str, project: str = "") -> str:
    """The path of a list in the API, below `/v1`.

    Args:
        kind: the name of the resources' type.
        project: the slug of their project; empty for resources of the workspace.
    """
    return TYPES[kind].path.format(project=project and segment(project))


def _slug_fault(name: str) -> str | None:
    return (
        None if is_slug(name) else f"The name {name!r} must match {SLUG_PATTERN} and have at most {SLUG_MAX} letters."
    )


def _secret_fault(name: str) -> str | None:
    return None if is_secret_name(name) else f"The name {name!r} must match {SECRET_NAME_PATTERN}."


def _rules_of(kind: str) -> Callable[[str], str | None]:
    return lambda name: name_fault(kind, name)


# In the order of creation: what a resource refers to comes before it. Deletions go the other way.
TYPES: dict[str, ResourceType] = {
    "project": ResourceType("projects", "/projects", Project, has_slug=True, name_fault=_slug_fault),
    "secret": ResourceType("", "/secrets", SecretValue, hidden=("value",), name_fault=_secret_fault),
    "datasource": ResourceType(
        "datasources",
        "/datasources",
        Datasource,
        has_slug=True,
        fixed=("kind",),
        name_fault=_slug_fault,
        check=lambda document: document.require_safe(),
    ),
    "assignment": ResourceType(
        "", "/projects/{project}/datasources", Assignment, in_project=True, name_fault=_slug_fault
    ),
    "model": ResourceType(
        "models", "/projects/{project}/models", Model, in_project=True, name_fault=_rules_of("model")
    ),
    "report": ResourceType(
        "reports", "/projects/{project}/reports", Report, in_project=True, name_fault=_rules_of("report")
    ),
    "endpoint": ResourceType(
        "endpoints", "/projects/{project}/endpoints", Endpoint, in_project=True, name_fault=_rules_of("endpoint")
    ),
}
RANKS = {name: rank for rank, name in enumerate(TYPES)}
