"""Reading the pages of one run in parts, side by side: some consecutive pages each.

*read*: each worker reads its pages as if they were all, writes their rows, and leaves what it has seen.
What was seen of all parts says what the run's columns are. *text*: the parts are read again with the types of
columns that are text in the dataset, where there are such. *fit*: parts whose own columns are not the run's are
read again with those. The parts one after the other are then the rows that reading all pages at once gives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from pydantic import Field

import sluice.errors
from sluice.domain.base import Record
from sluice.domain.dataset import DataObject
from sluice.domain.datasource import Datasource
from sluice.domain.run import FetchIndex, PageReceipt, Run
from sluice.domain.schema import Column
from sluice.errors import DataTooLarge, RunError, RunStopped, UnreadableData
from sluice.extract import append_upsert
from sluice.extract.by_record.flatten import Columns
from sluice.extract.by_record.typing import ColumnTypes, TogetherOnlyError
from sluice.extract.column_decision import Among, Seen
from sluice.extract.reading import PageReading
from sluice.extract.records import Records
from sluice.lake import object_keys
from sluice.lake.parquet import copy_to, data_object
from sluice.lake.store import Lake

_AT_ONCE = 16


class Part(Record):
    """What a worker has left.

    Args:
        error: the class of the error because of which there are no rows; `detail` is its text.
        columns: those of the rows.
        seen: what was seen of the pages; `spelled`: the keys; `told`: what was told while records were converted.
        ways: how the texts of columns were read that are read in a way of their own.
    """

    error: str | None = None
    detail: str = ""
    data: DataObject | None = None
    columns: list[Column] = Field(default_factory=list)
    names_columns: bool = False
    seen: dict[str, Any] = Field(default_factory=dict)
    spelled: dict[str, Any] = Field(default_factory=dict)
    told: dict[str, Any] = Field(default_factory=dict)
    ways: dict[str, str] = Field(default_factory=dict)
    notes: list[str] = Field(default_factory=list)
    repeated: dict[str, int] = Field(default_factory=dict)


class Plan(Record):
    """What the workers of one stage have to know.

    Args:
        types: those of columns, whatever the pages and the document say.
        columns: those of the run; none where each part still has its own.
        seen: what was seen of all pages.
        before: how many records there are in front of each part.
    """

    types: dict[str, str] = Field(default_factory=dict)
    columns: list[Column] = Field(default_factory=list)
    seen: dict[str, Any] = Field(default_factory=dict)
    before: list[int] = Field(default_factory=list)


def parts_of(pages: list[PageReceipt], most: int) -> list[list[PageReceipt]]:
    """Consecutive pages of at most so many bytes in all, or a single page that has more."""
    parts: list[list[PageReceipt]] = []
    held = 0
    for page in pages:
        if not parts or held + page.bytes > most:
            parts.append([])
            held = 0
        parts[-1].append(page)
        held += page.bytes
    return parts


@dataclass(frozen=True)
class Together:
    """What all parts are together: the run's columns, and what is to be said."""

    types: ColumnTypes
    spelled: Columns
    columns: list[Column]
    notes: list[str]
    repeated: Counter[str]

    @classmethod
    def of(cls, parts: list[Part], datasource: Datasource, most_columns: int, known: list[str]) -> Together:
        """The parts in the order of their pages.

        Raises:
            TogetherOnlyError: each record must be seen.
            UnreadableData: two keys would be one column, or there are too many.
        """
        types, spelled = ColumnTypes(datasource), Columns(most_columns, known)
        for name in datasource.fields or {}:
            spelled.reserve(name)
        notes: list[str] = []
        repeated: Counter[str] = Counter()
        for part in parts:
            spelled.add(part.spelled)
            types.add(part.seen, spelled)
            notes += [note for note in part.notes if note not in notes]
            repeated.update(part.repeated)
        wide = {spelled.spelling(one.name) for part in parts for one in part.columns if one.wide}
        columns = [one.model_copy(update={"wide": _is_wide(one, wide)}) for one in types.columns(spelled)]
        return cls(types, spelled, columns, notes, repeated)

    def fits(self, part: Part) -> bool:
        """Whether a part's rows are what they would be among all."""
        mine = [(one.name, one.type) for one in self.columns]
        return [(one.name, one.type) for one in part.columns] == mine and part.ways == self.types.ways(self.columns)

    def records(self, parts: list[Part]) -> Records:
        """The records of all parts.

        Args:
            parts: those whose rows are the run's.
        """
        for part in parts:
            self.types.add_told(part.told, self.spelled)
        told = Seen(self.types, self.spelled, self.notes, self.repeated)
        objects = [part.data for part in parts if part.data is not None]
        return Records(
            self.types.with_failures(self.columns),
            sum(one.rows for one in objects),
            "",
            told.warnings(self.types),
            any(part.names_columns for part in parts),
            [one for one in objects if one.rows],
        )


def _is_wide(column: Column, wide: set[str]) -> bool:
    return column.wide or (column.type == "bigint" and column.name in wide)


