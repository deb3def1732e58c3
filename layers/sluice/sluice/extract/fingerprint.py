"""The fingerprint of a version of records: what decides about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sluice.domain.dataset import Manifest
from sluice.domain.datasource import Datasource
from sluice.domain.run import FetchIndex, Run
from sluice.domain.schema import Column
from sluice.extract.known_types import with_known_types
from sluice.versions.fingerprint import fingerprint_of

# The fields of a datasource that decide about the records of its pages.
DECIDING = {
    "kind",
    "format",
    "csv",
    "xlsx",
    "records",
    "allow_missing",
    "fields",
    "types",
    "primary_key",
    "write_disposition",
}


def records_fingerprint(
    run: Run,
    datasource: Datasource,
    index: FetchIndex,
    before: Manifest | None,
    kept: list[Column] | None = None,
    parts: Sequence[int] = (),
) -> str:
    """Hash everything that decides about a version's bytes: pages, document, release, engine.

    Equal fingerprints mean equal bytes, so a version can be reused instead of written again.

    Args:
        run: the run.
        datasource: the document.
        index: the pages.
        before: the manifest of the version that this one adds to; None if it stands alone.
        kept: the columns of a version without records, if an earlier version decides about them.
        parts: the number of pages of each part, if they are read in parts.

    Returns:
        `sha256:` and 64 hexadecimal digits.
    """
    expressions = set((datasource.fields or {}).values())
    decides: dict[str, Any] = {
        # Another release or engine may write other bytes for the same pages.
        "datasource": datasource.model_dump(mode="json", include=DECIDING),
        # Media type and file extension decide about the format if the datasource does not declare it.
        "pages": [
            [page.hash, page.media_type, (page.filename or "").rpartition(".")[2].lower()] for page in index.pages
        ],
        "completeness": index.completeness,
    }
    numbers = [page.number for page in index.pages]
    if numbers != list(range(1, len(numbers) + 1)):
        decides["numbers"] = numbers  # a second reading of the pages continues the numbers
    if datasource.brings_file:
        expressions = set()  # equal files give one version, whenever they were dropped
    if "$run" in expressions:
        decides["run"] = run.id
    if "$fetched_at" in expressions:
        decides["fetched_at"] = [page.fetched_at for page in index.pages]
    if datasource.write_disposition != "replace":
        decides |= {"run": run.id, "before": before.fingerprint if before is not None else None}
    if kept is not None:
        decides["columns"] = [column.model_dump() for column in kept]
    if any(page.columns for page in index.pages):
        decides["types"] = with_known_types(datasource, index).types
    if len(parts) > 1:
        decides["parts"] = list(parts)
    return fingerprint_of(decides)
