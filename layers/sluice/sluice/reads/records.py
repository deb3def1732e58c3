"""One merged record, and the explanations of its values and of those of a datasource's row."""

from __future__ import annotations

from typing import Any

from sluice.catalog.datasets import Datasets
from sluice.catalog.erasures import Erasures
from sluice.catalog.runs import Pages
from sluice.domain.dataset import Tombstone, Version
from sluice.domain.erasure import key_hash
from sluice.domain.merge import JoinMerge, UnionMerge, merge_of
from sluice.errors import Conflict, NotFound
from sluice.lake.store import Lake
from sluice.merge.citations import Citer
from sluice.merge.explain import Explainer
from sluice.merge.explain_document import explain_document
from sluice.merge.lookup import find_record
from sluice.merge.source_row import source_row
from sluice.reads.reader import Reader
from sluice.reads.request import DataRequest
from sluice.settings import Settings


def merged_record(lake: Lake, settings: Settings, version: Version, key: list[str]) -> dict[str, Any]:
    """The record of a version that has a key.

    Args:
        version: a version of a project.
        key: the value of each column of the merge's key, in their order, as text.

    Raises:
        Conflict: the version's merge has no key.
        NotFound: no record has this key.
        Invalid: the key does not fit the columns.
    """
    manifest = lake.manifest(version.manifest_key)
    spec = merge_of(manifest.spec["merge"])
    if not isinstance(spec, JoinMerge | UnionMerge) or not spec.key:
        raise Conflict("The merge of this version has no key, so its records cannot be looked up.")
    record, _ = find_record(lake, settings, version, manifest, spec, key)
    return record


def explanation(
    lake: Lake,
    settings: Settings,
    datasets: Datasets,
    pages: Pages,
    erasures: Erasures,
    version: Version,
    key: list[str],
    pointer: str,
) -> dict[str, Any]:
    """Where the values of a merged record, or of a part of a merged document, come from.

    A record that was erased has no fields, or only those of other sources; `erased` has its tombstones.

    Args:
        version: a version of a project.
        key: for merges of rows: the record's key, as for `merged_record`.
        pointer: for merges of documents: a JSON Pointer into the document; empty for all of it.

    Raises:
        Conflict: the version keeps no provenance.
        NotFound: there is no such record, or nothing at the pointer.
        Invalid: the key does not fit the columns.
    """
    citer = Citer(lake, settings, pages.get)
    manifest = lake.manifest(version.manifest_key)
    if manifest.document is not None:
        explained = explain_document(manifest, version.number, pointer, datasets, lake, settings, citer)
        return explained | _shown(manifest.erased)
    explainer = Explainer(version, datasets, lake, settings, citer)
    compared = explainer.compared_key(key)
    tombstones = erasures.of(manifest.dataset, key_hash(manifest.dataset, compared)) if compared else []
    try:
        return explainer.explain(key) | _shown(tombstones)
    except NotFound:
        if not tombstones:
            raise
        return {"key": compared, "version": version.number, "fields": {}, **_shown(tombstones)}


def row_explanation(
    lake: Lake, settings: Settings, pages: Pages, version: Version, request: DataRequest, number: int
) -> dict[str, Any]:
    """Where the values of a row of a datasource were received.

    Args:
        version: a version of a datasource.
        request: the conditions and the order of the rows.
        number: the number of the row among them, from 0.

    Returns:
        `{"version", "row", "fields"}`; `fields` has, for each column, `{"value", "missing", "page", "pointer", "exact",
        "expression"}`.

    Raises:
        NotFound: there are fewer rows, or the receipt of the page has expired.
    """
    row = Reader(lake, settings, version).place(request, number)
    if row is None:
        which = " among those that fit the conditions" if request.where else ""
        raise NotFound(f"Version {version.number} has no row {number}, counted from 0{which}.")
    with source_row(lake, settings, version, row) as found:
        values, lacking = found.values, found.lacking
    cited = Citer(lake, settings, pages.get).cite_record(found.manifest, version, found.position, list(values))
    fields = {name: {"value": value, "missing": name in lacking, **cited[name]} for name, value in values.items()}
    return {"version": version.number, "row": row, "fields": fields}


def _shown(tombstones: list[Tombstone]) -> dict[str, Any]:
    return {"erased": [tombstone.model_dump() for tombstone in tombstones]} if tombstones else {}
