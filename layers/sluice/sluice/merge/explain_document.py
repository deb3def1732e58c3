"""Why a merged document is what it is at a JSON Pointer: which datasources say so, and where."""

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
class Traced:
    """A part of a merged document, with the places in the sources' documents that it is made of.

    Args:
        value: for a scalar; of objects and lists the children are the value.
        places: the rank of a source, and the way in its document.
    """

    value: Any
    places: list[tuple[int, Path]]
    children: dict[str, Traced] | list[Traced] | None = field(default=None)

    @property
    def plain(self) -> Any:
        """The part without its places."""
        if isinstance(self.children, dict):
            return {key: child.plain for key, child in self.children.items()}
        if isinstance(self.children, list):
            return [child.plain for child in self.children]
        return self.value


def traced(document: Any, rank: int, way: Path = ()) -> Traced:
    """A source's document, each part with its own place."""
    place = [(rank, way)]
    if isinstance(document, dict):
        return Traced(None, place, {key: traced(value, rank, (*way, key)) for key, value in document.items()})
    if isinstance(document, list):
        return Traced(None, place, [traced(value, rank, (*way, index)) for index, value in enumerate(document)])
    return Traced(document, place)


def traced_recursive(documents: list[Any]) -> Traced:
    """What `merge.documents.recursive` makes of the documents, with the places of each part."""
    merged = Traced(None, [])
    for rank, document in enumerate(documents):
        merged = _folded(merged, traced(document, rank))
    return merged


def traced_concatenation(documents: list[Any]) -> Traced:
    """What `merge.documents.concatenation` makes of the documents, with the places of each part."""
    parts = {str(rank): traced(document, rank) for rank, document in enumerate(documents)}
    return Traced(None, [place for part in parts.values() for place in part.places], parts)


def _folded(first: Traced, second: Traced) -> Traced:
    if _null(second):
        return first
    if _null(first):
        return second
    if identity(first.plain) == identity(second.plain):
        return _agreed(first, second)
    both = first.places + second.places
    if isinstance(first.children, dict) and isinstance(second.children, dict):
        nothing = Traced(None, [])
        keys = {**first.children, **second.children}
        return Traced(
            None,
            both,
            {key: _folded(first.children.get(key, nothing), second.children.get(key, nothing)) for key in keys},
        )
    return Traced(None, both, _distinct(_elements(first) + _elements(second)))


def _null(part: Traced) -> bool:
    return part.children is None and part.value is None


def _elements(part: Traced) -> list[Traced]:
    return part.children if isinstance(part.children, list) else [part]


def _distinct(parts: list[Traced]) -> list[Traced]:
    seen: dict[Any, Traced] = {}
    for part in parts:
        known = seen.get(same := identity(part.plain))
        seen[same] = part if known is None else _agreed(known, part)
    return list(seen.values())


def _agreed(first: Traced, second: Traced) -> Traced:
    """A part that two sources have alike, down to its leaves."""
    children = first.children
    if isinstance(children, dict) and isinstance(second.children, dict):
        others = second.children
        children = {key: _agreed(child, others[key]) for key, child in children.items()}
    elif isinstance(children, list) and isinstance(second.children, list):
        children = [_agreed(one, other) for one, other in zip(children, second.children, strict=True)]
    return Traced(first.value, first.places + second.places, children)


def explain_document(
    manifest: Manifest,
    number: int,
    pointer: str,
    datasets: Datasets,
    lake: Lake,
    settings: Settings,
    citer: Citer,
) -> dict[str, Any]:
    """The part of a merged document at a pointer.

    Args:
        number: the version's.
        pointer: a JSON Pointer into the merged document; empty for all of it.

    Returns:
        `{"pointer", "version", "value", "rule", "winners", "losers", "expression"}`, with the sources that say so.

    Raises:
        Invalid: the pointer is none.
        NotFound: the document has nothing there.
    """
    inputs = [_input(taken, datasets, lake, settings) for taken in manifest.inputs]
    documents = [one.document for one in inputs]
    strategy = manifest.spec["merge"]["strategy"]
    whole = traced_recursive(documents) if strategy == "recursive" else traced_concatenation(documents)
    found = _at(whole, pointer)
    cited = [_cited(inputs[rank], way, lake, settings, citer) for rank, way in found.places]
    return {
        "pointer": pointer,
        "version": number,
        "value": found.plain,
        "rule": strategy,
        "winners": cited,
        "losers": [],
        "expression": None,
    }


@dataclass(frozen=True)
class _Input:
    """One version that the merge read.

    Args:
        selected: whether its document was selected in its pages; if not, it is made of its rows.
    """

    taken: InputVersion
    version: Version
    manifest: Manifest
    source: Source
    document: Any
    selected: bool


def _input(taken: InputVersion, datasets: Datasets, lake: Lake, settings: Settings) -> _Input:
    version = datasets.any_version(DatasetId.of_datasource(taken.datasource), taken.version)
    manifest = lake.manifest(version.manifest_key)
    columns = {column.name: column for column in version.schema_}
    source = Source(taken, columns, lake.local_files(manifest.objects), manifest.position, manifest)
    selected = selected_document(manifest, lake, Limits.of(settings))
    document = selected.value if selected is not None else rows_as_document(source, lake, settings)
    return _Input(taken, version, manifest, source, document, selected is not None)


def _at(whole: Traced, pointer: str) -> Traced:
    part = whole
    for key in _keys(pointer):
        children = part.children
        child: Traced | None = None
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


def _cited(read: _Input, way: Path, lake: Lake, settings: Settings, citer: Citer) -> dict[str, Any]:
    value = read.document
    for key in way:
        value = value[key]
    told = {"value": value, "datasource": read.taken.datasource, "version": read.taken.version}
    if not read.selected:
        return {**told, **_cited_row(read.version, read.manifest, read.source, way, lake, settings, citer)}
    index = FetchIndex.model_validate_json(lake.get(read.manifest.spec["index"]))
    pages = [page for page in index.pages if page.ok]
    listed = isinstance(read.document, list)
    return {**told, **citer.in_document(read.manifest, read.version, pages, way, listed=listed)}


def _cited_row(
    version: Version, manifest: Manifest, source: Source, way: Path, lake: Lake, settings: Settings, citer: Citer
) -> dict[str, Any]:
    """Where a row, or a value of one, stands: of rows that were added up, of which there is no document."""
    names = list(source.columns)
    if not way or not names:
        return {"page": None, "pointer": "", "exact": False, "expression": "the rows of all its runs"}
    with lake.scratch() as scratch, engine(settings, scratch.parent) as connection:
        told = ", ".join(source.position)
        found = connection.execute(f"SELECT {told} FROM {source.rows} WHERE __sluice_at = ?", [way[0]]).fetchone()
    position = dict(zip(source.position, found or (), strict=True))
    cited = citer.cited(manifest, version, position, names)
    if len(way) == 1:
        return {**citer.whole_record(cited, "@"), "expression": None}
    cite = cited[str(way[1])]
    return {**cite, "pointer": cite["pointer"] + json_pointer(way[2:])} if cite["exact"] else cite
