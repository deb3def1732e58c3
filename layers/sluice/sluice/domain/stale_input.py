"""Datasources that could not be fetched, and the earlier versions that stand in for them."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from sluice.domain.base import Record

_MAX_ERROR_CHARACTERS = 500


class IngestFailure(Record):
    """The latest ingest of a datasource, if it brought no usable data and none has since.

    Args:
        run: the ingest run.
        at: when it ended, RFC 3339.
        error: why, as a sentence for users.
    """

    run: str
    at: str
    error: str


class StaleInput(Record):
    """An earlier version that stood in for a datasource that could not be fetched."""

    datasource: str = Field(description="The slug of the datasource that could not be fetched.")
    version: int = Field(description="The earlier version that is used instead.")
    data_as_of: str = Field(description="When the data of that version was fetched or last found unchanged.")
    error: str = Field(description="Why the datasource could not be fetched.")

    @property
    def sentence(self) -> str:
        """The entry as a sentence for users."""
        return (
            f"{self.datasource}: {self.error.removesuffix('.')}. Using version {self.version} from {self.data_as_of}."
        )


def stale_input(datasource: str, version: int, data_as_of: str, error: str) -> StaleInput:
    """An entry whose error is cut to a length that fits into every place where it is stored."""
    if len(error) > _MAX_ERROR_CHARACTERS:
        error = error[: _MAX_ERROR_CHARACTERS - 1] + "…"
    return StaleInput(datasource=datasource, version=version, data_as_of=data_as_of, error=error)


def distinct(entries: Iterable[StaleInput]) -> list[StaleInput]:
    """Entries without repetitions, ordered by datasource; of one datasource, the first entry is kept."""
    by_datasource: dict[str, StaleInput] = {}
    for entry in entries:
        by_datasource.setdefault(entry.datasource, entry)
    return [by_datasource[slug] for slug in sorted(by_datasource)]
