"""A merge that is tried: on present or named versions, with a specification that nobody has stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sluice.catalog.assignments import Assigned
from sluice.domain.merge import JoinMerge, UnionMerge
from sluice.domain.override import Override
from sluice.domain.project import Project
from sluice.lake.json_values import json_row
from sluice.lake.parquet import LocalFile, engine, placed_rows, shown_query
from sluice.lake.store import Lake
from sluice.merge.documents import size
from sluice.merge.input_versions import Gatherer, on_disk
from sluice.merge.merger import merged_document, require_inputs, require_known_sources
from sluice.merge.row_merge import merge_rows
from sluice.settings import Settings


def preview(
    project: Project,
    assigned: list[Assigned],
    gatherer: Gatherer,
    lake: Lake,
    settings: Settings,
    versions: Mapping[str, int],
    overrides: Sequence[Override],
) -> dict[str, Any]:
    """What a merge would make; nothing is written to the lake or the catalog.

    Args:
        project: with the merge that is tried.
        versions: versions to be read instead of the published ones.

    Returns:
        `{"items", "schema", "rows", "completeness", "completeness_reasons", "warnings", "inputs"}`; the first
        `preview_records` rows, or the document.

    Raises:
        NothingToMerge, MergeFailed, NotFound: as a refresh would end.
    """
    require_known_sources(project.merge, assigned)
    inputs = gatherer.gather(assigned, {}, versions)
    require_inputs(project, inputs)
    completeness, reasons = inputs.completeness
    told: dict[str, Any] = {
        "completeness": completeness,
        "completeness_reasons": reasons,
        "inputs": [source.input.model_dump(mode="json") for source in inputs.sources],
    }
    notes = [*inputs.warnings, *inputs.missing]
    if not isinstance(project.merge, JoinMerge | UnionMerge):
        document = merged_document(project.merge, on_disk(inputs.sources, lake), lake, settings)
        return {"items": [document], "schema": [], "rows": 1, "size": size(document), "warnings": notes, **told}
    sources = on_disk(inputs.sources, lake)
    with lake.scratch() as scratch:
        made = merge_rows(project.merge, sources, settings, scratch.parent, overrides, provenance=False)
        with engine(settings, scratch.parent) as connection:
            rows = placed_rows([LocalFile(made.data, None, made.rows)], made.columns, [])
            query = f"SELECT * FROM {rows} ORDER BY __sluice_at LIMIT {settings.preview_records}"
            found = connection.execute(shown_query(query, made.columns)).fetchall()
        items = [json_row(made.columns, row) for row in found]
        schema = [one.model_dump(include={"name", "type", "nullable"}) for one in made.columns]
        return {"items": items, "schema": schema, "rows": made.rows, "warnings": [*notes, *made.warnings], **told}
