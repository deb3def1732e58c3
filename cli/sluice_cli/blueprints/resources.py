"""The types of resources that a blueprint describes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from pydantic import BaseModel

from sluice.algorithms import registry
from sluice.domain.algorithm import ProjectAlgorithm
from sluice.domain.assets.codes import CODE_PATTERN, RESERVED_NAMES, SENSOR_ID_PATTERN, is_code, is_sensor_id
from sluice.domain.assets.equipment import Equipment
from sluice.domain.assets.sensor import Sensor
from sluice.domain.assets.site import Site
from sluice.domain.base import READ_ONLY_FIELDS, validate
from sluice.domain.datasource import Datasource
from sluice.domain.endpoint import Endpoint
from sluice.domain.input import RESERVED_SLUGS, InputRequest, PinRequest
from sluice.domain.json_text import dumps
from sluice.domain.model import Model
from sluice.domain.names import (
    SECRET_NAME_PATTERN,
    SLUG_MAX,
    SLUG_PATTERN,
    is_secret_name,
    is_slug,
    sql_name_of,
    table_of_algorithm,
)
from sluice.domain.project import Assignment, Project
from sluice.domain.report import Report
from sluice.domain.secret import SecretValue
from sluice.errors import Invalid
from sluice.inputs.check import DEFAULT_KIND, check_document, kind_of
from sluice.models.definition_rules import name_fault
from sluice.settings import Settings
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
        name_field: the field of the document with its name; empty if only the path has it.
        parent_field: the field that names another resource of the type, which must exist; empty if there is none.
        restricted: whether there are keys that may read other resources but not those of this type.
        fixed: fields that cannot change.
        hidden: fields that the API never shows.
        name_fault: why it cannot have a name; null if it can.
        check: raises Invalid for what new documents may not contain but stored ones may.
        tables: the names of its tables in its project's SQL, by its name and document.
    """

    folder: str
    path: str
    model: type[BaseModel]
    in_project: bool = False
    name_field: str = ""
    parent_field: str = ""
    restricted: bool = False
    fixed: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    name_fault: Callable[[str], str | None] = lambda _: None
    check: Callable[[Any], None] = lambda _: None
    tables: Callable[[str, Mapping[str, Any]], tuple[str, ...]] = lambda *_: ()

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
        field = self.name_field
        parsed = validate(self.model, {field: name, **document} if field else document)
        if field and getattr(parsed, field) != name:
            message = f"The {field} is that of the file's name, {name!r}; omit it."
            raise Invalid(message, [{"pointer": f"/{field}", "message": message}])
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


@dataclass(frozen=True)
class InputType(ResourceType):
    """The type of inputs, whose documents may be large: they are compared by their hash, which lists have."""

    def normalize(self, name: str, document: dict[str, Any]) -> dict[str, Any]:
        """The kind of an input and the hash of its document; the comment belongs to the version that is stored."""
        self.parse(name, document)
        return {"kind": document["kind"], "hash": sha256(dumps(document["document"])).hexdigest()}

    def stored(self, name: str, view: dict[str, Any]) -> dict[str, Any]:
        """What `normalize` returns, from the API's view."""
        return {"kind": view["kind"], "hash": view["hash"]}


def list_path(kind: str, project: str = "") -> str:
    """The path of a list in the API, below `/v1`.

    Args:
        kind: the name of the resources' type.
        project: the slug of their project; empty for resources of the workspace.
    """
    return TYPES[kind].path.format(project=project and segment(project))


def _slug_fault(name: str) -> str | None:
    if is_slug(name):
        return None
    return f"The name {name!r} cannot be used: {SLUG_PATTERN.words}; at most {SLUG_MAX} characters."


def _secret_fault(name: str) -> str | None:
    return None if is_secret_name(name) else f"The name {name!r} cannot be used: {SECRET_NAME_PATTERN.words}."


