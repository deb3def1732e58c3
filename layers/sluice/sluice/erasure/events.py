"""Removing quotations of a record from events: failures of runs that wait for followers, and deliveries of them."""

from __future__ import annotations

import orjson

from sluice.container import Container
from sluice.erasure.notes import error_without_detail
from sluice.erasure.quotations import Quotations


def clean_events(services: Container, quotations: Quotations) -> None:
    """Replace the details of errors that quote the record, also of deliveries that are made again. Safe to repeat.

    Args:
        services: the catalog.
        quotations: recognizes texts of the record.
    """
    for key, error in list(services.erasures.failures()):
        if quotations.has(error):
            services.erasures.update_failure(key, error_without_detail(error))
    for item in list(services.erasures.deliveries()):
        message = orjson.loads(item["body"])
        error = message["data"].get("error")
        if quotations.has(error):
            message["data"]["error"] = error_without_detail(error)
            services.erasures.update_delivery(item, orjson.dumps(message).decode())
