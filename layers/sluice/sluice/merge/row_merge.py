"""Merge rows of local files into one Parquet file and its provenance, without access to the lake."""

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
from sluice.merge.key_matching import normalize_keys
from sluice.merge.lists import list_columns, replace_lists
from sluice.merge.notes import LostDigits, Notes, OverrideNote
from sluice.merge.overrides import apply_overrides
from sluice.merge.plan import Source, merged_columns
from sluice.merge.provenance import PLACE, in_merge, provenance_columns
from sluice.merge.reshape import reshape_query, reshape_source
from sluice.merge.rules import MOST_SOURCES
from sluice.merge.sql import duplicates_query, keyed_query, nothing_query, stacked_query
from sluice.settings import Settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass
class MergedRows:
    """The result of a merge of rows.

    Args:
        columns: the columns of the data, in order.
        key: the names of the key's columns in the data.
        fields: the fields whose winners the provenance has, in its order, by their names before the result was
            reshaped.
        data: the Parquet file of the rows, in the order of the keys.
        rows: the number of rows.
        notes: what was left out or changed.
        provenance: the Parquet file of the provenance, row for row beside the data; None if rows have no key.
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
        """The notes as sentences for users."""
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
    """Merge versions whose files are on this disk.

    Args:
        spec: the merge.
        sources: the inputs, best ranked first; a source without columns has no records.
        settings: the engine's limits.
        folder: where the results and temporary files are written.
        overrides: values that users entered.
        provenance: whether to write the provenance; a preview does not.

    Raises:
        MergeFailed: the specification does not fit the columns.
    """
    check_source_count(sources)
    with merge_engine(settings, folder) as connection:
        merge = _Merge(connection, spec, _slugs(sources), folder)
        lost = merge.notes.lost
        prepared = [prepare_source(connection, spec, source, folder, lost) for source in sources if source.columns]
        return merge.run(prepared, list(overrides), provenance)


def merge_prepared(
    spec: RowsMerge, sources: list[Source], settings: Settings, folder: Path, overrides: Sequence[Override]
) -> MergedRows:
    """Merge one part of a larger merge, of sources that `prepare_source` has prepared.

    Args:
        spec: the merge.
        sources: all inputs, best ranked first, with their rows of this part.
        settings: the engine's limits.
        folder: where the results and temporary files are written.
        overrides: all overrides of the project; those of other parts match no record here.

    Raises:
        MergeFailed: the specification does not fit the columns.
    """
    with merge_engine(settings, folder) as connection:
        with_columns = [source for source in sources if source.columns]
        return _Merge(connection, spec, _slugs(sources), folder).run(with_columns, list(overrides), provenance=True)


def prepare_source(
    connection: DuckDBPyConnection,
    spec: RowsMerge,
    source: Source,
    folder: Path,
    lost: list[LostDigits] | None = None,
) -> Source:
    """Reshape a source and normalize its keys, as far as possible in SQL.

    Args:
        connection: the engine; tables of normalized keys are created in it.
        spec: the merge.
        source: the source as stored.
        folder: where temporary files are written.
        lost: receives a note for each expression that loses digits; None: do not check.

    Raises:
        MergeFailed: the reshape does not fit the columns.
    """
    reshaped = reshape_source(connection, source, spec.reshape_of(source.input.datasource), lost)
    return normalize_keys(connection, reshaped, spec, folder / "loaded.jsonl")


def check_source_count(sources: Sequence[object]) -> None:
    """Check that provenance, which stores ranks as UTINYINT, can number the sources.

    Raises:
        MergeFailed: there are more than 250 sources.
    """
    if len(sources) > MOST_SOURCES:
        raise MergeFailed(f"A project merges at most {MOST_SOURCES} datasources by rows; this one has {len(sources)}.")


@contextmanager
def merge_engine(settings: Settings, folder: Path) -> Iterator[DuckDBPyConnection]:
    """Open an engine and convert its errors to `MergeFailed`.

    Args:
        settings: the engine's limits.
        folder: where the engine may spill to disk.

    Raises:
        MergeFailed: a query failed.
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

    def run(self, sources: list[Source], overrides: list[Override], provenance: bool) -> MergedRows:
        scratch = self._folder / "loaded.jsonl"
        columns = merged_columns(self._spec, sources)
        self.notes.texts = text_notes(columns, [source.columns for source in sources])
        query = self._query(sources, columns)
        fields = [column.name for column in columns if column.name not in (self._spec.key or [])]
        carried = provenance_columns(len(sources), len(fields)) if self._spec.key and sources else []
        if overrides and not carried:
            message = f"{len(overrides)} overrides match no record: the merge has no rows with a key"
            self.notes.overrides.append(OverrideNote(refused=[message]))
        listed = list_columns(self._spec, columns) if carried else []
        changed = bool(listed or (overrides and carried))
        rows = f"({query})"
        if changed:
            # row_number() runs on one thread and takes a third of the merge's time, so rows are numbered only if
            # some of their values are replaced.
            self._connection.execute(
                f"CREATE TEMP TABLE merged AS SELECT *, row_number() OVER () AS {PLACE} FROM {rows}"
            )
            replace_lists(self._connection, self._spec, listed, fields, scratch)
            self.notes.overrides += apply_overrides(self._connection, self._spec, columns, overrides, scratch)
            rows = "merged"
        return self._write(rows, columns, fields, carried if provenance else [])

    def _query(self, sources: list[Source], columns: list[Column]) -> str:
        if not sources or self._has_no_records(sources):
            query = keyed_query(self._spec, sources, columns, set()) if sources else nothing_query(columns)
            return f"SELECT * FROM ({query}) WHERE false"
        if self._spec.key:
            return keyed_query(self._spec, sources, columns, self._note_left_out(sources, columns))
        # This optimizer would write a column whose file statistics show a single value in other bytes: the result
        # would depend on how the rows are divided into files.
        self._connection.execute("SET disabled_optimizers = 'statistics_propagation'")
        return stacked_query(sources, columns)

    def _has_no_records(self, sources: list[Source]) -> bool:
        """Return whether a left or inner join has no records, since a datasource that it needs has none."""
        if not isinstance(self._spec, JoinMerge) or self._spec.join == "full":
            return False
        needed = set(self._datasources)
        if self._spec.join == "left":
            needed = {self._spec.primary or self._datasources[0]}
            if not needed <= set(self._datasources):
                raise MergeFailed(f"The primary datasource {self._spec.primary!r} of the left join has no data yet.")
        return not needed <= {source.input.datasource for source in sources}

    def _note_left_out(self, sources: list[Source], columns: list[Column]) -> set[str]:
        """Note the rows that are left out; return the datasources that have several rows for a key."""
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

    def _write(self, rows: str, columns: list[Column], fields: list[str], provenance_names: list[str]) -> MergedRows:
        """Write the data and the provenance of `rows`, both in the order of `rows`."""
        result = self._spec.result
        if not result.empty:
            kept, place = [*map(in_merge, provenance_names)], ("merge", "result")
            query, columns = reshape_query(self._connection, rows, columns, result, kept, place, self.notes.lost)
            rows = f"({query})"
        if provenance_names and rows != "merged":
            # Data and provenance are two COPY statements; without this table the merge would run twice.
            self._connection.execute(f"CREATE TEMP TABLE result AS SELECT * FROM {rows}")
            rows = "result"
        data, count = self._copy(rows, [quoted(column.name) for column in columns], "data.parquet")
        key = [self._spec.result_name(name) for name in self._spec.key or []]
        merged = MergedRows(columns, key, fields, data, count, self.notes)
        if provenance_names:
            names = [f"{in_merge(name)} AS {name}" for name in provenance_names]
            merged.provenance, _ = self._copy(rows, names, "provenance.parquet")
        return merged

    def _copy(self, rows: str, names: list[str], filename: str) -> tuple[Path, int]:
        path = self._folder / filename
        written = self._connection.execute(f"COPY (SELECT {', '.join(names)} FROM {rows}) {copy_to(path)}").fetchone()
        return path, int(written[0] if written else 0)
