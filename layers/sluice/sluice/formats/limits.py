"""Caps for how much of a page is read."""

from __future__ import annotations

from dataclasses import dataclass

from sluice.settings import Settings


@dataclass(frozen=True)
class Limits:
    """Caps of the readers; each is a setting.

    Args:
        document_bytes: the most bytes of a document that is parsed as a whole.
        document_memory: the most bytes of memory that such a document may take, by estimate.
        cells: the most cells of a sheet.
        directory_bytes: the largest directory of an archive or footer of a Parquet file.
        unpacked_bytes: the most bytes of a page after unpacking, and of Parquet decoded at a time.
        decoded_bytes: the most bytes of text, lists and binary data in a Parquet file after decoding.
        nesting: the deepest nesting of a document.
        columns: the most columns of a dataset.
        field_growth: the most characters that the fields of a page's records may write beyond what is usual.
    """

    document_bytes: int
    document_memory: int
    cells: int
    directory_bytes: int
    unpacked_bytes: int
    decoded_bytes: int
    nesting: int
    columns: int
    field_growth: int

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """The caps from the settings."""
        return cls(
            document_bytes=settings.max_document_bytes,
            document_memory=settings.max_document_memory,
            cells=settings.max_cells,
            directory_bytes=settings.max_directory_bytes,
            unpacked_bytes=settings.max_unpacked_bytes,
            decoded_bytes=settings.max_decoded_bytes,
            nesting=settings.max_nesting,
            columns=settings.max_columns,
            field_growth=settings.max_field_growth,
        )
