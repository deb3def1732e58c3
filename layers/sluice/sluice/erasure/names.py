"""Removing names that quote a record: of dropped files that were seen, and the targets of signed links."""

from __future__ import annotations

from sluice.container import Container
from sluice.domain.names import now, rfc3339
from sluice.erasure.plan import Plan
from sluice.erasure.quotations import REMOVED, Quotations
from sluice.lake.purge import VersionedObjects


def forget_drops(services: Container, plan: Plan, quotations: Quotations) -> None:
    """Remove the locks of dropped files whose names quote the record, and which are not in the inbox any more.

    A lock keeps a file from being read twice, so the lock of a file that is still there must stay. Safe to repeat.

    Args:
        services: the catalog and the inbox.
        plan: the plan, whose files are removed.
        quotations: recognizes texts of the record.
    """
    bucket = services.inbox.bucket
    inbox = VersionedObjects(services.s3, bucket)
    for slug in plan.datasources:
        prefix = f"drop#{bucket}/"
        locks = [item["name"] for item in services.erasures.locks(f"{prefix}{slug}/") if quotations.has(item["name"])]
        present = {version.key for version in inbox.versions(f"{slug}/") if not version.marker} if locks else set()
        for name in locks:
            key, _, version = name.removeprefix(prefix).rpartition("#")
            if key not in present or (key, version) in plan.files:
                services.erasures.remove_lock(name)


def expire_links(services: Container, quotations: Quotations) -> None:
    """Have links expire whose query selects the record; nothing of that is kept. Safe to repeat.

    Args:
        services: the catalog.
        quotations: recognizes texts of the record.
    """
    for name, document in list(services.erasures.links()):
        if quotations.has(document["target"].partition("?")[2]):
            services.erasures.update_link(name, document | {"target": REMOVED, "expires_at": rfc3339(now())})
