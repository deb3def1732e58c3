"""Serve endpoints. One read of the catalog shows whether a cached answer is still valid."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from sluice.catalog.datasets import Datasets
from sluice.catalog.definitions import Definition, Definitions
from sluice.domain.dataset import Pointer
from sluice.domain.dataset_id import DatasetId
from sluice.domain.datasource import Datasource
from sluice.domain.endpoint import Endpoint
from sluice.domain.names import parse_time
from sluice.domain.schema import duckdb_type
from sluice.domain.sql_query import SqlError, parse_query, with_typed_nulls
from sluice.errors import Invalid, NotFound
from sluice.lake.store import Lake
from sluice.models.project_tables import MERGED, ProjectTables
from sluice.reads.endpoints.answers import AnswerInfo, answer_body
from sluice.reads.endpoints.cache import AnswerCache, CachedAnswer, Computed
from sluice.reads.endpoints.freshness import Freshness
from sluice.sandbox.sandbox import Sandbox
from sluice.settings import Settings

_MOMENTS = {"date": "date", "datetime": "timestamp"}


@dataclass
class _Known:
    """What this process remembers about an endpoint, so that `find` needs one read of the catalog.

    Args:
        version: the version of the endpoint's definition.
        endpoint: the endpoint.
        datasets: the datasets of the tables that it reads, by table name.
        measured: the datasets whose pointers say when the data was refreshed; none without a promise.
        views: the SQL of the views that it reads.
        checked: when the tables were determined, by the monotonic clock.
    """

    version: int
    endpoint: Endpoint
    datasets: dict[str, DatasetId]
    measured: list[DatasetId]
    views: dict[str, str]
    checked: float

    @property
    def read(self) -> list[DatasetId]:
        """The datasets whose pointers a call needs."""
        return [*self.datasets.values(), *self.measured]


@dataclass(frozen=True)
class ResolvedEndpoint:
    """An endpoint with the present pointers of its tables.

    Args:
        project: the project's slug.
        name: the endpoint's name.
        endpoint: the endpoint.
        views: the SQL of the views that it reads.
        pointers: the pointers of the tables that it reads, by table name.
        measured: the pointers that say when the data was refreshed; none if the endpoint promises nothing, or reads
            only what no refresh fetches.
    """

    project: str
    name: str
    endpoint: Endpoint
    views: Mapping[str, str]
    pointers: Mapping[str, Pointer]
    measured: Sequence[Pointer] = ()

    def freshness(self) -> Freshness | None:
        """How old the data is now; None if nothing is promised about it."""
        promise = self.endpoint.max_age_seconds
        return Freshness.of(promise, self.measured) if promise is not None and self.measured else None


@dataclass(frozen=True)
class Request:
    """A call of an endpoint.

    Args:
        values: the values of its parameters.
        form: one of `FORMATS`.
        bom: whether CSV begins with a byte order mark.
    """

    values: dict[str, Any]
    form: str
    bom: bool = False


@dataclass
class EndpointServer:
    """Answers calls of the endpoints of all projects.

    Args:
        definitions: the catalog of endpoints.
        datasets: the catalog of versions.
        lake: where versions are.
        sandbox: executes the queries.
        settings: limits.
        cache: the cache of answers.
        tables: returns the tables of a project (slug), as published now or at a time (second argument).
    """

    definitions: Definitions
    datasets: Datasets
    lake: Lake
    sandbox: Sandbox
    settings: Settings
    cache: AnswerCache
    tables: Callable[..., ProjectTables]
    _known: dict[str, _Known] = field(default_factory=dict)

    def find(self, project: str, name: str, permit: Callable[[Endpoint], None]) -> ResolvedEndpoint:
        """Find an endpoint and the pointers of its tables; one read of the catalog if this process knows it.

        Args:
            project: the project's slug.
            name: the endpoint's name.
            permit: raises an error if the caller may not use the endpoint. It is called before the tables are
                determined, so that errors about them do not reveal anything.

        Raises:
            NotFound: the endpoint does not exist.
            Invalid: the query does not fit the project's tables.
        """
        key = f"{project}#{name}"
        known = self._known.get(key)
        known_datasets = known.read if known else []
        definition, pointers = self._read(key, known_datasets)
        if definition is None:
            self._known.pop(key, None)
            raise NotFound(f"There is no endpoint {name!r} in {project!r}.")
        # Before the tables are looked up: an error about a table must not be visible without permission.
        permit(
            known.endpoint
            if known and known.version == definition.version
            else Endpoint.model_validate(definition.document)
        )
        recheck = self.settings.endpoint_recheck_seconds
        if known is None or known.version != definition.version or time.monotonic() - known.checked > recheck:
            known = self._look_up(project, definition)
            self._known[key] = known
            if known.read != known_datasets:
                _, pointers = self._read(key, known.read)
        tables = {table: pointers[dataset] for table, dataset in known.datasets.items()}
        measured = [pointers[dataset] for dataset in known.measured]
        return ResolvedEndpoint(project, name, known.endpoint, known.views, tables, measured)

    def reread(self, resolved: ResolvedEndpoint) -> ResolvedEndpoint:
        """Return the same endpoint with the pointers that its tables have now."""
        read = [pointer.dataset for pointer in (*resolved.pointers.values(), *resolved.measured)]
        _, pointers = self._read(f"{resolved.project}#{resolved.name}", read)
        tables = {table: pointers[pointer.dataset] for table, pointer in resolved.pointers.items()}
        return replace(resolved, pointers=tables, measured=[pointers[pointer.dataset] for pointer in resolved.measured])

    def _read(self, key: str, datasets: list[DatasetId]) -> tuple[Definition | None, dict[DatasetId, Pointer]]:
        return self.datasets.definition_and_pointers("endpoint", key, datasets, self.definitions)

    def _look_up(self, project: str, definition: Definition) -> _Known:
        endpoint = Endpoint.model_validate(definition.document)
        tables = self.tables(project)
        try:
            names, views = tables.dependencies(parse_query(endpoint.sql))
        except SqlError as error:
            raise Invalid(f"The endpoint does not fit its project any more: {error}.") from None
        datasets = {name: tables.dataset(name) for name in names}
        measured = [] if endpoint.max_age_seconds is None else self._measured(project, list(datasets.values()))
        return _Known(definition.version, endpoint, datasets, measured, views, time.monotonic())

    def _measured(self, project: str, datasets: list[DatasetId]) -> list[DatasetId]:
        """The datasets whose pointers say when the data of these datasets was refreshed.

        A refresh publishes the project's models together with its merge, whose pointer has the time.
        """
        measured: list[DatasetId] = []
        for dataset in datasets:
            if dataset.owner_kind != "datasource":
                measured.append(DatasetId.of_project(project))
                continue
            definition = self.definitions.find("datasource", dataset.owner)
            if definition is not None and Datasource.model_validate(definition.document).is_refreshable:
                measured.append(dataset)
        return sorted(set(measured))

    def answer(self, resolved: ResolvedEndpoint, request: Request, freshness: Freshness | None = None) -> CachedAnswer:
        """Return the answer to a call, from the cache or computed.

        Args:
            resolved: the endpoint, as `find` returns it.
            request: the call.
            freshness: how old the data is, if the endpoint promises something about it and the call is not for
                versions of the past.

        Raises:
            NotPublished: a table has no version yet, or had none at the requested time.
            Invalid: the query does not fit the tables, or exceeds a limit.
        """
        endpoint = resolved.endpoint
        dependencies = [
            resolved.project,
            resolved.name,
            endpoint.model_dump(mode="json"),
            request.values,
            request.form,
            request.bom,
            resolved.views,
            {table: _state(pointer) for table, pointer in resolved.pointers.items()},
            # So that no cached answer hides that its data has become too old.
            freshness.as_json() if freshness is not None else None,
        ]
        key = hashlib.sha256(orjson.dumps(dependencies, option=orjson.OPT_SORT_KEYS)).hexdigest()
        return self.cache.get(
            key, endpoint.cache_seconds, lambda: self._compute(resolved.project, endpoint, request, freshness)
        )

    def _compute(self, project: str, endpoint: Endpoint, request: Request, freshness: Freshness | None) -> Computed:
        as_of = endpoint.requested_time(request.values)
        moment = parse_time(f"{as_of.replace(' ', 'T')}Z") if as_of else None
        query = parse_query(endpoint.sql)
        tables = self.tables(project, moment)
        try:
            query_tables = tables.for_query(query)
        except SqlError as error:
            raise Invalid(f"The endpoint does not fit its project any more: {error}.") from None
        values = {
            name: value for name, value in request.values.items() if name in query.parameters and value is not None
        }
        moments = {
            name: _MOMENTS[parameter.type]
            for name, parameter in endpoint.parameters.items()
            if parameter.type in _MOMENTS and name in values
        }
        null_types = {
            name: duckdb_type(parameter.column_type)
            for name, parameter in endpoint.parameters.items()
            if name in query.parameters and name not in values
        }
        sql = with_typed_nulls(query, null_types)
        with self.lake.scratch() as scratch:
            result = self.sandbox.query(sql, values, query_tables.tables, scratch.parent, moments=moments)
        numbers = query_tables.numbers
        about = AnswerInfo(
            numbers.get(MERGED, min(numbers.values(), default=None)),
            dict(sorted(numbers.items())),
            query_tables.completeness,
            query_tables.stale,
            min(query_tables.seen.values(), default=None),
            freshness,
        )
        return answer_body(endpoint, result, about, request.form, bom=request.bom), about.as_json()


def _state(pointer: Pointer) -> list[Any]:
    """What an answer says about a table, so that it is computed again when that changes."""
    state = [pointer.published, pointer.published_at, pointer.data_as_of]
    return [*state, pointer.failure.run] if pointer.failure else state
