"""Removing overrides of an erased record, and notes that quote it."""

from __future__ import annotations

from typing import Any

from sluice.container import Container
from sluice.domain.dataset import Manifest
from sluice.domain.dataset_id import DatasetId
from sluice.domain.override import Override
from sluice.domain.run import Run
from sluice.erasure.merges import is_of_record
from sluice.erasure.plan import Plan, find_manifest
from sluice.erasure.quotations import REMOVED, Quotations

_NOTES = ("warnings", "completeness_reasons")


def remove_overrides(services: Container, plan: Plan, *, change: bool = True) -> list[str]:
    """Remove the overrides of merged records that the erased one was a part of, deleted ones included.

    Args:
        services: the catalog and the lake.
        plan: the plan, with the keys of these records.
        change: false: only find them.

    Returns:
        Their names.
    """
    found = []
    for dataset, keys in plan.merge_keys.items():
        manifest = _latest(services, DatasetId(dataset))
        for name, document in services.erasures.overrides(DatasetId(dataset).owner):
            if manifest is not None and is_of_record(manifest, Override.model_validate(document), keys):
                found.append(name)
    for name in found if change else ():
        services.erasures.remove_override(name)
    return found


def _latest(services: Container, dataset: DatasetId) -> Manifest | None:
    versions = services.erasures.versions(dataset)
    return find_manifest(services, versions[-1].manifest_key) if versions else None


def remove_quotations(services: Container, plan: Plan, quotations: Quotations) -> None:
    """Remove notes that quote the record: from runs, versions, manifests and results of tests."""
    owners = [DatasetId.of_datasource(slug) for slug in plan.datasources]
    owners += [DatasetId.of_project(slug) for slug in plan.projects]
    for owner in owners:
        for run in services.runs.newest(owner):
            changes = _without_quotations(run, quotations)
            if changes:
                services.erasures.update_run(run.id, **changes)
        services.erasures.forget_tests(owner)
        _clean_pointer(services, owner, quotations)
        for dataset in services.erasures.datasets(owner.owner_kind):
            if dataset.owner == owner.owner:
                _clean_versions(services, dataset, quotations)


def error_without_detail(error: dict[str, Any]) -> dict[str, Any]:
    """The error of a run, as problem details, with a note in the place of what quotes the record."""
    return {**error, "detail": REMOVED, "errors": []}


def _without_quotations(run: Run, quotations: Quotations) -> dict[str, Any]:
    document = run.model_dump(mode="json")
    changes: dict[str, Any] = {
        name: quotations.without(document[name]) for name in _NOTES if quotations.has(document[name])
    }
    if quotations.has(document["error"]):
        changes["error"] = error_without_detail(document["error"])
    if quotations.has(document["summary"]):
        changes["summary"] = REMOVED
    for name in ("timeline", "sources", "stale"):
        if quotations.has(document[name]):
            changes[name] = [item for item in document[name] if not quotations.has(item)]
    if quotations.has((document["drop"] or {}).get("key")):
        changes["drop"] = {**document["drop"], "key": f"{run.datasource}/erased"}
    return changes


def _clean_pointer(services: Container, dataset: DatasetId, quotations: Quotations) -> None:
    """Replace the error of the latest ingest, for which an earlier version stands in, and the name of its file."""
    pointer = services.datasets.pointer(dataset)
    attributes = pointer.model_dump(include={"failure", "origin"})
    changes: dict[str, Any] = _without_quoting_attributes(attributes, quotations)
    hidden = _without_quoting_attributes(pointer.hidden or {}, quotations)
    if hidden:
        changes["hidden"] = {**(pointer.hidden or {}), **hidden}
    if changes:
        services.erasures.update_pointer(dataset, **changes)


def _without_quoting_attributes(pointer: dict[str, Any], quotations: Quotations) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    failure, origin = pointer.get("failure"), pointer.get("origin")
    if failure is not None and quotations.has(failure["error"]):
        changes["failure"] = failure | {"error": REMOVED}
    if origin is not None and quotations.has(origin["key"]):
        changes["origin"] = None
    return changes


def _clean_versions(services: Container, dataset: DatasetId, quotations: Quotations) -> None:
    for version in services.erasures.versions(dataset):
        manifest = find_manifest(services, version.manifest_key)
        if manifest is None:
            continue
        names = [name for name in (*_NOTES, "merge_warnings") if quotations.has(getattr(manifest, name))]
        changes: dict[str, Any] = {name: quotations.without(getattr(manifest, name)) for name in names}
        if manifest.origin is not None and quotations.has(manifest.origin.key):
            changes["origin"] = None
        if any(quotations.has(entry.error) for entry in manifest.stale):
            changes["stale"] = [
                entry.model_copy(update={"error": REMOVED}) if quotations.has(entry.error) else entry
                for entry in manifest.stale
            ]
        if changes:
            changed = manifest.model_copy(update=changes)
            services.lake.put_json(version.manifest_key, changed.model_dump(mode="json"))
            services.erasures.update_notes(dataset, version.number, changed)
