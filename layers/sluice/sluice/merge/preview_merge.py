"""Preview a merge, of published or named versions, with a specification that need not be stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sluice.catalog.assignments import Assigned
from sluice.domain.merge import JoinMerge, UnionMerge
from sluice.domain.override import Override
from sluice.domain.project import Project
from sluice.lake.json_values import json_row
from sluice.lake.parquet import LocalFile, display_query, engine, placed_rows
from sluice.lake.store import Lake
from sluice.merge.documents import size
from sluice.merge.input_versions import InputReader, with_local_files
from sluice.merge.merger import applicable_merge, check_inputs, check_source_names, merge_documents
from sluice.merge.row_merge import merge_rows
from sluice.settings import Settings


def preview(
    project: Project,
    assigned: list[Assigned],
    input_reader: InputReader,
    lake: Lake,
    settings: Settings,
    versions: Mapping[str, int],
    overrides: Sequence[Override],
) -> dict[str, Any]:
    """Return the result of a merge; nothing is written to the lake or the catalog.

    Args:
        project: the project, with the merge to preview.
        assigned: the project's datasources, best ranked first.
        input_reader: reads the versions.
        lake: where inputs are read.
        settings: the engine's limits and the number of rows to return.
        versions: versions to read instead of the published ones, by slug.
        overrides: values that users entered.

    Returns:
        `{"items", "schema", "rows", "completeness", "completeness_reasons", "stale", "warnings", "inputs"}`; the
        first `preview_records` rows, or the document.

    Raises:
        NothingToMerge: no datasource has data.
        MergeFailed: the specification does not fit the columns or the data.
        NotFound: one of `versions` does not exist.
    """
    check_source_names(project.merge, assigned)
    inputs = input_reader.read(assigned, {}, versions)
    check_inputs(project, inputs)
    merge = applicable_merge(project.merge, inputs)
    completeness, reasons = inputs.completeness
    about: dict[str, Any] = {
        "completeness": completeness,
        "completeness_reasons": reasons,
        "stale": [entry.model_dump(mode="json") for entry in inputs.stale],
        "inputs": [source.input.model_dump(mode="json") for source in inputs.sources],
    }
    notes = [*inputs.warnings, *inputs.missing]
    if not isinstance(merge, JoinMerge | UnionMerge):
        document = merge_documents(merge, with_local_files(inputs.sources, lake), lake, settings)
        return {"items": [document], "schema": [], "rows": 1, "size": size(document), "warnings": notes, **about}
    sources = with_local_files(inputs.sources, lake)
    with lake.scratch() as scratch:
        merged = merge_rows(merge, sources, settings, scratch.parent, overrides, provenance=False)
        with engine(settings, scratch.parent) as connection:
            rows = placed_rows([LocalFile(merged.data, None, merged.rows)], merged.columns, [])
            query = f"SELECT * FROM {rows} ORDER BY __sluice_at LIMIT {settings.preview_records}"
            first_rows = connection.execute(display_query(query, merged.columns)).fetchall()
        items = [json_row(merged.columns, row) for row in first_rows]
        schema = [column.model_dump(include={"name", "type", "nullable"}) for column in merged.columns]
        return {"items": items, "schema": schema, "rows": merged.rows, "warnings": [*notes, *merged.warnings], **about}
