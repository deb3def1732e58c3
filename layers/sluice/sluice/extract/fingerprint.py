"""What decides about a version's bytes, as one hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import orjson

from sluice import __version__
from sluice.domain.dataset import Manifest
from sluice.domain.datasource import Datasource
from sluice.domain.run import FetchIndex, Run
from sluice.domain.schema import Column
from sluice.extract.known_types import with_known_types
from sluice.lake.parquet import engine_name

# What of a datasource's document decides about the records that its pages give.
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


def fingerprint_of(
    run: Run,
    datasource: Datasource,
    index: FetchIndex,
    before: Manifest | None,
    kept: list[Column] | None = None,
    parts: Sequence[int] = (),
) -> str:
    """A hash of all that decides about a version's bytes: pages, document, release, engine.

    Args:
        before: the version that this one adds to.
        kept: the columns of a version without records, where an earlier version decides about them.
        parts: how many pages each part has, where they are read in parts.
    """
    expressions = set((datasource.fields or {}).values())
    decides: dict[str, Any] = {
        "release": __version__,
        "engine": engine_name(),
        "datasource": datasource.model_dump(mode="json", include=DECIDING),
        # Media type and ending decide about the format where the datasource does not.
        "pages": [
            [page.hash, page.media_type, (page.filename or "").rpartition(".")[2].lower()] for page in index.pages
        ],
        "completeness": index.completeness,
    }
    numbers = [page.number for page in index.pages]
    if numbers != list(range(1, len(numbers) + 1)):
        decides["numbers"] = numbers  # a second reading of the pages goes on counting
    if datasource.brings_file:
        expressions = set()  # the same bytes twice are one version, whenever they came
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
    text = orjson.dumps(decides, option=orjson.OPT_SORT_KEYS)
    return "sha256:" + hashlib.sha256(text).hexdigest()
