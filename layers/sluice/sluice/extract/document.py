"""The selected document of a version, as gzipped JSON: what document merges read."""

from __future__ import annotations

import gzip
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sluice.domain.json_text import dumps


class DocumentFile:
    """Written value after value; lists of several pages become one list.

    The same values give the same bytes: gzip's time is left out.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._packed = gzip.GzipFile("", "wb", fileobj=self._file, mtime=0, compresslevel=6)
        self._begun = False
        self._whole: bytes | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._finish()
        self._packed.close()
        self._file.close()

    def whole(self, value: Any) -> None:
        """The document of a single page, if it is no list."""
        self._whole = dumps(value)

    def element(self, value: Any) -> None:
        """One more element of a list."""
        self._packed.write((b"," if self._begun else b"[") + dumps(value))
        self._begun = True

    def _finish(self) -> None:
        if self._whole is not None:
            self._packed.write(self._whole)
        else:
            self._packed.write(b"]" if self._begun else b"[]")
