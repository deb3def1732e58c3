"""The extract stage on one large page, in a process of its own."""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any

from sluice.domain.run import FetchIndex, PageReceipt, Run
from sluice.extract.extractor import Base, Extractor
from sluice.lake.cache import FileCache
from sluice.settings import Settings
from support.extraction import datasource


class _Lake:
    """The lake's calls that extracting makes: the page comes from a file, and nothing is kept."""

    def __init__(self, page: Path, folder: Path) -> None:
        self._page = page
        self._cache = FileCache(folder, 1 << 40)
        self.rows = 0

    def scratch(self) -> AbstractContextManager[Path]:
        return self._cache.scratch()

    @contextmanager
    def raw(self, content_hash: str) -> Iterator[IO[bytes]]:
        with self._cache.scratch() as path:
            with gzip.open(self._page, "rb") as packed, path.open("wb") as plain:
                shutil.copyfileobj(packed, plain, 1 << 20)
            with path.open("rb") as content:
                yield content

    def put_file(self, key: str, path: Path) -> None:
        return

    def put_json(self, key: str, document: Any) -> None:
        self.rows = document["rows"]


def extracted(page: str, form: str) -> int:
    """Extract a page; how many rows it has."""
    with tempfile.TemporaryDirectory() as folder:
        lake: Any = _Lake(Path(page), Path(folder))
        receipt = PageReceipt(number=1, ok=True, url="drop:d/a", hash="0" * 64, fetched_at="")
        run = Run(id="0" * 26, kind="ingest", datasource="d", created_at="2026-01-01", created_by="test")
        about = {"datasource": "d", "run": run.id, "attempt": 1, "fetched_at": "", "completeness": "complete"}
        index = FetchIndex.model_validate({**about, "pages": [receipt]})
        Extractor(run, datasource(format=form), index, Base(0), lake, Settings()).extract()
        return int(lake.rows)
