"""The follower that updates Glue tables."""

from __future__ import annotations

from sluice.container import Container
from sluice.domain.event import EventType
from sluice.domain.publication import Publication
from sluice.errors import NotFound


class GlueFollower:
    """Points the Glue table of a dataset to its published version, for Athena and BI tools."""

    name = "glue"
    takes = frozenset[EventType]({"version.published"})

    def follow(self, services: Container, publication: Publication) -> None:
        """Point the table to the version that is published now, or remove it if none is.

        Raises:
            Unavailable: Glue refused the call, or could not be reached.
        """
        if services.glue_tables is None:
            return
        dataset = publication.dataset
        try:
            number = services.datasets.pointer(dataset).published
            while True:
                if number is None:
                    services.glue_tables.remove(dataset)
                else:
                    manifest = services.lake.manifest(services.datasets.version(dataset, number).manifest_key)
                    services.glue_tables.publish(dataset, number, manifest)
                # Glue has no conditional writes. Reading the pointer again ensures that of two processes that
                # update the table at the same time, the last one leaves the newer version.
                current = services.datasets.pointer(dataset).published
                if current == number:
                    return
                number = current
        except NotFound:
            services.glue_tables.remove(dataset)  # its owner was deleted just now
