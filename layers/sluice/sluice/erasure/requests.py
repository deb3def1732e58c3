"""Requests for erasures. The key is stored apart from the run, so that it can be removed at the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sluice.catalog.definitions import Definition
from sluice.container import Container
from sluice.domain.dataset_id import DatasetId
from sluice.domain.datasource import Datasource
from sluice.domain.erasure import ErasureRequest, key_hash, key_values, stored_values
from sluice.domain.names import new_run_id, now, rfc3339
from sluice.domain.run import Erasure, Run
from sluice.errors import Conflict
from sluice.lake import object_keys
from sluice.runs.start import start

if TYPE_CHECKING:
    from sluice.erasure.matching import Key
    from sluice.erasure.plan import Plan


_TURN = "erasure"
# Longer than a call of the function may take, which claims the turn again.
_TURN_SECONDS = 1000


def start_erasure(services: Container, definition: Definition, request: ErasureRequest, by: str) -> Run:
    """Start the run that erases a record.

    Args:
        services: the catalog, the lake and the workflows.
        definition: the stored datasource.
        request: the record and the reason.
        by: the principal that asks for it.

    Raises:
        Conflict: the datasource has no primary key.
        Invalid: the key does not fit the primary key or the types of its columns.
    """
    datasource = Datasource.model_validate(definition.document)
    if not datasource.primary_key:
        raise Conflict(
            f"The datasource {definition.name!r} has no primary_key, so that no record of it can be named; set one."
        )
    values = key_values(request.key, datasource.primary_key)
    dataset = DatasetId.of_datasource(definition.name)
    stored = stored_values(values, datasource.primary_key, _all_types(services, definition.name, datasource.types))
    run = Run(
        id=new_run_id(),
        kind="erase",
        datasource=definition.name,
        trigger="api",
        created_at=rfc3339(now()),
        created_by=by,
        dry_run=request.dry_run,
        erasure=Erasure(key_hash=key_hash(dataset, stored), reason=request.reason),
    )
    document = {"columns": datasource.primary_key, "values": values}
    services.lake.put_json(object_keys.erasure(run.id, "key"), document)
    return start(services, run)


def requested_key(services: Container, run: Run) -> Key | None:
    """The key of the record of a run; None if it was removed, since the run has erased the record."""
    from sluice.erasure.matching import Key  # the API, which starts erasures, reads no pages

    document: dict[str, Any] | None = services.lake.find_json(object_keys.erasure(run.id, "key"))
    if document is None:
        return None
    return Key(document["columns"], document["values"], _types(services, run))


def _all_types(services: Container, slug: str, declared: Mapping[str, str]) -> dict[str, list[str]]:
    """The types that each column has had: the declared one first, then those of versions, the newest first."""
    types = {name: [column_type] for name, column_type in declared.items()}
    for version in reversed(services.erasures.versions(DatasetId.of_datasource(slug))):
        for column in version.schema_:
            types.setdefault(column.name, []).append(column.type)
    return types


def _types(services: Container, run: Run) -> dict[str, str]:
    """The types of all columns, each of the latest version that has it."""
    types: dict[str, str] = {}
    for version in services.erasures.versions(DatasetId.of_datasource(run.datasource or "")):
        types |= {column.name: column.type for column in version.schema_}
    return types


def claim_turn(services: Container, run: Run) -> bool:
    """Whether it is this run's turn: two erasures at a time would undo each other's changes of manifests."""
    held = services.locks.acquire(_TURN, _TURN_SECONDS, run=run.id)
    if held is None or held.get("run") == run.id:
        return services.locks.extend(_TURN, _TURN_SECONDS, "#run = :run", {"run": run.id})
    holder = services.runs.find(held.get("run", ""))
    if holder is None or holder.finished:
        services.locks.release(_TURN, "#run = :run", {"run": held.get("run", "")})
        return claim_turn(services, run)
    return False


def release_turn(services: Container, run: Run) -> None:
    """End this run's turn."""
    services.locks.release(_TURN, "#run = :run", {"run": run.id})


def is_disturbed(services: Container, run: Run, plan: Plan) -> bool:
    """Whether a run may have read the record and not stored its results, or has stored a page but no receipt."""
    if plan.unsettled:
        return True
    for other in services.runs.active():
        concerned = other.datasource in plan.datasources or other.project in plan.projects
        if other.id != run.id and concerned and other.status == "running" and other.erasure is None:
            return True
    return False
