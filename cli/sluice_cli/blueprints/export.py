"""Writing a workspace, or some of its projects, as a blueprint."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from sluice.domain.json_text import same_json
from sluice.errors import Invalid
from sluice_cli.blueprints.folder import DESCRIPTION
from sluice_cli.blueprints.resources import ASSETS, OPTIONAL, TYPES, ResourceKey
from sluice_cli.blueprints.state import State, read_state
from sluice_cli.blueprints.yaml_writer import Variable, to_yaml, write_yaml
from sluice_cli.errors import StepFailed
from sluice_client import Sluice

# What the files of each folder describe.
_KINDS = {kind.folder: name for name, kind in TYPES.items() if kind.folder}


def export(api: Sluice, folder: Path, projects: Collection[str] | None, *, force: bool = False) -> list[Path]:
    """Write a blueprint that describes what the API stores.

    Args:
        api: the client.
        folder: where to write; it is created if it does not exist.
        projects: the projects to write, with their datasources and the secrets of these; null for the workspace.
        force: write into a folder that is not empty: replace its blueprint.

    Returns:
        The files, in the order of their names.

    Raises:
        StepFailed: a project does not exist, the folder is not empty, a name cannot be that of a file, or the API
            cannot be read. Then nothing is written.
    """
    if folder.exists() and not folder.is_dir():
        raise StepFailed(f"{folder} is a file; name a folder")
    if folder.is_dir() and any(folder.iterdir()) and not force:
        raise StepFailed(f"{folder} is not empty; --force replaces the blueprint in it")
    state = read_state(api, projects, OPTIONAL if projects is None else ("input",))
    unknown = sorted(set(projects or ()) - state.names("project"))
    if unknown:
        raise StepFailed(f"there is no project {unknown[0]!r}; see: sluice get projects")
    _check_names(state)
    _read_inputs(api, state, projects)
    files = exported_files(state, projects, folder.absolute().name)
    for path in sorted(_present(folder) - {folder / name for name in files}):
        path.unlink()
    for name, document in files.items():
        write_yaml(folder / name, _KINDS.get(Path(name).parent.name, "blueprint"), to_yaml(document))
    return sorted(folder / name for name in files)


def _check_names(state: State) -> None:
    """Refuse names that no resource can have: one with `../` in it would be a path out of the folder."""
    for key in sorted(state.documents):
        fault = TYPES[key.type].name_fault(key.name)
        if fault is not None:
            raise StepFailed(f"nothing was written, since the API answered with a {key.type} that cannot be: {fault}")


def _read_inputs(api: Sluice, state: State, projects: Collection[str] | None) -> None:
    """Replace what is known of the inputs by their kinds and documents.

    Args:
        api: the client.
        state: what the API stores.
        projects: the projects whose pinned inputs are written, null for all inputs. The others are removed.
    """
    pinned = {key.name for key in state.documents if key.type == "pin"}
    for key in [key for key in state.documents if key.type == "input"]:
        del state.documents[key]
        if projects is None or key.name in pinned:
            view = api.get(key.path)
            state.documents[key] = {"kind": view["kind"], "comment": view["comment"], "document": view["document"]}


def _present(folder: Path) -> set[Path]:
    """The files of resources that a blueprint's folder has: they would be applied, so an export replaces them."""
    folders = {kind.folder for kind in TYPES.values() if kind.folder}
    present = {path for name in folders for path in (folder / name).rglob("*.yaml")}
    documents = folder / TYPES["input"].folder
    return present | {path for ending in ("json", "xlsx") for path in documents.glob(f"*.{ending}")}


def exported_files(state: State, projects: Collection[str] | None, name: str) -> dict[str, dict[str, Any]]:
    """The documents of a blueprint's files, by their paths in the folder.

    Args:
        state: what the API stores.
        projects: the projects to write; null for the workspace.
        name: the blueprint's name, if it has not exactly one project.
    """
    return dict(_Export(state, projects).files(name))


