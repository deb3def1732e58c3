"""Glue tables follow the published pointers: soon after a publication, not with it."""

from __future__ import annotations

from sluice.container import Container
from sluice.domain.publication import Publication
from sluice.errors import NotFound


class GlueFollower:
    """Has the Glue table of a dataset read its published version, for Athena and BI tools."""

    name = "glue"

    def follow(self, services: Container, publication: Publication) -> None:
        """Have the dataset's table read what is published now; it is removed where nothing is.

        The pointer is read again after Glue was told, so that of two processes that do this at the
        same time the last one leaves the newer version.

        Raises:
            Unavailable: Glue refused, or could not be reached.
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
                current = services.datasets.pointer(dataset).published
                if current == number:
                    return
                number = current
        except NotFound:
            services.glue_tables.remove(dataset)  # its owner was deleted just now
