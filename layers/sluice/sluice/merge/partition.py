"""Parts of a merge that is too large for one call: ranges of its keys, each merged on its own.

Three stages, each of which many workers can do side by side. *Sample*: which keys a file has, a few of
them, so that ranges of about the same size can be drawn. *Split*: the rows of a file by those ranges.
*Merge*: all sources' rows of one range, by the same code as a whole merge. The sources' order, keys and
values decide everything: the parts, one after the other, are the rows of the whole merge in its order,
however many workers there are and however the rows lie in files.

Rows without a key, of a union, are divided by where they stand: datasource, run, page, row.
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
from sluice.lake.ordered import order_key, range_of
from sluice.lake.parquet import LocalFile, copy_to, literal, quoted
from sluice.merge.notes import LostDigits
from sluice.merge.plan import Source, merged_columns
from sluice.merge.row_merge import MergedRows, merge_prepared, merging, prepared_source, require_few
from sluice.merge.sql import key_cells, place_cells
from sluice.settings import Settings

_PART = "__sluice_part"
_KEY = "__sluice_key"
_CARRIED = {"_run": "VARCHAR", "_page": "BIGINT", "_row": "BIGINT", "_missing": "VARCHAR[]", "__sluice_at": "UINTEGER"}
# So many keys of a part are enough to draw its borders within a few hundredths of its size.
_SAMPLED = 2_000
_MOST_PARTS = 1_000


def parts_for(rows: int, size: int, settings: Settings) -> int:
    """Into how many parts a merge is divided: 1 means that it is not.

    Args:
        rows: of all sources.
        size: of their files, in bytes.
    """
    wanted = max(-(-rows // settings.merge_partition_rows), -(-size // settings.merge_partition_bytes), 1)
    return min(wanted, _MOST_PARTS)


def sampled_one_in(rows: int, parts: int) -> int:
    """Of how many keys one is looked at to draw the parts' borders."""
    return max(1, rows // (parts * _SAMPLED))


class Sample(Record):
    """What is known of some files of a source.

    Args:
        keys: some of the keys, and how many rows have each.
        wide: the columns with whole numbers whose digits a double would lose.
        lost: the digits that expressions lose.
    """

    keys: dict[str, int] = Field(default_factory=dict)
    wide: list[str] = Field(default_factory=list)
    lost: list[LostDigits] = Field(default_factory=list)


@dataclass(frozen=True)
class Partitioner:
    """The stages of one merge in parts.

    Args:
        sources: all that take part, best ranked first, as the merge sees them; their rows are not read.
        columns: those that the merge makes.
    """

    spec: RowsMerge
    sources: list[Source]
    columns: list[Column]
    settings: Settings

    def sample(self, rank: int, stored: Source, one_in: int, folder: Path) -> Sample:
        """What must be known of a source's rows before they are divided.

        Keys are chosen by what they are, not by where they stand: the same rows give the same ones.

        Args:
            rank: the source's place among those that have columns.
            stored: the source with some of its files, as they are stored.
        """
        with merging(self.settings, folder) as connection:
            lost: list[LostDigits] = []
            source = prepared_source(connection, self.spec, stored, folder, lost)
            wide = [one.name for one in source.columns.values() if one.wide]
            cells = self._cells(rank, source)
            whole = " AND ".join(f"{cell} IS NOT NULL" for cell in cells)
            keys = f"SELECT {order_key(cells)} AS {_KEY} FROM {source.rows} WHERE {whole}"
            chosen = f"SELECT hex({_KEY}), count(*) FROM ({keys}) WHERE hash({_KEY}) % {one_in} = 0 GROUP BY 1"
            found = {key: int(rows) for key, rows in connection.execute(chosen).fetchall()}
            return Sample(keys=found, wide=wide, lost=lost)

    def split(self, rank: int, stored: Source, starts: list[str], folder: Path) -> list[tuple[int, Path]]:
        """The rows of a source's files, as the merge sees them, by parts: each with one or more files, or none."""
        out = folder / "split"
        with merging(self.settings, folder) as connection:
            source = prepared_source(connection, self.spec, stored, folder)
            names = ", ".join([*map(quoted, source.columns), *source.carried])
            key = order_key(self._cells(rank, source))
            rows = f"SELECT {names}, {key} AS {_KEY} FROM {source.rows}"
            query = f"SELECT {names}, {range_of(_KEY, starts)} AS {_PART} FROM ({rows})"
            connection.execute(f"COPY ({query}) {copy_to(out, partitioned_by=_PART)}")
        found = [(int(file.parent.name.partition("=")[2]), file) for file in out.glob(f"{_PART}=*/*.parquet")]
        return sorted(found)

    def merge(self, pieces: list[list[Path]], overrides: Sequence[Override], folder: Path) -> MergedRows:
        """One part of the merge.

        Args:
            pieces: the files of the part's rows, for each source that has columns.
        """
        files = iter(pieces)
        sources = [replace(one, prepared=_rows_in(one, next(files))) if one.columns else one for one in self.sources]
        return merge_prepared(self.spec, sources, self.settings, folder, overrides)

    def _cells(self, rank: int, source: Source) -> list[str]:
        if not self.spec.key:
            return place_cells(rank, source)
        by_name = {column.name: column for column in self.columns}
        return key_cells(source, [by_name[name] for name in self.spec.key])


def partitioner(
    spec: RowsMerge, stored: list[Source], wide: list[set[str]], settings: Settings, folder: Path
) -> Partitioner:
    """What a merge in parts has to know of its sources, of which no row is read.

    Args:
        stored: all sources, best ranked first, as they are stored.
        wide: the columns of each whose whole numbers were found to be wide; of those without columns nothing.

    Raises:
        MergeFailed: the specification does not fit the columns.
    """
    require_few(stored)
    with merging(settings, folder) as connection:
        empty = [replace(one, prepared=_rows_in(one, [])) if one.columns else one for one in stored]
        seen = [prepared_source(connection, spec, one, folder) if one.columns else one for one in empty]
        seen = [_with_wide(one, names) for one, names in zip(seen, wide, strict=True)]
    return Partitioner(spec, seen, merged_columns(spec, [one for one in seen if one.columns]), settings)


def _with_wide(source: Source, names: set[str]) -> Source:
    columns = {
        name: column.model_copy(update={"wide": column.wide or name in names})
        for name, column in source.columns.items()
    }
    return replace(source, columns=columns)


def _rows_in(source: Source, files: list[Path]) -> str:
    """The SQL of rows as the merge sees them, which are in these files."""
    kinds = {quoted(one.name): duckdb_type(one.type) for one in source.columns.values()}
    kinds |= {name: _CARRIED[name] for name in source.carried}
    nothing = f"SELECT {', '.join(f'NULL::{kind} AS {name}' for name, kind in kinds.items())} WHERE false"
    if not files:
        return f"({nothing})"
    cells = ", ".join(f"{name}::{kind} AS {name}" for name, kind in kinds.items())
    return f"(SELECT {cells} FROM read_parquet([{', '.join(literal(str(file)) for file in files)}]))"


@dataclass(frozen=True)
class Portion:
    """Some consecutive files of one source: what one worker samples or splits.

    Args:
        rank: the source's place among those that have columns.
        first: the number of its first file among the source's.
        count: of its files.
        place: of its first row among the source's rows.
    """

    rank: int
    first: int
    count: int
    place: int

    def of(self, source: Source, files: list[LocalFile]) -> Source:
        """The source with these files of the portion alone."""
        return replace(source, files=files, first=self.place)


def portions(rows: list[list[int]], most: int) -> list[Portion]:
    """The files of all sources in portions of at most so many rows, or of one file that has more.

    Args:
        rows: how many each file has, for each source that has columns.
    """
    made: list[Portion] = []
    for rank, files in enumerate(rows):
        first = place = held = 0
        for number, count in enumerate(files):
            if number > first and held + count > most:
                made.append(Portion(rank, first, number - first, place))
                first, place, held = number, place + held, 0
            held += count
        if files:
            made.append(Portion(rank, first, len(files) - first, place))
    return made