def _code_fault(code: str) -> str | None:
    if is_code(code):
        return None
    return f"The name {code!r} cannot be used: {CODE_PATTERN.words}; none of {', '.join(sorted(RESERVED_NAMES))}."


def _sensor_fault(sensor: str) -> str | None:
    if is_sensor_id(sensor):
        return None
    return (
        f"The name {sensor!r} cannot be used: {SENSOR_ID_PATTERN.words}; none of {', '.join(sorted(RESERVED_NAMES))}."
    )


def _input_fault(name: str) -> str | None:
    return f"The name {name!r} is reserved." if name in RESERVED_SLUGS else _slug_fault(name)


def _check_input(request: InputRequest) -> None:
    check_document(kind_of(request.kind or DEFAULT_KIND), request.document, Settings().max_import_errors)


def _algorithm_fault(name: str) -> str | None:
    known = registry.names()
    return None if name in known else f"There is no algorithm {name!r}; there are {', '.join(known)}."


def _algorithm_tables(name: str, _: Mapping[str, Any]) -> tuple[str, ...]:
    if name not in registry.names():
        return ()
    return tuple(table_of_algorithm(name, table) for table in registry.algorithm(name).tables)


def _rules_of(kind: str) -> Callable[[str], str | None]:
    return lambda name: name_fault(kind, name)


# In the order of creation: what a resource refers to comes before it. Deletions go the other way. Models and algorithms
# may read each other's tables, so `order.py` sorts them together.
TYPES: dict[str, ResourceType] = {
    "site": ResourceType("sites", "/sites", Site, name_field="code", restricted=True, name_fault=_code_fault),
    "equipment": ResourceType(
        "equipment",
        "/equipment",
        Equipment,
        name_field="code",
        parent_field="parent",
        restricted=True,
        name_fault=_code_fault,
    ),
    "sensor": ResourceType("sensors", "/sensors", Sensor, name_field="id", restricted=True, name_fault=_sensor_fault),
    "project": ResourceType("projects", "/projects", Project, name_field="slug", name_fault=_slug_fault),
    "secret": ResourceType("", "/secrets", SecretValue, hidden=("value",), restricted=True, name_fault=_secret_fault),
    "input": InputType("inputs", "/inputs", InputRequest, fixed=("kind",), name_fault=_input_fault, check=_check_input),
    "datasource": ResourceType(
        "datasources",
        "/datasources",
        Datasource,
        name_field="slug",
        fixed=("kind",),
        name_fault=_slug_fault,
        check=lambda document: document.require_safe(),
    ),
    "assignment": ResourceType(
        "",
        "/projects/{project}/datasources",
        Assignment,
        in_project=True,
        name_fault=_slug_fault,
        tables=lambda name, document: (document.get("alias") or sql_name_of(name),),
    ),
    "pin": ResourceType("", "/projects/{project}/inputs", PinRequest, in_project=True, name_fault=_slug_fault),
    "model": ResourceType(
        "models",
        "/projects/{project}/models",
        Model,
        in_project=True,
        name_fault=_rules_of("model"),
        tables=lambda name, _: (name,),
    ),
    "algorithm": ResourceType(
        "algorithms",
        "/projects/{project}/algorithms",
        ProjectAlgorithm,
        in_project=True,
        name_fault=_algorithm_fault,
        tables=_algorithm_tables,
    ),
    "report": ResourceType(
        "reports", "/projects/{project}/reports", Report, in_project=True, name_fault=_rules_of("report")
    ),
    "endpoint": ResourceType(
        "endpoints", "/projects/{project}/endpoints", Endpoint, in_project=True, name_fault=_rules_of("endpoint")
    ),
}
# The types of sites and of what is there: they belong to the workspace, and to no project.
ASSETS = ("site", "equipment", "sensor")
# The types that are read only if they matter: there may be many of them.
OPTIONAL = (*ASSETS, "input")
RANKS = {name: rank for rank, name in enumerate(TYPES)}
