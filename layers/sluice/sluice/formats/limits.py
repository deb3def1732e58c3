"""How much of a page is read at once."""

from __future__ import annotations

from dataclasses import dataclass

from sluice.settings import Settings


@dataclass(frozen=True)
class Limits:
    """Caps of the readers; each is a setting.

    Args:
        document_bytes: the most that a document which is read at once may have.
        unpacked_bytes: the most that a packed page may have once unpacked.
        nesting: the deepest nesting of a document.
        columns: the most columns of a dataset.
    """

    document_bytes: int
    unpacked_bytes: int
    nesting: int
    columns: int

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """The caps that the settings say."""
        return cls(settings.max_document_bytes, settings.max_unpacked_bytes, settings.max_nesting, settings.max_columns)
