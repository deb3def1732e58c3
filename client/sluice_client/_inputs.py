"""Inputs of algorithms: versioned documents."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sluice_client._connection import decoded, segment
from sluice_client._handles import Handle, save
from sluice_client._sharing import Shareable

if TYPE_CHECKING:
    from sluice_client._client import Sluice
    from sluice_client.types import InputChange, InputImportView, InputVersionView, InputView

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Input(Handle["InputView"], Shareable):
    """An input: a document with all of its versions.

    Args:
        sluice: the client.
        slug: the input's slug.
    """

    def __init__(self, sluice: Sluice, slug: str) -> None:
        super().__init__(sluice, f"/inputs/{segment(slug)}", slug)

    def get(self, version: int | None = None) -> InputView:
        """A version with its document.

        Args:
            version: its number; default: the latest.

        Raises:
            NotFound: there is no such input or version, or the input is deleted and no version is named.
        """
        view: InputView = self._sluice.get(self._path, version=version)
        self._document = cast("Mapping[str, Any]", {name: view[name] for name in ("kind", "version", "comment")})
        return view

    def put(
        self,
        document: Mapping[str, Any],
        kind: str | None = None,
        comment: str | None = None,
        etag: str | None = None,
    ) -> InputView:
        """Store a document as a new version, unless it is that of the latest one.

        Args:
            document: JSON values.
            kind: the kind of input, such as `topology`; it never changes. None: that of the input, and `document` for a
                new one.
            comment: what this version changes, and why.
            etag: the `etag` that the input must have; None: any.

        Raises:
            ValidationError: the document is not valid; `errors` points to each fault.
            PreconditionFailed: the input has another `etag`.
        """
        body = {"kind": kind, "document": document, "comment": comment}
        headers = {} if etag is None else {"If-Match": f'"{etag}"'}
        view: InputView = self._sluice.put(self._path, body, headers=headers)
        return view

    def versions(self, limit: int | None = None) -> Iterator[InputVersionView]:
        """The versions, newest first, without their documents; at most `limit`. A deleted input has them, too."""
        return self._sluice.items(f"{self._path}/versions", limit=limit)

    def restore(self, version: int | None = None, comment: str | None = None) -> InputView:
        """Make the document of an old version the latest one; a deleted input is there again.

        Args:
            version: the old version; default: the latest.
            comment: why; default: `Restored version N.`

        Raises:
            NotFound: there never was such an input.
            ValidationError: there is no such version.
        """
        view: InputView = self._sluice.post(f"{self._path}/restore", {"version": version, "comment": comment})
        return view

    def diff(self, older: int | None = None, newer: int | None = None) -> Iterator[InputChange]:
        """The differences between two versions.

        Args:
            older: the older version; default: the one before `newer`.
            newer: the newer version; default: the latest.

        Raises:
            NotFound: there is no such version.
        """
        return self._sluice.items(f"{self._path}/diff", **{"from": older, "to": newer})

    def import_workbook(
        self,
        path: str | os.PathLike[str],
        kind: str | None = None,
        comment: str | None = None,
        *,
        check: bool = False,
    ) -> InputImportView:
        """Store the document in an XLSX workbook as a new version.

        Args:
            path: of the workbook.
            kind: the kind of input; needed unless the input exists.
            comment: what this version changes, and why.
            check: only check the workbook, and store nothing.

        Raises:
            ValidationError: the workbook has errors; `errors` names the sheet, row and column of each.
        """
        params = {"kind": kind, "comment": comment, "check": check or None}
        content, headers = Path(path).read_bytes(), {"Content-Type": _XLSX}
        answer = self._sluice.request("POST", f"{self._path}/import", params=params, content=content, headers=headers)
        view: InputImportView = decoded(answer)
        return view

    def delete(self, *, force: bool = False) -> None:
        """Delete the input; its versions stay, and `restore` recovers it.

        Args:
            force: delete it even if projects pin it; they go on with the versions that they pin.

        Raises:
            Conflict: projects pin it, and `force` is false.
        """
        self._sluice.delete(self._path, force=force or None)


def save_template(sluice: Sluice, kind: str, path: str | os.PathLike[str]) -> Path:
    """Write a blank workbook of a kind to a file; see `Sluice.input_template`."""
    return save(sluice, f"/inputs/templates/{segment(kind)}", {}, Path(path))
