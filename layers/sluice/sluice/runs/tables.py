"""Glue tables that follow the published pointers: soon after a publication, not with it."""

from __future__ import annotations

from aws_lambda_powertools import Logger

from sluice.container import Container
from sluice.domain.dataset_id import DatasetId
from sluice.errors import NotFound, SluiceError

logger = Logger()


def follow(services: Container, dataset: DatasetId) -> None:
    """Have a dataset's table read what is published now.

    What is published meanwhile is followed, too. That Glue cannot be reached is logged: no run
    is worse for it, and the next publication brings the table up to date.
    """
    if services.tables is None:
        return
    try:
        number = services.datasets.pointer(dataset).published
        while True:
            if number is None:
                services.tables.hide(dataset)
            else:
                manifest = services.lake.manifest(services.datasets.version(dataset, number).manifest_key)
                services.tables.show(dataset, number, manifest)
            now = services.datasets.pointer(dataset).published
            if now == number:
                return
            number = now
    except NotFound:
        services.tables.hide(dataset)  # deleted just now
    except SluiceError:
        logger.exception("the Glue table cannot follow", extra={"dataset": dataset})
