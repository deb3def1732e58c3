"""Merging rows: versions on this disk in, one Parquet file and its provenance out. Nothing else is touched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sluice.domain.merge import JoinMerge, RowsMerge
from sluice.domain.override import Override
from sluice.domain.schema import Column
from sluice.errors import MergeFailed
from sluice.lake.parquet import copy_to, engine, quoted
from sluice.merge.field_types import text_notes
from sluice.merge.key_matching import with_normalized_keys
from sluice.merge.lists import lists_of, made_into_lists
from sluice.merge.notes import LostDigits, Notes, OverrideNote
from sluice.merge.overrides import overridden
from sluice.merge.plan import Source, merged_columns
from sluice.merge.provenance import PLACE, in_merge, provenance_columns
from sluice.merge.reshape import reshaped, reshaped_source
from sluice.merge.rules import MOST_SOURCES
from sluice.merge.sql import duplicates_query, keyed_query, nothing_query, stacked_query
from sluice.settings import Settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass
class MergedRows:
    """What a merge of rows has made.

    Args:
        columns: those of the data, in their order.
        key: the key's columns, by their names in the data.
        fields: the fields whose winners provenance names, in its order, by their names in the merge.
        data: the rows, by key.
        notes: what was left out.
        provenance: row for row beside the data; none where rows have no key.
    """

    columns: list[Column]
    key: list[str]
    fields: list[str]
    data: Path
    rows: int
    notes: Notes
    provenance: Path | None = None

    @property
    def warnings(self) -> list[str]:
        """What was left out, as sentences."""
        return self.notes.warnings()


def merge_rows(
    spec: RowsMerge,
    sources: list[Source],
    settings: Settings,
    folder: Path,
    overrides: Sequence[Override] = (),
    *,
    provenance: bool = True,
) -> MergedRows:
    """Merge versions that are on this disk.

    Args:
        sources: best ranked first; those without any column have no records.
        folder: where files may be written.
        provenance: whether it is wanted; a preview does without.

    Raises:
        MergeFailed: the specification does not fit the columns.
    """
    require_few(sources)
    with merging(settings, folder) as connection:
        merge = _Merge(connection, spec, _slugs(sources), folder)
        lost = merge.notes.lost
        prepared = [prepared_source(connection, spec, one, folder, lost) for one in sources if one.columns]
        return merge.merged(prepared, list(overrides), provenance)


def merge_prepared(
    spec: RowsMerge, sources: list[Source], settings: Settings, folder: Path, overrides: Sequence[Override]
) -> MergedRows:
    """Merge sources that `prepared_source` has made what the merge sees: one part of a larger merge.

    Args:
        sources: all of them, best ranked first, with those of their rows that belong to the part.
        folder: where files may be written.

    Raises:
        MergeFailed: the specification does not fit the columns.
    """
    with merging(settings, folder) as connection:
        having = [one for one in sources if one.columns]
        return _Merge(connection, spec, _slugs(sources), folder).merged(having, list(overrides), provenance=True)


def prepared_source(
    connection: DuckDBPyConnection,
    spec: RowsMerge,
    source: Source,
    folder: Path,
    lost: list[LostDigits] | None = None,
) -> Source:
    """A source as the merge sees it: reshaped, with keys as they are compared.

    Args:
        lost: where it is put which digits expressions lose; without it nobody looks.

    Raises:
        MergeFailed: the reshape does not fit the columns.
    """
    made = reshaped_source(connection, source, spec.reshape_of(source.input.datasource), lost)
    return with_normalized_keys(connection, made, spec, folder / "loaded.jsonl")


def require_few(sources: Sequence[object]) -> None:
    """Refuse more datasources than provenance can number.

    Raises:
        MergeFailed: there are too many.
    """
    if len(sources) > MOST_SOURCES:
        raise MergeFailed(f"A project merges at most {MOST_SOURCES} datasources by rows; this one has {len(sources)}.")


@contextmanager
def merging(settings: Settings, folder: Path) -> Iterator[DuckDBPyConnection]:
    """An engine whose errors are told as those of a merge.

    Args:
        folder: where it may spill.

    Raises:
        MergeFailed: the engine gave up.
    """
    import duckdb

    with engine(settings, folder) as connection:
        try:
            yield connection
        except (duckdb.ConversionException, duckdb.OutOfRangeException, duckdb.InvalidInputException) as error:
            raise MergeFailed(f"A value cannot be converted: {str(error).splitlines()[0]}") from None
        except duckdb.OutOfMemoryException:
            raise MergeFailed(
                f"The merge needs more memory than DUCKDB_MEMORY allows ({settings.duckdb_memory})."
            ) from None
        except duckdb.Error as error:
            raise MergeFailed(f"The merge does not fit the data: {str(error).splitlines()[0]}") from None


def _slugs(sources: list[Source]) -> list[str]:
    return [source.input.datasource for source in sources]


class _Merge:
    """Args: datasources: the slugs of all that take part, those without any record included."""

    def __init__(self, connection: DuckDBPyConnection, spec: RowsMerge, datasources: list[str], folder: Path) -> None:
        self._connection = connection
        self._spec = spec
        self._folder = folder
        self._datasources = datasources
        self.notes = Notes(datasources=datasources)

    def merged(self, sources: list[Source], overrides: list[Override], provenance: bool) -> MergedRows:
        scratch = self._folder / "loaded.jsonl"
        columns = merged_columns(self._spec, sources)
        self.notes.texts = text_notes(columns, [one.columns for one in sources])
        query = self._query(sources, columns)
        fields = [column.name for column in columns if column.name not in (self._spec.key or [])]
        carried = provenance_columns(len(sources), len(fields)) if self._spec.key and sources else []
        if overrides and not carried:
            said = f"{len(overrides)} overrides meet no record: the merge has no rows with a key"
            self.notes.overrides.append(OverrideNote(refused=[said]))
        listed = lists_of(self._spec, columns) if carried else []
        changed = bool(listed or (overrides and carried))
        rows = f"({query})"
        if changed:
            # Numbering takes one thread, and a third of the merge's time: only rows that are replaced have a place.
            self._connection.execute(
                f"CREATE TEMP TABLE merged AS SELECT *, row_number() OVER () AS {PLACE} FROM {rows}"
            )
            made_into_lists(self._connection, self._spec, listed, fields, scratch)
            self.notes.overrides += overridden(self._connection, self._spec, columns, overrides, scratch)
            rows = "merged"
        return self._written(rows, columns, fields, carried if provenance else [])

    def _query(self, sources: list[Source], columns: list[Column]) -> str:
        if not sources or self._excluded(sources):
            query = keyed_query(self._spec, sources, columns, set()) if sources else nothing_query(columns)
            return f"SELECT * FROM ({query}) WHERE false"
        if self._spec.key:
            return keyed_query(self._spec, sources, columns, self._repeating(sources, columns))
        # Else a column whose files say that all its values are the same would be written in other bytes.
        self._connection.execute("SET disabled_optimizers = 'statistics_propagation'")
        return stacked_query(sources, columns)

    def _excluded(self, sources: list[Source]) -> bool:
        """Whether a narrower join has no record at all, since a datasource that it needs has none."""
        if not isinstance(self._spec, JoinMerge) or self._spec.join == "full":
            return False
        needed = set(self._datasources)
        if self._spec.join == "left":
            needed = {self._spec.primary or self._datasources[0]}
            if not needed <= set(self._datasources):
                raise MergeFailed(f"The primary datasource {self._spec.primary!r} of the left join has no data yet.")
        return not needed <= {one.input.datasource for one in sources}

    def _repeating(self, sources: list[Source], columns: list[Column]) -> set[str]:
        """Note the rows that a key leaves out; the datasources in which a key comes again."""
        repeating = set()
        by_name = {column.name: column for column in columns}
        key = [by_name[name] for name in self._spec.key or []]
        for source in sources:
            query = duplicates_query(source, key)
            repeated, keyless = self._connection.execute(query).fetchone() or (0, 0)
            slug = source.input.datasource
            self.notes.repeated[slug], self.notes.keyless[slug] = int(repeated), int(keyless)
            if repeated:
                repeating.add(slug)
        return repeating

    def _written(self, rows: str, columns: list[Column], fields: list[str], told: list[str]) -> MergedRows:
        """Write the data and, if there is any to be told, the provenance of `rows`; both keep the order of those."""
        result = self._spec.result
        if not result.empty:
            kept, what = [*map(in_merge, told)], "merge.result"
            query, columns = reshaped(self._connection, rows, columns, result, kept, what, self.notes.lost)
            rows = f"({query})"
        if told and rows != "merged":
            # What is read twice is made once.
            self._connection.execute(f"CREATE TEMP TABLE result AS SELECT * FROM {rows}")
            rows = "result"
        data, count = self._copied(rows, [quoted(column.name) for column in columns], "data.parquet")
        key = [self._spec.result_name(name) for name in self._spec.key or []]
        made = MergedRows(columns, key, fields, data, count, self.notes)
        if told:
            names = [f"{in_merge(name)} AS {name}" for name in told]
            made.provenance, _ = self._copied(rows, names, "provenance.parquet")
        return made

    def _copied(self, rows: str, names: list[str], filename: str) -> tuple[Path, int]:
        path = self._folder / filename
        written = self._connection.execute(f"COPY (SELECT {', '.join(names)} FROM {rows}) {copy_to(path)}").fetchone()
        return path, int(written[0] if written else 0)
