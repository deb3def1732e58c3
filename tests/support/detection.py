"""Proposals for the addresses of a stub upstream, and runs of what is proposed."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import IO, Any

from sluice.domain.datasource import HttpDatasource
from sluice.domain.datasource.http_source import NoAuth
from sluice.domain.run import PageReceipt
from sluice.extract.by_record.record_reader import RecordReader
from sluice.extract.preview_dataset import Preview, preview_run
from sluice.formats.limits import Limits
from sluice.lake.parquet import engine
from sluice.settings import Settings
from sluice.sources.http.detection.detector import Detection, Detector
from support.fetch_stage import FetchStage
from support.upstream import Upstream

SETTINGS = Settings(duckdb_threads=1)


def detect(upstream: Upstream, url: str, **settings: Any) -> Detection:
    """The proposal for an address, with no secrets and no other datasources."""
    options = SETTINGS.model_copy(update=settings)
    detector = Detector(url, NoAuth(type="none"), options, lambda name: "", upstream.transport, lambda slug: False)
    return detector.detect(sample)


def sample(datasource: HttpDatasource, receipt: PageReceipt, content: IO[bytes]) -> dict[str, Any]:
    run, limits = preview_run(datasource.slug), Limits.of(SETTINGS)
    preview = Preview(run, datasource, limits, SETTINGS.detect_sample, SETTINGS.detect_records)
    preview.add_page(receipt, content)
    return preview.response(1)


def reason(detection: Detection, pointer: str) -> Any:
    return next(reason for reason in detection.reasons if reason.pointer == pointer)


def ingested(upstream: Upstream, document: dict[str, Any]) -> tuple[str, list[dict[str, Any]], list[str]]:
    """The completeness, rows and warnings of a run with a document: the fetch stage, then the reading of its pages."""
    stage = FetchStage(document, upstream.transport())
    index = stage.fetch()
    warnings: list[str] = []
    with tempfile.TemporaryDirectory() as folder, engine(SETTINGS, Path(folder)) as connection:
        reader = RecordReader(Path(folder) / "rows.jsonl", lambda _: None, warnings)
        lake: Any = stage.lake
        records = reader.read(stage.run, stage.datasource, index, lake, Limits.of(SETTINGS))
        relation = connection.execute(f"SELECT * FROM ({records.query})")
        names = [name for name, *_ in relation.description or []]
        rows = [
            {name: value for name, value in zip(names, row, strict=True) if name not in ("_page", "_row", "_missing")}
            for row in relation.fetchall()
        ]
    return index.completeness, rows, warnings + records.warnings


def numbered(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"id": number, **more} for number in range(count)]
