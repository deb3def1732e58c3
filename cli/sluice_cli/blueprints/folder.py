"""A blueprint's folder: which files it has, and the resources that they describe."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from sluice.domain.base import json_pointer
from sluice_cli.blueprints.faults import BlueprintFault, Place, sentence
from sluice_cli.blueprints.input_file import DocumentError, read_document
from sluice_cli.blueprints.resources import ASSETS, TYPES, ResourceKey
from sluice_cli.blueprints.yaml_file import YamlFile
from sluice_cli.errors import StepFailed

DESCRIPTION = "blueprint.yaml"
FILES = "files"
_FILES = {DESCRIPTION, *(f"{TYPES[kind].folder}.yaml" for kind in ASSETS)}
_OF_PROJECT = [name for name, kind in TYPES.items() if kind.in_project and kind.folder]
# A project's file has its assignments and pins, too, and an input may be in two files, so these are read by themselves.
_OF_WORKSPACE = [
    name for name, kind in TYPES.items() if not kind.in_project and kind.folder and name not in ("project", "input")
]


@dataclass(frozen=True)
class Source:
    """A resource as a blueprint describes it.

    Args:
        key: the resource.
        document: as it is written, with the variables' values; without meaning if the file has faults.
        file: the file that describes it.
        pointer: where the document is in the file.
    """

    key: ResourceKey
    document: Any
    file: YamlFile
    pointer: str = ""

    def fault(self, pointer: str, message: str) -> BlueprintFault:
        """A fault of a value in the document.

        Args:
            pointer: a JSON Pointer into the document.
            message: a sentence.
        """
        return self.file.fault(self.pointer + pointer, message)


class Blueprint:
    """A blueprint's folder.

    Args:
        folder: it has `blueprint.yaml`, `datasources/*.yaml`, `sites/*.yaml`, `equipment/*.yaml`, `sensors/*.yaml`,
            `inputs/*` (YAML, JSON and workbooks), `projects/*.yaml`, `files/{slug}/*` and, for each project,
            `projects/{slug}/models/*.yaml`, `…/algorithms/*.yaml`, `…/reports/*.yaml` and `…/endpoints/*.yaml`. The
            last four may also be beside `blueprint.yaml`: they belong to the project that it names, or else to the
            only one.
            Many assets may be in one file, `sites.yaml`, `equipment.yaml` or `sensors.yaml`, by their names.
        variables: the values of `${NAME}` and `${NAME:-default}` in these files; null for the environment's.

    Attributes:
        description: the document in `blueprint.yaml`, with its variables as they are written.
        description_file: that file.
        sources: the resources, in the order of their creation.
        faults: files that cannot be read, and files and folders that a blueprint does not have.

    Raises:
        StepFailed: the folder has no `blueprint.yaml`.
    """

    def __init__(self, folder: Path, variables: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.variables = os.environ if variables is None else variables
        if not (folder / DESCRIPTION).is_file():
            raise StepFailed(f"{folder} is not a blueprint: it has no {DESCRIPTION}")
        # The values of secrets are filled in when they are sent; the sample server's when its address is known.
        self.description_file = YamlFile(folder / DESCRIPTION)
        self.description = self.description_file.document
        self.faults = list(self.description_file.faults)
        self.sources: dict[ResourceKey, Source] = {}
        self._read()

    def _read(self) -> None:
        for file in self._yaml_files(self.folder / TYPES["project"].folder, folders_too=True):
            self._read_project(file)
        for name, document in mapping(self.description.get("secrets")).items():
            pointer = json_pointer(("secrets", name))
            value = document if isinstance(document, dict) else {"value": document}
            self._add(Source(ResourceKey("secret", name), value, self.description_file, pointer))
        for kind in _OF_WORKSPACE:
            for file in self._yaml_files(self.folder / TYPES[kind].folder):
                self._read_document(kind, file)
        self._read_inputs()
        self._read_tables()
        self._read_resources()
        self._refuse_unknown(self.folder, [*(kind.folder for kind in TYPES.values()), FILES, *self._sample_folder()])
        ranks = list(TYPES)
        self.sources = dict(sorted(self.sources.items(), key=lambda item: (ranks.index(item[0].type), item[0])))

    def _add(self, source: Source) -> None:
        other = self.sources.get(source.key)
        if other is not None:
            self.faults.append(source.fault("", f"The {source.key} is also in {other.file.place().file}."))
        self.sources[source.key] = source

    def _read_document(self, kind: str, path: Path, project: str = "") -> Source:
        file = YamlFile(path, self.variables)
        self.faults += file.faults
        source = Source(ResourceKey(kind, path.stem, project), file.document, file)
        self._add(source)
        return source

    def _read_inputs(self) -> None:
        """The inputs, with the documents that lie in files of their own."""
        folder, documents = self.folder / TYPES["input"].folder, set[Path]()
        for path in self._files(folder, (".yaml",), others=(".json", ".xlsx")):
            source = self._read_document("input", path)
            name = source.document.pop("file", None)
            if name is None or source.file.faults:
                continue
            try:
                if "document" in source.document or not isinstance(name, str) or Path(name).name != name:
                    raise DocumentError(["it must be the name of a file in this folder, in place of `document`"])
                documents.add(folder / name)
                source.document["document"] = read_document(folder / name, str(source.document.get("kind")))
            except DocumentError as error:
                # As faults of the file, so that the document, which is missing, is not checked.
                source.file.faults += [source.fault("/file", sentence(text)) for text in error.args[0]]
                self.faults += source.file.faults
        for path in [entry for entry in _entries(folder) if entry.suffix == ".json" and entry not in documents]:
            self._read_document("input", path)
        for path in [entry for entry in _entries(folder) if entry.suffix == ".xlsx" and entry not in documents]:
            self._refuse(path, f"no input names this file; write {path.stem}.yaml with `kind` and `file: {path.name}`")

    def _read_tables(self) -> None:
        """Assets that one file describes together: a mapping from their names to their documents."""
        for kind in ASSETS:
            path = self.folder / f"{TYPES[kind].folder}.yaml"
            if not path.exists():
                continue
            file = YamlFile(path, self.variables)
            self.faults += file.faults
            for name, document in file.document.items():
                self._add(Source(ResourceKey(kind, name), document, file, json_pointer((name,))))

    def _read_project(self, path: Path) -> None:
        """A project, its assignments and its pins, which are fields of its file."""
        source = self._read_document("project", path)
        for kind, field, what in (("assignment", "datasources", "assignments"), ("pin", "inputs", "versions")):
            listed = source.document.pop(field, None)
            if not isinstance(listed, dict | None):
                self.faults.append(source.fault(f"/{field}", f"It must map slugs of {field} to {what}."))
            for slug, document in mapping(listed).items():
                key = ResourceKey(kind, slug, path.stem)
                self._add(Source(key, document or {}, source.file, json_pointer((field, slug))))

    def _read_resources(self) -> None:
        """What belongs to projects: of the project of the blueprint, and of each project in its own folder."""
        project = self.project
        for kind in _OF_PROJECT:
            for file in self._yaml_files(self.folder / TYPES[kind].folder):
                if project is None:
                    message = f"the blueprint has no single project; write `project: <slug>` in {DESCRIPTION}, or move "
                    self._refuse(file, f"{message}the file to projects/<slug>/{TYPES[kind].folder}/")
                else:
                    self._read_document(kind, file, project)
        projects = self.folder / TYPES["project"].folder
        for folder in [entry for entry in _entries(projects) if entry.is_dir()]:
            if ResourceKey("project", folder.name) not in self.sources:
                self._refuse(folder, f"there is no project {folder.name}: {projects / folder.name}.yaml is missing")
                continue
            for kind in _OF_PROJECT:
                for file in self._yaml_files(folder / TYPES[kind].folder):
                    self._read_document(kind, file, folder.name)
            self._refuse_unknown(folder, [TYPES[kind].folder for kind in _OF_PROJECT], files=False)

    def _sample_folder(self) -> list[str]:
        command = mapping(self.description.get("sample")).get("command")
        return [Path(command).parts[0]] if isinstance(command, str) and command else []

    def _yaml_files(self, folder: Path, *, folders_too: bool = False) -> Iterator[Path]:
        """The `*.yaml` files of a folder; other files are faults, and so are folders unless they are expected."""
        return self._files(folder, (".yaml",), folders_too=folders_too)

    def _files(
        self, folder: Path, endings: tuple[str, ...], *, others: tuple[str, ...] = (), folders_too: bool = False
    ) -> Iterator[Path]:
        """The files of a folder with some endings.

        Args:
            folder: the folder.
            endings: of the files.
            others: endings that other files may have; those with another one are faults.
            folders_too: whether folders are expected; else they are faults.
        """
        for entry in _entries(folder):
            if entry.is_dir():
                if not folders_too:
                    self._refuse(entry, "this folder is not part of a blueprint")
            elif entry.suffix in endings:
                yield entry
            elif entry.suffix not in others:
                self._refuse(entry, f"only *.yaml files belong here; rename it to {entry.stem}.yaml, or move it")

    def _refuse_unknown(self, folder: Path, known: Iterable[str], *, files: bool = True) -> None:
        """Refuse unknown folders and YAML files; other files, such as a README, may be beside `blueprint.yaml`."""
        folders = sorted({name for name in known if name})
        for entry in _entries(folder):
            if entry.is_dir() and entry.name not in folders:
                close = get_close_matches(entry.name, folders, 1)
                advice = f"did you mean {close[0]}?" if close else f"the folders are {', '.join(folders)}"
                self._refuse(entry, f"this folder is not part of a blueprint; {advice}")
            elif entry.is_file() and (not files or (entry.suffix in (".yaml", ".yml") and entry.name not in _FILES)):
                self._refuse(entry, f"this file is not part of a blueprint; the folders are {', '.join(folders)}")

    def _refuse(self, path: Path, message: str) -> None:
        self.faults.append(BlueprintFault(Place(str(path)), sentence(message)))

    @property
    def project(self) -> str | None:
        """The project that `blueprint.yaml` names, else the only one; null if there are several or none."""
        named = self.description.get("project")
        if isinstance(named, str):
            return named
        projects = self.projects
        return projects[0] if len(projects) == 1 else None

    @property
    def projects(self) -> list[str]:
        """The slugs of the blueprint's projects."""
        return sorted(key.name for key in self.sources if key.type == "project")

    def of_type(self, kind: str, project: str = "") -> dict[str, Source]:
        """The resources of a type, by name.

        Args:
            kind: the type's name.
            project: their project; empty for resources of the workspace.
        """
        return {key.name: source for key, source in self.sources.items() if (key.type, key.project) == (kind, project)}

    def files(self) -> list[tuple[str, Path]]:
        """The files to drop, each with the slug of its datasource."""
        return [(file.parent.name, file) for file in sorted((self.folder / FILES).glob("*/*")) if file.is_file()]

    def sample_environment(self, url: str) -> dict[str, str]:
        """The variables that point the datasources to the sample server.

        Args:
            url: the server's address.
        """
        variables = mapping(mapping(self.description.get("sample")).get("environment"))
        return {name: str(value).replace("${SAMPLE_URL}", url) for name, value in variables.items()}

    def has_own_values(self) -> bool:
        """Whether the environment has a value that the sample server would replace, such as a key of the real API."""
        variables = mapping(mapping(self.description.get("sample")).get("environment"))
        return any(name in os.environ for name in variables)

    def feed_command(self) -> Path | None:
        """The Python file that sends readings; null if the blueprint has none."""
        command = self.description.get("feed")
        return self.folder / command if isinstance(command, str) and command else None

    def sample_command(self) -> Path | None:
        """The sample server's Python file; null if the blueprint has no sample server."""
        command = mapping(self.description.get("sample")).get("command")
        return self.folder / command if command else None


def mapping(value: Any) -> dict[str, Any]:
    """A value if it is a mapping, else an empty one: another fault says that it should be one."""
    return value if isinstance(value, dict) else {}


def _entries(folder: Path) -> list[Path]:
    """What is in a folder, by name, without hidden files and Python's caches; nothing if there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith(".") and entry.name != "__pycache__")
