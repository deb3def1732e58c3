"""Reading the pages of one run in parts by several workers, each of which reads consecutive pages.

1. *read*: each worker reads its pages as if they were all, writes their rows, and stores its observations. The
   observations of all parts together decide on the run's columns.
2. *text*: if columns are text in the dataset but were read as another type, the parts are read again with them as
   text.
3. *fit*: parts whose own columns differ from the run's are read again with the run's.

The rows of the parts, in order, are then those that one reader would give.
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
from sluice.extract.by_record.flatten import ColumnNames
from sluice.extract.by_record.typing import ColumnTypes, NeedsSingleReaderError
from sluice.extract.column_decision import Observations, ReadingContext
from sluice.extract.reading import PageReading
from sluice.extract.records import Records
from sluice.lake import object_keys
from sluice.lake.parquet import copy_to, data_object
from sluice.lake.store import Lake

_AT_ONCE = 16


class Part(Record):
    """The result of a worker.

    Args:
        error: the class of the error that prevented rows; `detail` is its text.
        data: the object with the rows.
        columns: the columns of the rows.
        names_columns: whether a page names its columns even without records.
        seen: the state of the column types.
        spelled: the state of the column names.
        conversion_notes: the problems found while converting.
        ways: how texts became values, for columns where more than the type decides.
        notes: warnings about what was guessed.
        repeated: duplicate keys in objects.
    """

    error: str | None = None
    detail: str = ""
    data: DataObject | None = None
    columns: list[Column] = Field(default_factory=list)
    names_columns: bool = False
    seen: dict[str, Any] = Field(default_factory=dict)
    spelled: dict[str, Any] = Field(default_factory=dict)
    conversion_notes: dict[str, Any] = Field(default_factory=dict)
    ways: dict[str, str] = Field(default_factory=dict)
    notes: list[str] = Field(default_factory=list)
    repeated: dict[str, int] = Field(default_factory=dict)


class Plan(Record):
    """What the workers of one stage need to know.

    Args:
        types: the types of some columns, which override pages and document.
        columns: the columns of the run; empty while each part has its own.
        seen: the combined state of the column types.
        before: how many records precede each part.
    """

    types: dict[str, str] = Field(default_factory=dict)
    columns: list[Column] = Field(default_factory=list)
    seen: dict[str, Any] = Field(default_factory=dict)
    before: list[int] = Field(default_factory=list)


def split_pages(pages: list[PageReceipt], most: int) -> list[list[PageReceipt]]:
    """Split pages into parts.

    Args:
        pages: the pages, in order.
        most: the most bytes of a part; a larger page is a part of its own.
    """
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
class CombinedParts:
    """The parts combined: the columns of the run, and the warnings."""

    types: ColumnTypes
    column_names: ColumnNames
    columns: list[Column]
    notes: list[str]
    repeated: Counter[str]

    @classmethod
    def combine(cls, parts: list[Part], datasource: Datasource, most_columns: int, known: list[str]) -> CombinedParts:
        """Combine the observations of the parts.

        Args:
            parts: the parts in page order.
            datasource: tells how pages were parsed.
            most_columns: the most columns.
            known: the columns that the dataset already has.

        Raises:
            NeedsSingleReaderError: every record must be observed by one reader.
            UnreadableData: two keys would become one column, or there are too many.
        """
        types, column_names = ColumnTypes(datasource), ColumnNames(most_columns, known)
        for name in datasource.fields or {}:
            column_names.reserve(name)
        notes: list[str] = []
        repeated: Counter[str] = Counter()
        for part in parts:
            column_names.merge_state(part.spelled)
            types.merge_state(part.seen, column_names)
            notes += [note for note in part.notes if note not in notes]
            repeated.update(part.repeated)
        wide = {column_names.spelling(column.name) for part in parts for column in part.columns if column.wide}
        columns = [column.model_copy(update={"wide": _is_wide(column, wide)}) for column in types.columns(column_names)]
        return cls(types, column_names, columns, notes, repeated)

    def fits(self, part: Part) -> bool:
        """Whether a part's rows are the same as if all pages had been read at once."""
        expected = [(column.name, column.type) for column in self.columns]
        actual = [(column.name, column.type) for column in part.columns]
        return actual == expected and part.ways == self.types.reading_variants(self.columns)

    def records(self, parts: list[Part]) -> Records:
        """The records of all parts.

        Args:
            parts: the parts whose rows are in the version.
        """
        for part in parts:
            self.types.merge_notes(part.conversion_notes, self.column_names)
        observed = Observations(self.types, self.column_names, self.notes, self.repeated)
        objects = [part.data for part in parts if part.data is not None]
        return Records(
            self.types.with_failures(self.columns),
            sum(item.rows for item in objects),
            "",
            observed.warnings(self.types),
            any(part.names_columns for part in parts),
            [item for item in objects if item.rows],
        )


