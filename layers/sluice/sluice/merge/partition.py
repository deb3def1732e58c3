"""A merge in parts, for inputs that are too large for one call. A part is a range of keys.

Many workers can run each of the three stages. *Sample* reads some keys of some files, from which ranges of about
the same size are computed. *Split* divides the rows of some files by these ranges. *Merge* merges the rows of
all sources in one range, by the same code as a merge in one call. The result depends on the sources' ranks, keys
and values only: the parts in sequence have the rows of a merge in one call in its order, whatever the number of
workers and the division of the rows into files.

The rows of a union without a key are divided by datasource, run, page and row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import Field

from sluice.domain.base import Record
from sluice.domain.merge import RowsMerge
from sluice.domain.override import Override
from sluice.domain.schema import Column, duckdb_type
from sluice.lake.ordered import order_key, range_number
from sluice.lake.parquet import LocalFile, copy_to, literal, quoted
from sluice.merge.notes import LostDigits
from sluice.merge.plan import Source, merged_columns
from sluice.merge.row_merge import MergedRows, check_source_count, merge_engine, merge_prepared, prepare_source
from sluice.merge.sql import key_cells, place_cells
from sluice.settings import Settings

_PART = "__sluice_part"
_KEY = "__sluice_key"
_CARRIED = {"_run": "VARCHAR", "_page": "BIGINT", "_row": "BIGINT", "_missing": "VARCHAR[]", "__sluice_at": "UINTEGER"}
# So many sampled keys per part keep the sizes of the parts equal within a few per cent.
_SAMPLED = 2_000
_MOST_PARTS = 1_000


def part_count(rows: int, size: int, settings: Settings) -> int:
    """Return the number of parts of a merge; 1 means a merge in one call.

    Args:
        rows: the number of rows of all sources.
        size: the size of their files, in bytes.
        settings: the most rows and bytes of a part.
    """
    count = max(-(-rows // settings.merge_partition_rows), -(-size // settings.merge_partition_bytes), 1)
    return min(count, _MOST_PARTS)


def sampling_interval(rows: int, parts: int) -> int:
    """Return n, if one in n keys is sampled.

    Args:
        rows: the number of rows of all sources.
        parts: the number of parts.
    """
    return max(1, rows // (parts * _SAMPLED))


class Sample(Record):
    """The sample of some files of a source.

    Args:
        keys: some of the keys, as the hexadecimal of their sort keys, with the number of rows of each.
        wide: the columns that have whole numbers beyond ±2⁵³.
        lost: notes about expressions that lose digits.
    """

    keys: dict[str, int] = Field(default_factory=dict)
    wide: list[str] = Field(default_factory=list)
    lost: list[LostDigits] = Field(default_factory=list)


@dataclass(frozen=True)
class Partitioner:
    """The stages of one merge in parts.

    Args:
        spec: the merge.
        sources: all inputs, best ranked first, reshaped and without rows.
        columns: the merged columns.
        settings: the engine's limits.
    """

    spec: RowsMerge
    sources: list[Source]
    columns: list[Column]
    settings: Settings

    def sample(self, rank: int, stored: Source, interval: int, folder: Path) -> Sample:
        """Sample the keys of some files of a source.

        Keys are chosen by their hash, not by their position, so that the sample does not depend on the division
        of the rows into files.

        Args:
            rank: the source's rank among those that have columns.
            stored: the source as stored, with some of its files.
            interval: one in so many keys is chosen.
            folder: where the engine may write temporary files.
        """
        with merge_engine(self.settings, folder) as connection:
            lost: list[LostDigits] = []
            source = prepare_source(connection, self.spec, stored, folder, lost)
            wide = [column.name for column in source.columns.values() if column.wide]
            cells = self._cells(rank, source)
            complete = " AND ".join(f"{cell} IS NOT NULL" for cell in cells)
            key_query = f"SELECT {order_key(cells)} AS {_KEY} FROM {source.rows} WHERE {complete}"
            sample_query = (
                f"SELECT hex({_KEY}), count(*) FROM ({key_query}) WHERE hash({_KEY}) % {interval} = 0 GROUP BY 1"
            )
            keys_and_rows = {key: int(rows) for key, rows in connection.execute(sample_query).fetchall()}
            return Sample(keys=keys_and_rows, wide=wide, lost=lost)

    def split(self, rank: int, stored: Source, starts: list[str], folder: Path) -> list[tuple[int, Path]]:
        """Divide the reshaped rows of some files of a source by parts.

        Args:
            rank: the source's rank among those that have columns.
            stored: the source as stored, with some of its files.
            starts: the first key of each part, as `lake.ordered.starts_of` gives them.
            folder: where the files are written.

        Returns:
            The numbers of parts with their Parquet files, in order; a part has no file if it has no rows.
        """
        out = folder / "split"
        with merge_engine(self.settings, folder) as connection:
            source = prepare_source(connection, self.spec, stored, folder)
            names = ", ".join([*map(quoted, source.columns), *source.carried])
            key = order_key(self._cells(rank, source))
            rows = f"SELECT {names}, {key} AS {_KEY} FROM {source.rows}"
            query = f"SELECT {names}, {range_number(_KEY, starts)} AS {_PART} FROM ({rows})"
            # The files need no order: the merge of each part sorts its rows.
            connection.execute(f"COPY ({query}) {copy_to(out, partitioned_by=_PART)}")
        files = [(int(file.parent.name.partition("=")[2]), file) for file in out.glob(f"{_PART}=*/*.parquet")]
        return sorted(files)

    def merge(self, pieces: list[list[Path]], overrides: Sequence[Override], folder: Path) -> MergedRows:
        """Merge one part.

        Args:
            pieces: the files of the part's rows, for each source that has columns.
            overrides: all overrides of the project.
            folder: where the results are written.
        """
        files = iter(pieces)
        sources = [
            replace(source, prepared=_rows_in(source, next(files))) if source.columns else source
            for source in self.sources
        ]
        return merge_prepared(self.spec, sources, self.settings, folder, overrides)

    def _cells(self, rank: int, source: Source) -> list[str]:
        if not self.spec.key:
            return place_cells(rank, source)
        by_name = {column.name: column for column in self.columns}
        return key_cells(source, [by_name[name] for name in self.spec.key])


def make_partitioner(
    spec: RowsMerge, stored: list[Source], wide: list[set[str]], settings: Settings, folder: Path
) -> Partitioner:
    """Prepare the stages of a merge in parts; no rows are read.

    Args:
        spec: the merge.
        stored: all sources as stored, best ranked first.
        wide: for each source, the columns in which the samples have whole numbers beyond ±2⁵³.
        settings: the engine's limits.
        folder: where the engine may write temporary files.

    Raises:
        MergeFailed: the specification does not fit the columns.
    """
    check_source_count(stored)
    with merge_engine(settings, folder) as connection:
        empty = [replace(source, prepared=_rows_in(source, [])) if source.columns else source for source in stored]
        prepared = [prepare_source(connection, spec, source, folder) if source.columns else source for source in empty]
        prepared = [_with_wide(source, names) for source, names in zip(prepared, wide, strict=True)]
    return Partitioner(
        spec, prepared, merged_columns(spec, [source for source in prepared if source.columns]), settings
    )


def _with_wide(source: Source, names: set[str]) -> Source:
    columns = {
        name: column.model_copy(update={"wide": column.wide or name in names})
        for name, column in source.columns.items()
    }
    return replace(source, columns=columns)


def _rows_in(source: Source, files: list[Path]) -> str:
    """Return the SQL of a source's reshaped rows in these files."""
    types = {quoted(column.name): duckdb_type(column.type) for column in source.columns.values()}
    types |= {name: _CARRIED[name] for name in source.carried}
    nothing = f"SELECT {', '.join(f'NULL::{type_} AS {name}' for name, type_ in types.items())} WHERE false"
    if not files:
        return f"({nothing})"
    cells = ", ".join(f"{name}::{type_} AS {name}" for name, type_ in types.items())
    return f"(SELECT {cells} FROM read_parquet([{', '.join(literal(str(file)) for file in files)}]))"


@dataclass(frozen=True)
class Portion:
    """Some consecutive files of one source, which one worker samples or splits.

    Args:
        rank: the source's rank among those that have columns.
        first: the number of the first file within the source.
        count: the number of files.
        first_row: the number of the first row within the source.
    """

    rank: int
    first: int
    count: int
    first_row: int

    def select(self, source: Source, files: list[LocalFile]) -> Source:
        """Return the source with the portion's files only.

        Args:
            source: the whole source.
            files: the portion's local files.
        """
        return replace(source, files=files, first=self.first_row)


def divide_files(rows: list[list[int]], max_rows: int) -> list[Portion]:
    """Divide the files of all sources into portions.

    Args:
        rows: the number of rows of each file, for each source that has columns.
        max_rows: the most rows of a portion; a file that has more is a portion of its own.
    """
    portions: list[Portion] = []
    for rank, files in enumerate(rows):
        first = first_row = row_count = 0
        for number, count in enumerate(files):
            if number > first and row_count + count > max_rows:
                portions.append(Portion(rank, first, number - first, first_row))
                first, first_row, row_count = number, first_row + row_count, 0
            row_count += count
        if files:
            portions.append(Portion(rank, first, len(files) - first, first_row))
    return portions
