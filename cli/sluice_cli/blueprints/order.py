"""The order of changes: what a resource reads exists before it, and is deleted after it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sluice.domain.algorithm import ProjectAlgorithm
from sluice.domain.endpoint import Endpoint
from sluice.domain.model import Model
from sluice.domain.reference import parse_reference
from sluice.domain.report import MarkdownSection, Report
from sluice.domain.sql_query import SqlError, parse_query
from sluice.errors import Invalid
from sluice.models.graph import required_models, tables_read_by, waves
from sluice_cli.blueprints.resources import RANKS, TYPES, ResourceKey

Documents = Mapping[ResourceKey, dict[str, Any]]
# The types whose resources read tables and have tables that others read.
_DERIVED = ("model", "algorithm")


def tables_of(key: ResourceKey, document: Mapping[str, Any]) -> tuple[str, ...]:
    """The names that a resource's tables have in its project's SQL.

    Args:
        key: the resource.
        document: its document.
    """
    return TYPES[key.type].tables(key.name, document)


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
        case ProjectAlgorithm():
            references = (parse_reference(text) for text in parsed.inputs.values() if text is not None)
            return {reference.name for reference in references if reference.is_table}
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
        if key.project == project and table not in tables_of(key, document) and table in tables_read(key, document)
    )


def creation_order(keys: Iterable[ResourceKey], documents: Documents) -> list[ResourceKey]:
    """Sort resources so that each comes after what it refers to.

    Args:
        keys: the resources to sort.
        documents: these and other resources, whose SQL tells which models read each other.
    """
    depth: dict[ResourceKey, int] = {}
    for project in {key.project for key in documents if key.type in _DERIVED}:
        derived = {str(key): key for key in documents if key.project == project and key.type in _DERIVED}
        try:
            order = waves(_reads({key: documents[key] for key in derived.values()}))
        except SqlError:
            continue  # a circle is a fault of the documents, and reported as one
        depth |= {derived[name]: index for index, wave in enumerate(order) for name in wave}
    depth |= {key: _parents(key, documents) for key in documents if TYPES[key.type].parent_field}
    ranks = RANKS | dict.fromkeys(_DERIVED, RANKS[_DERIVED[0]])
    return sorted(keys, key=lambda key: (ranks[key.type], depth.get(key, 0), key))


def _reads(documents: Documents) -> dict[str, set[str]]:
    """Which resources each resource of a project reads, by their texts.

    Args:
        documents: models and algorithms.
    """
    holders = {table: str(key) for key, document in documents.items() for table in tables_of(key, document)}
    return {
        str(key): {holders[table] for table in tables_read(key, document) if table in holders}
        for key, document in documents.items()
    }


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
        derived = {key: stored[key] for key in stored if key.type in _DERIVED and key in deleted}
        tables = {table for key in stored if key not in deleted for table in tables_read(key, stored[key])}
        read_first = {str(key) for key in derived if tables & set(tables_of(key, stored[key]))}
        late = required_models(_reads(derived), read_first)
        tables = tables.union(*(tables_read(key, stored[key]) for key in derived if str(key) in late))
        read |= {key for key in stored if key in deleted and tables & set(tables_of(key, stored[key]))}
    unassigned_late = {key.name for key in read if key.type == "assignment"}
    return read | {key for key in deleted if key.type == "datasource" and key.name in unassigned_late}