def _is_wide(column: Column, wide: set[str]) -> bool:
    return column.wide or (column.type == "bigint" and column.name in wide)


class ParallelReading:
    """Reads the pages of one run in parts.

    Each worker's result is an object under its own key. So a worker that is called again overwrites the same object,
    and the next step follows from the objects that exist.

    Args:
        run: the run.
        datasource: tells how pages are parsed.
        index: all pages.
        reading: reads pages.
        lake: the store of pages and results.
        folder: where the workers store their results.
        parts: the pages of each part.
        adds: whether the rows need the id of the run.
        find_text_columns: returns those of the run's columns that are text in the dataset, with their types there.
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
        find_text_columns: Callable[[list[Column]], dict[str, str]],
    ) -> None:
        self._run = run
        self._datasource = datasource
        self._index = index
        self._reading = reading
        self._lake = lake
        self._folder = folder
        self._adds = adds
        self._find_text_columns = find_text_columns
        self._parts = parts
        self._results: dict[str, dict[int, Part]] = {}

    def next_stage(self, ended: str | None = None) -> tuple[str, list[int]] | None:
        """The next stage.

        Args:
            ended: the stage whose workers have just ended.

        Returns:
            The stage and the numbers of its workers; None when all results exist.

        Raises:
            NeedsSingleReaderError: the pages must be read by one reader.
            RunError: pages cannot be read, or workers ended without a result.
        """
        every = list(range(len(self._parts)))
        if missing := self._missing_workers("read", every, Plan(), ended):
            return "read", missing
        stage, types = "read", self._find_text_columns(self._combine("read", {}).columns)
        if types:
            if missing := self._missing_workers("text", every, Plan(types=types), ended):
                return "text", missing
            stage = "text"
        combined = self._combine(stage, types)
        positions = "$position" in (self._datasource.fields or {}).values()
        fits = [combined.fits(part) and not (positions and number) for number, part in self._results[stage].items()]
        unfit = [number for number in every if not fits[number]]
        plan = Plan(
            types=types, columns=combined.columns, seen=combined.types.state(), before=self._records_before(stage)
        )
        if missing := self._missing_workers("fit", unfit, plan, ended):
            return "fit", missing
        results = {**self._results[stage], **{number: self._results["fit"][number] for number in unfit}}
        self._records = combined.records([results[number] for number in every])
        return None

    def records(self) -> Records:
        """The records of all parts; only after `next_stage` returned None."""
        return self._records

    def _combine(self, stage: str, types: Mapping[str, str]) -> CombinedParts:
        return self._combine_parts([self._results[stage][number] for number in range(len(self._parts))], types)

    def _combine_parts(self, parts: list[Part], types: Mapping[str, str]) -> CombinedParts:
        datasource = self._reading.with_types(self._datasource, types)
        try:
            return CombinedParts.combine(parts, datasource, self._reading.most_columns, self._reading.known)
        except UnreadableData:
            raise NeedsSingleReaderError from None  # reading all pages at once tells which page it is

    def _records_before(self, stage: str) -> list[int]:
        counts = [self._results[stage][number].seen["rows"] for number in range(len(self._parts))]
        return [sum(counts[:number]) for number in range(len(counts))]

    def _missing_workers(self, stage: str, numbers: list[int], plan: Plan, ended: str | None) -> list[int]:
        """The workers without a result; the plan for them is written."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            documents = pool.map(lambda number: self._lake.find_json(self._result_key(stage, number)), numbers)
            results = dict(zip(numbers, documents, strict=True))
        self._results[stage] = {
            number: Part.model_validate(document) for number, document in results.items() if document is not None
        }
        for number, part in self._results[stage].items():
            if part.error is not None:
                # If the parts before it cannot be combined, one reader must find out which error comes first.
                self._combine_parts(
                    [earlier for place, earlier in self._results[stage].items() if place < number], plan.types
                )
                raise _error(part)
        missing = [number for number, document in results.items() if document is None]
        if missing and stage == ended:
            raise DataTooLarge(
                f"{len(missing)} workers ended without a result, the first one while reading from page "
                f"{self._parts[missing[0]][0].number}: they ran out of memory, disk or time. Lower EXTRACT_PART_BYTES."
            )
        if missing:
            self._lake.put_json(object_keys.work_plan(self._folder, stage), plan.model_dump(mode="json"))
        return missing

    def _result_key(self, stage: str, number: int) -> str:
        return object_keys.work_result(self._folder, stage, number)

    # ---------------------------------------------------------------- what workers do

    def work(self, stage: str, number: int) -> None:
        """Do one worker's part of a stage and store its result.

        Args:
            stage: the stage, as `next_stage` returned it.
            number: the number of the worker.
        """
        plan = Plan.model_validate_json(self._lake.get(object_keys.work_plan(self._folder, stage)))
        try:
            part = self._read(stage, number, plan)
        except RunStopped:
            raise
        except RunError as error:
            # The error is stored, not raised: the run reports that of the first page, whichever worker was faster.
            part = Part(error=type(error).__name__, detail=error.detail)
        self._lake.put_json(self._result_key(stage, number), part.model_dump(mode="json"))

    def _read(self, stage: str, number: int, plan: Plan) -> Part:
        index = self._index.model_copy(update={"pages": self._parts[number]})
        datasource = self._reading.with_types(self._datasource, plan.types)
        decisions: list[tuple[Observations, ColumnTypes, list[Column]]] = []

        def decide_columns(observed: Observations) -> tuple[ColumnTypes, list[Column]]:
            types, columns = observed.types, plan.columns or observed.types.columns(observed.column_names)
            if plan.columns:
                types = ColumnTypes(datasource)
                types.merge_state(plan.seen, observed.column_names)
            decisions.append((observed, types, columns))
            return types, columns

        expected = {column.name.lower(): column.type for column in plan.columns}
        context = ReadingContext(decide_columns, expected, plan.before[number] if plan.before else 0)
        with self._lake.scratch() as scratch, ExitStack() as stack:
            reading = self._reading.with_known_columns(column.name for column in plan.columns)
            records, connection = reading.read(self._run, self._datasource, index, stack, scratch, plan.types, context)
            query = append_upsert.with_run(records.query, self._run.id) if self._adds else records.query
            path = scratch.with_name("part.parquet")
            connection.execute(f"COPY ({query}) {copy_to(path)}")
            data = data_object(object_keys.work_rows(self._folder, stage, number), path, records.count)
            self._lake.put_file(data.key, path)
        # Reading by column may decide and then give up, so the last decision counts.
        observed, types, columns = decisions[-1]
        return Part(
            data=data,
            columns=records.columns,
            names_columns=records.names_columns,
            seen=observed.types.state(),
            spelled=observed.column_names.state(),
            conversion_notes=types.conversion_notes(),
            ways=types.reading_variants(columns),
            notes=observed.notes,
            repeated=dict(observed.repeated),
        )


def _error(part: Part) -> RunError:
    error_class = getattr(sluice.errors, part.error or "", UnreadableData)
    return error_class(part.detail)
