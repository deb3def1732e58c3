"""The order of changes: what a resource reads exists before it, and is deleted after it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sluice.domain.endpoint import Endpoint
from sluice.domain.model import Model
from sluice.domain.names import sql_name_of
from sluice.domain.report import MarkdownSection, Report
from sluice.domain.sql_query import SqlError, parse_query
from sluice.errors import Invalid
from sluice.models.graph import required_models, tables_read_by, waves
from sluice_cli.blueprints.resources import RANKS, TYPES, ResourceKey

Documents = Mapping[ResourceKey, dict[str, Any]]


def table_name(key: ResourceKey, document: Mapping[str, Any]) -> str | None:
    """The name that a resource has as a table in its project's SQL; null if it is no table.

    Args:
        key: the resource.
        document: its document.
    """
    if key.type == "assignment":
        return document.get("alias") or sql_name_of(key.name)
    return key.name if key.type == "model" else None


def tables_read(key: ResourceKey, document: dict[str, Any]) -> set[str]:
    """The tables that a resource reads; none if an earlier release stored what is no longer valid.

    Args:
        key: the resource.
        document: its document.
    """
    try:
        parsed = TYPES[key.type].parse(key.name, document)
    except Invalid:
        return set()
    match parsed:
        case Model():
            return tables_read_by(key.name, parsed)
        case Report():
            queries = [section.sql for section in parsed.sections if not isinstance(section, MarkdownSection)]
            return {table for sql in queries for table in parse_query(sql).tables}
        case Endpoint():
            return set(parse_query(parsed.sql).tables)
    return set()


def readers_of(table: str, project: str, documents: Documents) -> list[ResourceKey]:
    """The resources of a project that read a table, other than the table itself.

    Args:
        table: the table's name.
        project: the project's slug.
        documents: the resources.
    """
    return sorted(
        key
        for key, document in documents.items()
        if key.project == project and table_name(key, document) != table and table in tables_read(key, document)
    )


def creation_order(keys: Iterable[ResourceKey], documents: Documents) -> list[ResourceKey]:
    """Sort resources so that each comes after what it refers to.

    Args:
        keys: the resources to sort.
        documents: these and other resources, whose SQL tells which models read each other.
    """
    depth: dict[ResourceKey, int] = {}
    for project in {key.project for key in documents if key.type == "model"}:
        models = {key.name: key for key in documents if (key.type, key.project) == ("model", project)}
        reads = {name: tables_read(key, documents[key]) for name, key in models.items()}
        try:
            depth |= {models[name]: index for index, wave in enumerate(waves(reads)) for name in wave}
        except SqlError:
            continue  # a circle is a fault of the documents, and reported as one
    depth |= {key: _parents(key, documents) for key in documents if TYPES[key.type].parent_field}
    return sorted(keys, key=lambda key: (RANKS[key.type], depth.get(key, 0), key))


def _parents(key: ResourceKey, documents: Documents) -> int:
    """How many of the resources are above one: its parent, the parent of that, and so on."""
    seen: list[ResourceKey] = []
    # A circle ends, too; the API refuses it.
    while key in documents and key not in seen:
        seen.append(key)
        key = ResourceKey(key.type, str(documents[key].get(TYPES[key.type].parent_field)))
    return len(seen)


def deletion_order(keys: Iterable[ResourceKey], documents: Documents) -> list[ResourceKey]:
    """Sort resources so that each comes before what it refers to.

    Args:
        keys: the resources to sort.
        documents: these and other resources, whose SQL tells which models read each other.
    """
    return creation_order(keys, documents)[::-1]


def still_read(deleted: Collection[ResourceKey], documents: Documents) -> set[ResourceKey]:
    """Which of the resources to delete are read by stored ones that stay, directly or through other deleted ones.

    They can only be deleted when those that stay have been changed.

    Args:
        deleted: the resources to delete.
        documents: all stored resources.
    """
    read: set[ResourceKey] = set()
    for project in {key.project for key in deleted if key.project}:
        stored = {key: document for key, document in documents.items() if key.project == project}
        deleted_models = {
            key.name: tables_read(key, stored[key]) for key in stored if key.type == "model" and key in deleted
        }
        tables = {table for key in stored if key not in deleted for table in tables_read(key, stored[key])}
        late_models = required_models(deleted_models, tables)
        tables = tables.union(*(deleted_models[name] for name in late_models))
        read |= {key for key in stored if key in deleted and table_name(key, stored[key]) in tables}
    unassigned_late = {key.name for key in read if key.type == "assignment"}
    return read | {key for key in deleted if key.type == "datasource" and key.name in unassigned_late}
