"""How much of a page is read at once."""

from __future__ import annotations

from dataclasses import dataclass

from sluice.settings import Settings


@dataclass(frozen=True)
class Limits:
    """Caps of the readers; each is a setting."""

    json_bytes: int
    nesting: int
    columns: int

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """The caps that the settings say."""
        return cls(settings.max_json_bytes, settings.max_nesting, settings.max_columns)
