"""Explain a merged document at a JSON Pointer: the datasources that the value comes from, with citations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sluice.catalog.datasets import Datasets
from sluice.domain.base import json_pointer
from sluice.domain.dataset import InputVersion, Manifest, Version
from sluice.domain.dataset_id import DatasetId
from sluice.domain.run import FetchIndex
from sluice.errors import Invalid, NotFound
from sluice.formats.limits import Limits
from sluice.lake.parquet import engine
from sluice.lake.store import Lake
from sluice.merge.citations import Citer
from sluice.merge.documents import identity
from sluice.merge.merger import rows_as_document
from sluice.merge.plan import Source
from sluice.merge.selected import selected_document
from sluice.settings import Settings

Path = tuple[str | int, ...]


@dataclass
class TracedPart:
    """A part of a merged document, with the places in the sources' documents that it comes from.

    Args:
        value: the value of a scalar; None for objects and lists.
        places: the ranks of sources, each with the keys and indexes that lead to the part in its document.
        children: the parts of an object or list; None for a scalar.
    """

    value: Any
    places: list[tuple[int, Path]]
    children: dict[str, TracedPart] | list[TracedPart] | None = field(default=None)

    @property
    def plain(self) -> Any:
        """The part as a JSON value."""
        if isinstance(self.children, dict):
            return {key: child.plain for key, child in self.children.items()}
        if isinstance(self.children, list):
            return [child.plain for child in self.children]
        return self.value


def trace_document(document: Any, rank: int, path: Path = ()) -> TracedPart:
    """Attach to each part of a source's document its own place.

    Args:
        document: the document, or a part of it.
        rank: the source's rank.
        path: the keys and indexes that lead to the part.
    """
    place = [(rank, path)]
    if isinstance(document, dict):
        return TracedPart(
            None, place, {key: trace_document(value, rank, (*path, key)) for key, value in document.items()}
        )
    if isinstance(document, list):
        return TracedPart(
            None, place, [trace_document(value, rank, (*path, index)) for index, value in enumerate(document)]
        )
    return TracedPart(document, place)


def trace_recursive(documents: list[Any]) -> TracedPart:
    """Merge documents as `merge.documents.merge_recursively` does, with the places of each part."""
    merged = TracedPart(None, [])
    for rank, document in enumerate(documents):
        merged = _merge_two(merged, trace_document(document, rank))
    return merged


def trace_concatenation(documents: list[Any]) -> TracedPart:
    """Concatenate documents as `merge.documents.concatenate` does, with the places of each part."""
    parts = {str(rank): trace_document(document, rank) for rank, document in enumerate(documents)}
    return TracedPart(None, [place for part in parts.values() for place in part.places], parts)


def _merge_two(first: TracedPart, second: TracedPart) -> TracedPart:
    if _null(second):
        return first
    if _null(first):
        return second
    if identity(first.plain) == identity(second.plain):
        return _unite(first, second)
    both = first.places + second.places
    if isinstance(first.children, dict) and isinstance(second.children, dict):
        nothing = TracedPart(None, [])
        keys = {**first.children, **second.children}
        return TracedPart(
            None,
            both,
            {key: _merge_two(first.children.get(key, nothing), second.children.get(key, nothing)) for key in keys},
        )
    return TracedPart(None, both, _distinct(_elements(first) + _elements(second)))


def _null(part: TracedPart) -> bool:
    return part.children is None and part.value is None


def _elements(part: TracedPart) -> list[TracedPart]:
    return part.children if isinstance(part.children, list) else [part]


def _distinct(parts: list[TracedPart]) -> list[TracedPart]:
    seen: dict[Any, TracedPart] = {}
    for part in parts:
        known = seen.get(key := identity(part.plain))
        seen[key] = part if known is None else _unite(known, part)
    return list(seen.values())


def _unite(first: TracedPart, second: TracedPart) -> TracedPart:
    """Unite the places of two equal parts and of their children."""
    children = first.children
    if isinstance(children, dict) and isinstance(second.children, dict):
        others = second.children
        children = {key: _unite(child, others[key]) for key, child in children.items()}
    elif isinstance(children, list) and isinstance(second.children, list):
        children = [_unite(child, other) for child, other in zip(children, second.children, strict=True)]
    return TracedPart(first.value, first.places + second.places, children)


def explain_document(
    manifest: Manifest,
    number: int,
    pointer: str,
    datasets: Datasets,
    lake: Lake,
    settings: Settings,
    citer: Citer,
) -> dict[str, Any]:
    """Explain the part of a merged document at a pointer.

    Args:
        manifest: the manifest of the merged version.
        number: the number of the merged version.
        pointer: a JSON Pointer into the merged document; empty for the whole document.
        datasets: the catalog of the input versions.
        lake: where documents and pages are read.
        settings: limits of the parsers and the engine.
        citer: cites the sources' pages.

    Returns:
        `{"pointer", "version", "value", "rule", "winners", "losers", "expression"}`; `winners` are the citations
        of the sources that the part comes from.

    Raises:
        Invalid: the pointer is not a JSON Pointer.
        NotFound: the document has nothing at the pointer.
    """
    inputs = [_input(input_version, datasets, lake, settings) for input_version in manifest.inputs]
    documents = [input_.document for input_ in inputs]
    strategy = manifest.spec["merge"]["strategy"]
    merged = trace_recursive(documents) if strategy == "recursive" else trace_concatenation(documents)
    part = _at(merged, pointer)
    cited = [_cite(inputs[rank], path, lake, settings, citer) for rank, path in part.places]
    return {
        "pointer": pointer,
        "version": number,
        "value": part.plain,
        "rule": strategy,
        "winners": cited,
        "losers": [],
        "expression": None,
    }


@dataclass(frozen=True)
class _Input:
    """One version that the merge read.

    Args:
        input_version: the version, as the manifest of the merge records it.
        version: the version in the catalog.
        manifest: its manifest.
        source: its rows.
        document: its document.
        selected: whether the document was selected in its pages; if not, it is the list of its rows.
    """

    input_version: InputVersion
    version: Version
    manifest: Manifest
    source: Source
    document: Any
    selected: bool


def _input(input_version: InputVersion, datasets: Datasets, lake: Lake, settings: Settings) -> _Input:
    version = datasets.any_version(DatasetId.of_datasource(input_version.datasource), input_version.version)
    manifest = lake.manifest(version.manifest_key)
    columns = {column.name: column for column in version.schema_}
    source = Source(input_version, columns, lake.local_files(manifest.objects), manifest.position, manifest)
    selected = selected_document(manifest, lake, Limits.of(settings))
    document = selected.value if selected is not None else rows_as_document(source, lake, settings)
    return _Input(input_version, version, manifest, source, document, selected is not None)


def _at(merged: TracedPart, pointer: str) -> TracedPart:
    part = merged
    for key in _keys(pointer):
        children = part.children
        child: TracedPart | None = None
        if isinstance(children, dict):
            child = children.get(key)
        elif isinstance(children, list) and key.isdecimal() and int(key) < len(children):
            child = children[int(key)]
        if child is None:
            raise NotFound(f"The merged document has nothing at {pointer!r}.")
        part = child
    return part


def _keys(pointer: str) -> Iterator[str]:
    if pointer and not pointer.startswith("/"):
        message = "A JSON Pointer begins with /, or is empty."
        raise Invalid(message, [{"pointer": "?pointer", "message": message}])
    return (part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


def _cite(input_: _Input, path: Path, lake: Lake, settings: Settings, citer: Citer) -> dict[str, Any]:
    value = input_.document
    for key in path:
        value = value[key]
    about = {"value": value, "datasource": input_.input_version.datasource, "version": input_.input_version.version}
    if not input_.selected:
        return {**about, **_cite_row(input_.version, input_.manifest, input_.source, path, lake, settings, citer)}
    index = FetchIndex.model_validate_json(lake.get(input_.manifest.spec["index"]))
    pages = [page for page in index.pages if page.ok]
    listed = isinstance(input_.document, list)
    return {**about, **citer.cite_document_part(input_.manifest, input_.version, pages, path, listed=listed)}


def _cite_row(
    version: Version, manifest: Manifest, source: Source, path: Path, lake: Lake, settings: Settings, citer: Citer
) -> dict[str, Any]:
    """Cite a row, or a value of a row, of a version that has no document."""
    names = list(source.columns)
    if not path or not names:
        return {"page": None, "pointer": "", "exact": False, "expression": "all rows of the version"}
    with lake.scratch() as scratch, engine(settings, scratch.parent) as connection:
        position_columns = ", ".join(source.position)
        row = connection.execute(
            f"SELECT {position_columns} FROM {source.rows} WHERE __sluice_at = ?", [path[0]]
        ).fetchone()
    position = dict(zip(source.position, row or (), strict=True))
    cited = citer.cite_record(manifest, version, position, names)
    if len(path) == 1:
        return {**citer.cite_computed(cited, "@"), "expression": None}
    citation = cited[str(path[1])]
    return {**citation, "pointer": citation["pointer"] + json_pointer(path[2:])} if citation["exact"] else citation
