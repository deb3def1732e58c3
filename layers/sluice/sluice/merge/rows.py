"""Merging rows: versions on this disk in, one Parquet file and its provenance out. Nothing else is touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sluice.domain.merge import JoinMerge, RowsMerge
from sluice.domain.override import Override
from sluice.domain.schema import Column
from sluice.errors import MergeFailed
from sluice.lake.parquet import copy_to, engine, quoted
from sluice.merge.keys import with_normalized_keys
from sluice.merge.lists import lists_of, made_into_lists
from sluice.merge.overrides import overridden
from sluice.merge.plan import Source, merged_columns
from sluice.merge.provenance import PLACE, in_merge, provenance_columns
from sluice.merge.reshape import reshaped, reshaped_source
from sluice.merge.rules import MOST_SOURCES
from sluice.merge.sql import duplicates_query, keyed_query, nothing_query, stacked_query
from sluice.merge.types import text_notes
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
        provenance: row for row beside the data; none where rows have no key.
    """

    columns: list[Column]
    key: list[str]
    fields: list[str]
    data: Path
    rows: int
    provenance: Path | None = None
    warnings: list[str] = field(default_factory=list)


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
    if len(sources) > MOST_SOURCES:
        raise MergeFailed(f"A project merges at most {MOST_SOURCES} datasources by rows; this one has {len(sources)}.")
    import duckdb

    with engine(settings, folder) as connection:
        try:
            return _Merge(connection, spec, sources, folder).merged(list(overrides), provenance)
        except (duckdb.ConversionException, duckdb.OutOfRangeException, duckdb.InvalidInputException) as error:
            raise MergeFailed(f"A value cannot be converted: {str(error).splitlines()[0]}") from None
        except duckdb.OutOfMemoryException:
            raise MergeFailed(
                f"The merge needs more memory than DUCKDB_MEMORY allows ({settings.duckdb_memory})."
            ) from None
        except duckdb.Error as error:
            raise MergeFailed(f"The merge does not fit the data: {str(error).splitlines()[0]}") from None


class _Merge:
    def __init__(self, connection: DuckDBPyConnection, spec: RowsMerge, sources: list[Source], folder: Path) -> None:
        self._connection = connection
        self._spec = spec
        self._folder = folder
        self._all = sources
        self._warnings: list[str] = []

    def merged(self, overrides: list[Override], provenance: bool) -> MergedRows:
        scratch = self._folder / "loaded.jsonl"
        having = [source for source in self._all if source.columns]
        sources = [
            reshaped_source(self._connection, one, self._spec.reshape_of(one.input.datasource), self._warnings)
            for one in having
        ]
        sources = [with_normalized_keys(self._connection, one, self._spec, scratch) for one in sources]
        columns = merged_columns(self._spec, sources)
        self._warnings += text_notes(columns, [one.columns for one in sources])
        query = self._query(sources, columns)
        fields = [column.name for column in columns if column.name not in (self._spec.key or [])]
        carried = provenance_columns(len(sources), len(fields)) if self._spec.key and sources else []
        if overrides and not carried:
            self._warnings.append(f"{len(overrides)} overrides meet no record: the merge has no rows with a key")
        listed = lists_of(self._spec, columns) if carried else []
        changed = bool(listed or (overrides and carried))
        rows = f"({query})"
        if changed:
            # Numbering takes one thread, and a third of the merge's time: only rows that are replaced have a place.
            self._connection.execute(
                f"CREATE TEMP TABLE merged AS SELECT *, row_number() OVER () AS {PLACE} FROM {rows}"
            )
            made_into_lists(self._connection, self._spec, listed, fields, scratch)
            self._warnings += overridden(self._connection, self._spec, columns, overrides, scratch)
            rows = "merged"
        return self._written(rows, columns, fields, carried if provenance else [])

    def _query(self, sources: list[Source], columns: list[Column]) -> str:
        if not sources or self._excluded(sources):
            query = keyed_query(self._spec, sources, columns, set()) if sources else nothing_query(columns)
            return f"SELECT * FROM ({query}) WHERE false"
        if self._spec.key:
            return keyed_query(self._spec, sources, columns, self._repeating(sources, columns))
        return stacked_query(sources, columns)

    def _excluded(self, sources: list[Source]) -> bool:
        """Whether a narrower join has no record at all, since a datasource that it needs has none."""
        if not isinstance(self._spec, JoinMerge) or self._spec.join == "full":
            return False
        needed = {one.input.datasource for one in self._all}
        if self._spec.join == "left":
            first = self._all[0].input.datasource
            needed = {self._spec.primary or first}
            if not needed <= {one.input.datasource for one in self._all}:
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
            if repeated:
                repeating.add(slug)
                said = f"{slug}: {repeated} rows have a key that comes again later; the last of each is used"
                self._warnings.append(said)
            if keyless:
                self._warnings.append(f"{slug}: {keyless} rows lack a value in the key and were left out")
        return repeating

    def _written(self, rows: str, columns: list[Column], fields: list[str], told: list[str]) -> MergedRows:
        """Write the data and, if there is any to be told, the provenance of `rows`; both keep the order of those."""
        result = self._spec.result
        if not result.empty:
            kept, what = [*map(in_merge, told)], "merge.result"
            query, columns = reshaped(self._connection, rows, columns, result, kept, what, self._warnings)
            rows = f"({query})"
        if told and rows != "merged":
            # What is read twice is made once.
            self._connection.execute(f"CREATE TEMP TABLE result AS SELECT * FROM {rows}")
            rows = "result"
        data, count = self._copied(rows, [quoted(column.name) for column in columns], "data.parquet")
        key = [self._spec.result_name(name) for name in self._spec.key or []]
        made = MergedRows(columns, key, fields, data, count, warnings=self._warnings)
        if told:
            names = [f"{in_merge(name)} AS {name}" for name in told]
            made.provenance, _ = self._copied(rows, names, "provenance.parquet")
        return made

    def _copied(self, rows: str, names: list[str], filename: str) -> tuple[Path, int]:
        path = self._folder / filename
        written = self._connection.execute(f"COPY (SELECT {', '.join(names)} FROM {rows}) {copy_to(path)}").fetchone()
        return path, int(written[0] if written else 0)
