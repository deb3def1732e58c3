"""What the API stores of the resources that a blueprint can describe."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sluice_cli.blueprints.resources import OPTIONAL, TYPES, ResourceKey, list_path
from sluice_client import PermissionDenied, Sluice, segment

if TYPE_CHECKING:
    from sluice_client.types import Identity

# The field of the API's view that holds a resource's name, if it is neither a field of the document nor `name`.
_NAMES = {"assignment": "datasource", "input": "slug", "pin": "input"}


@dataclass
class State:
    """The stored resources: those of the workspace, and those of some projects.

    Args:
        documents: the normalized documents.
        etags: the state of each resource, for `If-Match`.
        owners: who created each resource.
        hidden: the types that the key may not list; `documents` has none of them.
        caller: whose key it is, if that was asked for.
    """

    documents: dict[ResourceKey, dict[str, Any]] = field(default_factory=dict)
    etags: dict[ResourceKey, str] = field(default_factory=dict)
    owners: dict[ResourceKey, str] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    caller: Identity | None = None

    @property
    def secrets_hidden(self) -> bool:
        """Whether the key may not list secrets."""
        return "secret" in self.hidden

    def names(self, kind: str, project: str = "") -> set[str]:
        """The names of the stored resources of a type.

        Args:
            kind: the type's name.
            project: their project; empty for resources of the workspace.
        """
        return {key.name for key in self.documents if (key.type, key.project) == (kind, project)}

    def precondition(self, key: ResourceKey) -> dict[str, str]:
        """The header with which a write is refused if the resource is not as it was read.

        Args:
            key: the resource.
        """
        if key in self.documents:
            return {"If-Match": f'"{etag}"'} if (etag := self.etags.get(key)) else {}
        return {} if key.type == "secret" and self.secrets_hidden else {"If-None-Match": "*"}

    def may_delete(self, key: ResourceKey) -> bool:
        """Whether the API lets the key delete a resource: only admins delete what others own.

        Args:
            key: a datasource, or a resource of a project; a project's owner owns these.
        """
        if self.caller is None or self.caller["role"] == "admin":
            return True
        owned = ResourceKey("project", key.project) if key.project else key
        return self.owners.get(owned) == self.caller["id"]


def read_state(api: Sluice, projects: Iterable[str] | None, wanted: Collection[str]) -> State:
    """Read the stored resources.

    Args:
        api: the client.
        projects: the projects whose assignments, pins, models, algorithms, reports and endpoints are read; null for all
            projects.
        wanted: which of the types in `OPTIONAL` are read. There may be thousands of them, and few blueprints have any.

    Raises:
        SluiceError: the API cannot be reached, or refuses a request.
    """
    state = State()
    for kind, type_ in TYPES.items():
        if type_.in_project or (kind in OPTIONAL and kind not in wanted):
            continue
        try:
            _read_list(api, state, kind)
        except PermissionDenied:
            if not type_.restricted:
                raise
            state.hidden.add(kind)
    stored = state.names("project")
    for project in sorted(stored if projects is None else stored & set(projects)):
        for kind in [name for name, type_ in TYPES.items() if type_.in_project]:
            _read_list(api, state, kind, project)
    return state


def _read_list(api: Sluice, state: State, kind: str, project: str = "") -> None:
    for view in api.items(list_path(kind, project)):
        key = ResourceKey(kind, view[_NAMES.get(kind) or TYPES[kind].name_field or "name"], project)
        state.documents[key] = TYPES[kind].stored(key.name, view)
        state.etags[key] = view.get("etag", "")
        state.owners[key] = view.get("created_by", "")


def projects_of(api: Sluice, datasource: str) -> set[str]:
    """The projects that a datasource is assigned to, as far as the key may see them.

    Args:
        api: the client.
        datasource: its slug.
    """
    return {item["project"] for item in api.items(f"/datasources/{segment(datasource)}/projects")}
