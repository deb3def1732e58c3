"""Serving endpoints: one read of the catalog says whether a kept answer still stands."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from sluice.catalog.datasets import Datasets
from sluice.catalog.definitions import Definition, Definitions
from sluice.domain.dataset import Pointer
from sluice.domain.dataset_id import DatasetId
from sluice.domain.endpoint import Endpoint
from sluice.domain.names import parse_time
from sluice.domain.run import least_complete
from sluice.domain.schema import duckdb_type
from sluice.domain.sql_query import SqlError, parse_query, with_typed_nulls
from sluice.errors import Invalid, NotFound
from sluice.lake.store import Lake
from sluice.models.project_tables import MERGED, ProjectTables
from sluice.reads.endpoints.answers import About, body
from sluice.reads.endpoints.cache import AnswerCache, Kept
from sluice.sandbox.sandbox import Sandbox
from sluice.settings import Settings

_MOMENTS = {"date": "date", "datetime": "timestamp"}


@dataclass
class _Known:
    """What this process remembers of an endpoint.

    Args:
        datasets: those behind the tables that it reads, by the tables' names.
        views: the SQL of the views that it reads.
        checked: when the tables were looked up, by the monotonic clock.
    """

    version: int
    endpoint: Endpoint
    datasets: dict[str, DatasetId]
    views: dict[str, str]
    checked: float


@dataclass(frozen=True)
class Found:
    """An endpoint as it is now.

    Args:
        views: the SQL of the views that it reads.
        pointers: those of what it reads, by the tables' names.
    """

    project: str
    name: str
    endpoint: Endpoint
    views: Mapping[str, str]
    pointers: Mapping[str, Pointer]


@dataclass(frozen=True)
class Request:
    """What a caller asks of an endpoint."""

    values: dict[str, Any]
    form: str
    bom: bool = False


@dataclass
class EndpointServer:
    """Answers the endpoints of all projects.

    Args:
        tables: gives the tables of a project as they are published, or were at a moment.
    """

    definitions: Definitions
    datasets: Datasets
    lake: Lake
    sandbox: Sandbox
    settings: Settings
    cache: AnswerCache
    tables: Callable[..., ProjectTables]
    _known: dict[str, _Known] = field(default_factory=dict)

    def find(self, project: str, name: str, permit: Callable[[Endpoint], None]) -> Found:
        """An endpoint and the pointers of what it reads, by one read where this process knows it.

        Args:
            permit: raises when the caller may not use it, before anything is said of what it reads.

        Raises:
            NotFound: there is none.
        """
        key = f"{project}#{name}"
        known = self._known.get(key)
        remembered = known.datasets if known else {}
        found, pointers = self._read(key, list(remembered.values()))
        if found is None:
            self._known.pop(key, None)
            raise NotFound(f"There is no endpoint {name!r} in {project!r}.")
        permit(known.endpoint if known and known.version == found.version else Endpoint.model_validate(found.document))
        recheck = self.settings.endpoint_recheck_seconds
        if known is None or known.version != found.version or time.monotonic() - known.checked > recheck:
            known = self._looked_up(project, found)
            self._known[key] = known
            if known.datasets != remembered:
                _, pointers = self._read(key, list(known.datasets.values()))
        tables = {table: pointers[dataset] for table, dataset in known.datasets.items()}
        return Found(project, name, known.endpoint, known.views, tables)

    def _read(self, key: str, datasets: list[DatasetId]) -> tuple[Definition | None, dict[DatasetId, Pointer]]:
        return self.datasets.pointers_with("endpoint", key, datasets, self.definitions)

    def _looked_up(self, project: str, found: Definition) -> _Known:
        endpoint = Endpoint.model_validate(found.document)
        tables = self.tables(project)
        try:
            names, views = tables.read_by(parse_query(endpoint.sql))
        except SqlError as error:
            raise Invalid(f"The endpoint does not fit its project any more: {error}.") from None
        datasets = {name: tables.dataset(name) for name in names}
        return _Known(found.version, endpoint, datasets, views, time.monotonic())

    def answer(self, found: Found, request: Request) -> Kept:
        """The answer, kept or computed.

        Raises:
            NotPublished: a table has no version yet, or had none at the moment that is asked for.
            Invalid: the query does not fit the tables any more, or needs too much.
        """
        endpoint = found.endpoint
        as_of = request.values.get(endpoint.as_of[1:]) if endpoint.as_of else None
        depends = [
            found.project,
            found.name,
            endpoint.model_dump(mode="json"),
            request.values,
            request.form,
            request.bom,
            found.views,
            {table: [one.published, one.data_as_of] for table, one in found.pointers.items()},
        ]
        key = hashlib.sha256(orjson.dumps(depends, option=orjson.OPT_SORT_KEYS)).hexdigest()
        return self.cache.get(
            key, endpoint.cache_seconds, lambda: self._computed(found.project, endpoint, request, as_of)
        )

    def _computed(self, project: str, endpoint: Endpoint, request: Request, as_of: str | None) -> bytes:
        moment = parse_time(f"{as_of.replace(' ', 'T')}Z") if as_of else None
        query = parse_query(endpoint.sql)
        tables = self.tables(project, moment)
        try:
            chosen = tables.chosen(query)
        except SqlError as error:
            raise Invalid(f"The endpoint does not fit its project any more: {error}.") from None
        values = {one: value for one, value in request.values.items() if one in query.parameters and value is not None}
        moments = {
            one: _MOMENTS[parameter.type]
            for one, parameter in endpoint.parameters.items()
            if parameter.type in _MOMENTS and one in values
        }
        absent = {
            one: duckdb_type(parameter.column_type)
            for one, parameter in endpoint.parameters.items()
            if one in query.parameters and one not in values
        }
        sql = with_typed_nulls(query, absent)
        with self.lake.scratch() as scratch:
            found = self.sandbox.query(sql, values, chosen.tables, scratch.parent, moments=moments)
        numbers = chosen.numbers
        about = About(
            numbers.get(MERGED, min(numbers.values(), default=None)),
            dict(sorted(numbers.items())),
            least_complete(one.completeness for one in chosen.manifests.values()),
            min(chosen.seen.values(), default=None),
        )
        return body(endpoint, found, about, request.form, bom=request.bom)