class _Export:
    """The files of one export.

    Args:
        state: what the API stores.
        projects: the projects to write; null for the workspace.
    """

    def __init__(self, state: State, projects: Collection[str] | None) -> None:
        self._state = state
        self._documents = state.documents
        self._projects = sorted(state.names("project") if projects is None else set(projects))
        assigned = {key.name for key in self._documents if key.type == "assignment"}
        self._datasources = sorted(state.names("datasource") if projects is None else assigned)
        self._all = projects is None

    def files(self, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The files: their paths and documents.

        Args:
            name: the blueprint's name, if it has not exactly one project.
        """
        single = self._projects[0] if len(self._projects) == 1 else None
        description: dict[str, Any] = {"name": single or name}
        if single is not None:
            description["project"] = single
        secrets = dict(self._secrets())
        yield DESCRIPTION, description | ({"secrets": secrets} if secrets else {})
        for slug in self._datasources:
            yield f"datasources/{slug}.yaml", self._minimal(ResourceKey("datasource", slug))
        for key in sorted(key for key in self._documents if key.type in ASSETS):
            yield f"{TYPES[key.type].folder}/{key.name}.yaml", self._minimal(key)
        for key in sorted(key for key in self._documents if key.type == "input"):
            yield f"inputs/{key.name}.yaml", self._documents[key]
        for slug in self._projects:
            yield f"projects/{slug}.yaml", self._project(slug)
        for key in sorted(self._documents):
            folder = TYPES[key.type].folder
            if key.project and folder:
                parent = "" if key.project == single else f"projects/{key.project}/"
                yield f"{parent}{folder}/{key.name}.yaml", self._minimal(key)

    def _project(self, slug: str) -> dict[str, Any]:
        document = self._minimal(ResourceKey("project", slug))
        assignments = [key for key in self._documents if (key.type, key.project) == ("assignment", slug)]
        ranked = sorted(assignments, key=lambda key: (self._documents[key]["priority"], key.name))
        pins = sorted(key for key in self._documents if (key.type, key.project) == ("pin", slug))
        return (
            document
            | ({"datasources": {key.name: self._minimal(key) for key in ranked}} if ranked else {})
            | ({"inputs": {key.name: self._minimal(key) for key in pins}} if pins else {})
        )

    def _secrets(self) -> Iterator[tuple[str, Any]]:
        """Each secret with a variable as its value, and where it may be sent if that is limited."""
        used = {
            name
            for slug in self._datasources
            for name in _secrets_of(slug, self._documents[ResourceKey("datasource", slug)])
        }
        stored = self._state.names("secret")
        # A datasource may name a secret that does not exist yet; to an editor, no secret is shown.
        names = stored if self._all else used & stored
        variables: set[str] = set()
        for name in sorted(used if self._state.secrets_hidden else names):
            variable = _variable(name, variables)
            variables.add(variable)
            limits = self._documents.get(ResourceKey("secret", name), {})
            limited = {field: value for field, value in limits.items() if value is not None}
            value = Variable(f"${{{variable}}}")
            yield name, {"value": value, **limited} if limited else value

    def _minimal(self, key: ResourceKey) -> dict[str, Any]:
        return minimal(key, self._documents[key])


def _secrets_of(slug: str, document: dict[str, Any]) -> list[str]:
    try:
        return list(TYPES["datasource"].parse(slug, document).secrets().values())
    except Invalid:
        return []


def _variable(secret: str, used: Collection[str]) -> str:
    """The environment variable for a secret's value."""
    name = re.sub(r"\W", "_", secret, flags=re.ASCII).upper()
    name = f"SECRET_{name}" if name[0].isdigit() else name
    return next(candidate for candidate in [name, *(f"{name}_{n}" for n in range(2, 10_000))] if candidate not in used)


def minimal(key: ResourceKey, document: dict[str, Any]) -> dict[str, Any]:
    """A document without the fields whose absence means the same.

    Args:
        key: the resource.
        document: the normalized document.
    """
    kind = TYPES[key.type]

    def means_the_same(candidate: dict[str, Any]) -> bool:
        try:
            return same_json(kind.normalize(key.name, candidate), document)
        except Invalid:
            return False

    if not means_the_same(document):
        return document  # an earlier release has stored what is not valid now
    shortest: dict[str, Any] = _shortened(document, means_the_same)
    return shortest


def _shortened(value: Any, means_the_same: Callable[[Any], bool]) -> Any:
    """A value without the members of its objects that can be omitted.

    Args:
        value: a JSON value.
        means_the_same: whether the document means the same with another value in this one's place.
    """
    if isinstance(value, list):
        for index, item in enumerate(value):
            value = _replaced(value, index, item, means_the_same)
    elif isinstance(value, dict):
        for name, item in list(value.items()):
            without = {other: kept for other, kept in value.items() if other != name}
            value = without if means_the_same(without) else _replaced(value, name, item, means_the_same)
    return value


def _replaced(container: Any, key: Any, item: Any, means_the_same: Callable[[Any], bool]) -> Any:
    """A copy of a list or object with the shortened form of an item."""

    def with_item(shorter: Any) -> Any:
        copy = container.copy()
        copy[key] = shorter
        return copy

    return with_item(_shortened(item, lambda shorter: means_the_same(with_item(shorter))))