class ParallelReading:
    """The pages of one run in parts.

    Every stage's result is an object of its own, found by its number: so a worker that is called again
    does the same again, and whoever asks what is to be done next finds it by what is there already.

    Args:
        folder: where the workers leave what the next ones read.
        parts: the pages of each part.
        adds: whether the rows say which run brought them.
        becoming: of the columns that a run has, those that are text in its dataset, with their types there.
    """

    def __init__(
        self,
        run: Run,
        datasource: Datasource,
        index: FetchIndex,
        reading: PageReading,
        lake: Lake,
        folder: str,
        parts: list[list[PageReceipt]],
        *,
        adds: bool,
        becoming: Callable[[list[Column]], dict[str, str]],
    ) -> None:
        self._run = run
        self._datasource = datasource
        self._index = index
        self._reading = reading
        self._lake = lake
        self._folder = folder
        self._adds = adds
        self._becoming = becoming
        self._parts = parts
        self._found: dict[str, dict[int, Part]] = {}

    def next_stage(self, ended: str | None = None) -> tuple[str, list[int]] | None:
        """The stage that comes next and its workers' numbers; none when everything is there.

        Args:
            ended: the stage whose workers have ended just now.

        Raises:
            TogetherOnlyError: the pages must be read by one worker.
            RunError: pages cannot be read; or workers have left nothing.
        """
        every = list(range(len(self._parts)))
        if missing := self._missing("read", every, Plan(), ended):
            return "read", missing
        stage, types = "read", self._becoming(self._together("read", {}).columns)
        if types:
            if missing := self._missing("text", every, Plan(types=types), ended):
                return "text", missing
            stage = "text"
        together = self._together(stage, types)
        positions = "$position" in (self._datasource.fields or {}).values()
        fits = [together.fits(part) and not (positions and number) for number, part in self._found[stage].items()]
        unfit = [number for number in every if not fits[number]]
        plan = Plan(types=types, columns=together.columns, seen=together.types.state(), before=self._before(stage))
        if missing := self._missing("fit", unfit, plan, ended):
            return "fit", missing
        made = {**self._found[stage], **{number: self._found["fit"][number] for number in unfit}}
        self._records = together.records([made[number] for number in every])
        return None

    def records(self) -> Records:
        """The records of all parts, once `next_stage` has said that everything is there."""
        return self._records

    def _together(self, stage: str, types: Mapping[str, str]) -> Together:
        return self._join([self._found[stage][number] for number in range(len(self._parts))], types)

    def _join(self, parts: list[Part], types: Mapping[str, str]) -> Together:
        datasource = self._reading.typed(self._datasource, types)
        try:
            return Together.of(parts, datasource, self._reading.most_columns, self._reading.known)
        except UnreadableData:
            raise TogetherOnlyError from None  # whoever reads all pages says in which one it is

    def _before(self, stage: str) -> list[int]:
        counts = [self._found[stage][number].seen["rows"] for number in range(len(self._parts))]
        return [sum(counts[:number]) for number in range(len(counts))]

    def _missing(self, stage: str, numbers: list[int], plan: Plan, ended: str | None) -> list[int]:
        """Which workers have left nothing yet; their plan is written."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = pool.map(lambda number: self._lake.find_json(self._result(stage, number)), numbers)
            results = dict(zip(numbers, found, strict=True))
        self._found[stage] = {number: Part.model_validate(one) for number, one in results.items() if one is not None}
        for number, part in self._found[stage].items():
            if part.error is not None:
                self._join([one for place, one in self._found[stage].items() if place < number], plan.types)
                raise _error(part)
        missing = [number for number, one in results.items() if one is None]
        if missing and stage == ended:
            raise DataTooLarge(
                f"{len(missing)} of the workers that read pages ended without a result, the first of them that of page "
                f"{self._parts[missing[0]][0].number} and those after it: they ran out of memory, disk or time; lower "
                "EXTRACT_PART_BYTES."
            )
        if missing:
            self._lake.put_json(object_keys.work_plan(self._folder, stage), plan.model_dump(mode="json"))
        return missing

    def _result(self, stage: str, number: int) -> str:
        return object_keys.work_result(self._folder, stage, number)

    # ---------------------------------------------------------------- what workers do

    def work(self, stage: str, number: int) -> None:
        """Do one worker's part of a stage."""
        plan = Plan.model_validate_json(self._lake.get(object_keys.work_plan(self._folder, stage)))
        try:
            part = self._read(stage, number, plan)
        except RunStopped:
            raise
        except RunError as error:
            # Of several errors the run has that of the first page, whichever worker was faster.
            part = Part(error=type(error).__name__, detail=error.detail)
        self._lake.put_json(self._result(stage, number), part.model_dump(mode="json"))

    def _read(self, stage: str, number: int, plan: Plan) -> Part:
        index = self._index.model_copy(update={"pages": self._parts[number]})
        datasource = self._reading.typed(self._datasource, plan.types)
        last: list[tuple[Seen, ColumnTypes, list[Column]]] = []

        def reconcile(seen: Seen) -> tuple[ColumnTypes, list[Column]]:
            types, columns = seen.types, plan.columns or seen.types.columns(seen.spelled)
            if plan.columns:
                types = ColumnTypes(datasource)
                types.add(plan.seen, seen.spelled)
            last[:] = [(seen, types, columns)]
            return types, columns

        expected = {column.name.lower(): column.type for column in plan.columns}
        among = Among(reconcile, expected, plan.before[number] if plan.before else 0)
        with self._lake.scratch() as scratch, ExitStack() as stack:
            reading = self._reading.knowing(column.name for column in plan.columns)
            records, connection = reading.read(self._run, self._datasource, index, stack, scratch, plan.types, among)
            query = append_upsert.with_run(records.query, self._run.id) if self._adds else records.query
            path = scratch.with_name("part.parquet")
            connection.execute(f"COPY ({query}) {copy_to(path)}")
            data = data_object(object_keys.work_rows(self._folder, stage, number), path, records.count)
            self._lake.put_file(data.key, path)
        seen, types, columns = last[-1]
        return Part(
            data=data,
            columns=records.columns,
            names_columns=records.names_columns,
            seen=seen.types.state(),
            spelled=seen.spelled.state(),
            told=types.told(),
            ways=types.ways(columns),
            notes=seen.notes,
            repeated=dict(seen.repeated),
        )


def _error(part: Part) -> RunError:
    found = getattr(sluice.errors, part.error or "", UnreadableData)
    return found(part.detail)
