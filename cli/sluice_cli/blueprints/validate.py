"""Checks of a blueprint: its documents, and what they refer to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from sluice.domain.base import validate
from sluice.domain.endpoint import Endpoint
from sluice.domain.model import Model
from sluice.domain.report import Report
from sluice.errors import Invalid
from sluice.models.definition_rules import Fault, endpoint_faults, model_faults, report_faults
from sluice_cli.blueprints.description import BlueprintDescription
from sluice_cli.blueprints.faults import BlueprintFault, Place
from sluice_cli.blueprints.folder import Blueprint, Source, mapping
from sluice_cli.blueprints.order import tables_of
from sluice_cli.blueprints.resources import TYPES, ResourceKey

MERGED = "merged"


@dataclass
class Surroundings:
    """What is outside of a blueprint and stays there.

    Args:
        documents: the normalized documents of its projects' resources that it does not describe.
        datasources: the slugs of all stored datasources; null if unknown.
        secrets: the names of all stored secrets; null if unknown.
        unchanged: the resources of the blueprint that are stored as it describes them.
        inputs: the slugs of all stored inputs; null if unknown.
    """

    documents: Mapping[ResourceKey, dict[str, Any]] = field(default_factory=dict)
    datasources: set[str] | None = None
    secrets: set[str] | None = None
    unchanged: set[ResourceKey] = field(default_factory=set)
    inputs: set[str] | None = None


@dataclass
class Checked:
    """The result of a check.

    Args:
        documents: the resources' documents as instances of their classes; those that are valid.
        faults: what is wrong.
        notes: what is not wrong but worth knowing.
    """

    documents: dict[ResourceKey, Any] = field(default_factory=dict)
    faults: list[BlueprintFault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def check_documents(blueprint: Blueprint) -> Checked:
    """Check each file of a blueprint by itself: YAML, variables, names, and the documents' fields.

    Args:
        blueprint: the blueprint.
    """
    checked = Checked(faults=list(blueprint.faults))
    if not blueprint.description_file.faults:
        checked.faults += _description_faults(blueprint)
    for key, source in blueprint.sources.items():
        name_fault = TYPES[key.type].name_fault(key.name)
        # The description's own check reports the faults of secrets, which are fields of the same file.
        if name_fault is not None and key.type != "secret":
            checked.faults.append(source.fault("", name_fault))
        if source.file.faults or name_fault is not None:
            continue
        if not isinstance(source.document, dict):
            checked.faults.append(source.fault("", f"The {key.type} must be a mapping."))
            continue
        try:
            checked.documents[key] = TYPES[key.type].parse(key.name, source.document)
            TYPES[key.type].check(checked.documents[key])
        except Invalid as invalid:
            if key.type != "secret":
                checked.faults += invalid_faults(source, invalid.detail, invalid.errors)
    return checked


def invalid_faults(source: Source, detail: str, errors: list[dict[str, str]]) -> Iterator[BlueprintFault]:
    """The places of the faults that a validation reports.

    Args:
        source: the resource.
        detail: what is wrong, for a report without `errors`.
        errors: `{"pointer", "message"}` for each fault.
    """
    for error in errors or [{"pointer": "", "message": detail}]:
        pointer = error.get("pointer", "")
        yield source.fault(pointer if pointer.startswith("/") else "", error["message"])


def _description_faults(blueprint: Blueprint) -> Iterator[BlueprintFault]:
    file, folder = blueprint.description_file, blueprint.folder
    try:
        description = validate(BlueprintDescription, blueprint.description)
    except Invalid as invalid:
        for error in invalid.errors or [{"pointer": "", "message": invalid.detail}]:
            yield file.fault(error["pointer"], error["message"] + _advice(error["pointer"], error["message"]))
        return
    if description.project is not None and description.project not in blueprint.projects:
        yield file.fault("/project", f"There is no project {description.project!r}: its file in projects/ is missing.")
    command = description.sample.command if description.sample else None
    if command is not None and not (folder / command).is_file():
        yield file.fault("/sample/command", f"There is no file {folder / command}.")


def _advice(pointer: str, message: str) -> str:
    """The name that an unknown field of `blueprint.yaml` probably means."""
    if message != "Unknown field." or pointer.count("/") != 1:
        return ""
    fields = list(BlueprintDescription.model_fields)
    close = get_close_matches(pointer.removeprefix("/"), fields, 1)
    return f" Did you mean {close[0]}?" if close else f" The fields are {', '.join(fields)}."


def check_references(blueprint: Blueprint, checked: Checked, surroundings: Surroundings) -> None:
    """Check what the resources of a blueprint refer to: datasources, inputs, secrets, and tables in SQL.

    Args:
        blueprint: the blueprint.
        checked: its documents; faults and notes are added.
        surroundings: what the references may also mean.
    """
    datasources, inputs = blueprint.of_type("datasource"), blueprint.of_type("input")
    for key, source in blueprint.sources.items():
        if key.type == "assignment" and key.name not in datasources:
            _check_target(checked, source, "datasource", surroundings.datasources)
        elif key.type == "pin" and key.name not in inputs:
            _check_target(checked, source, "input", surroundings.inputs)
        elif key.type == "datasource" and key in checked.documents:
            _check_secrets(blueprint, checked, source, surroundings)
    for folder in {file.parent.name: file.parent for _, file in blueprint.files()}.values():
        _check_dropped(checked, folder.name, Place(str(folder)), surroundings)
    for project in blueprint.projects:
        tables = ProjectTables(blueprint, checked, surroundings, project)
        checked.faults += tables.name_faults()
        checked.faults += tables.sql_faults()
    model = mapping(blueprint.description.get("show")).get("model")
    if model is not None and model not in blueprint.of_type("model", blueprint.project or ""):
        checked.faults.append(blueprint.description_file.fault("/show/model", f"There is no model {model!r}."))


def _check_target(checked: Checked, source: Source, kind: str, stored: set[str] | None) -> None:
    """Check that what a project uses, and the blueprint does not have, is on the server.

    Args:
        checked: gets faults and notes.
        source: the assignment or pin, which has the name of what it is of.
        kind: what it is of.
        stored: the names of all stored resources of that kind; null if unknown.
    """
    place = source.file.place(source.pointer, of_key=True)
    if stored is None:
        checked.notes.append(f"{place}: the {kind} {source.key.name} is not in this blueprint")
    elif source.key.name not in stored:
        message = f"There is no {kind} {source.key.name!r}, neither in this blueprint nor on the server."
        checked.faults.append(BlueprintFault(place, message))


def _check_secrets(blueprint: Blueprint, checked: Checked, source: Source, surroundings: Surroundings) -> None:
    for pointer, name in checked.documents[source.key].secrets().items():
        if name in blueprint.of_type("secret") or name in (surroundings.secrets or ()):
            continue
        fault = source.fault(pointer, f"There is no secret {name!r}, neither in this blueprint nor on the server.")
        if surroundings.secrets is None:
            checked.notes.append(f"{fault.place}: the secret {name} is not in this blueprint")
        elif source.key in surroundings.unchanged:
            checked.notes.append(str(fault))
        else:
            checked.faults.append(fault)


def _check_dropped(checked: Checked, slug: str, place: Place, surroundings: Surroundings) -> None:
    """Check that there is a datasource for the files in a folder, and that it takes files."""
    datasource = checked.documents.get(ResourceKey("datasource", slug))
    if datasource is None:
        if surroundings.datasources is not None and slug not in surroundings.datasources:
            checked.faults.append(BlueprintFault(place, f"There is no datasource {slug!r} for these files."))
    elif datasource.ARRIVAL != "dropped" and not datasource.KEEPS_DROPS:
        message = f"The datasource {slug!r} takes no files: its kind is {datasource.kind}."
        checked.faults.append(BlueprintFault(place, message))


class ProjectTables:
    """The tables that a project will have, and the SQL that reads them.

    Args:
        blueprint: the blueprint.
        checked: its documents.
        surroundings: what stays of the project beside the blueprint.
        project: the project's slug.
    """

    def __init__(self, blueprint: Blueprint, checked: Checked, surroundings: Surroundings, project: str) -> None:
        self._blueprint = blueprint
        self._checked = checked
        self._project = project
        self._documents = {key: document for key, document in checked.documents.items() if key.project == project}
        self._kept = {key: document for key, document in surroundings.documents.items() if key.project == project}
        self._models = {
            key.name: document for key, document in self._documents.items() if isinstance(document, Model)
        } | dict(self._kept_models())

    def _kept_models(self) -> Iterator[tuple[str, Model]]:
        for key, document in self._kept.items():
            if key.type == "model":
                try:
                    yield key.name, TYPES["model"].parse(key.name, document)
                except Invalid:
                    continue  # an earlier release has accepted it

    def _holders(self) -> Iterator[tuple[str, ResourceKey]]:
        """The names of the tables, each with the resource that has it."""
        keys = [key for key in self._blueprint.sources if key.project == self._project]
        valid = {key: self._blueprint.sources[key].document for key in keys if key in self._documents}
        for key in [*keys, *self._kept]:
            for table in tables_of(key, self._kept.get(key, valid.get(key, {}))):
                yield table, key

    def name_faults(self) -> Iterator[BlueprintFault]:
        """Names that two tables have."""
        holders: dict[str, ResourceKey] = {}
        for name, key in sorted(self._holders(), key=lambda holder: holder[1] in self._blueprint.sources):
            if name in holders and key in self._blueprint.sources:
                remedy = "set another alias" if key.type == "assignment" else "give one of them another name"
                message = f"The name {name!r} is used by the {holders[name]} in this project's SQL; {remedy}."
                yield self._blueprint.sources[key].fault("/alias" if key.type == "assignment" else "", message)
            holders.setdefault(name, key)

    def sql_faults(self) -> Iterator[BlueprintFault]:
        """Faults of the SQL in models, reports and endpoints."""
        names = {MERGED, *(name for name, _ in self._holders())}
        for key, document in self._documents.items():
            for fault in self._faults_of(key.name, document, names):
                yield self._blueprint.sources[key].fault(fault.pointer, fault.message)

    def _faults_of(self, name: str, document: Any, tables: set[str]) -> Iterator[Fault]:
        match document:
            case Model():
                yield from model_faults(name, self._models, tables)
            case Report():
                yield from report_faults(document, self._models, tables)
            case Endpoint():
                yield from endpoint_faults(document, tables)


def validate_folder(blueprint: Blueprint) -> Checked:
    """Check a blueprint without the API.

    Args:
        blueprint: the blueprint.

    Returns:
        The result; what may be on the server is a note.
    """
    checked = check_documents(blueprint)
    check_references(blueprint, checked, Surroundings())
    return checked
