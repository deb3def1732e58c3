"""The stream of the table `Datasets`, as its event source mapping delivers it to the function `publications`."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from typing import Any

from moto.dynamodb.models import dynamodb_backends

from support.moto_dynamodb import ACCOUNT
from support.template import resources

REGION = "us-east-1"
_MAPPING: dict[str, Any] = resources("AWS::Serverless::Function")["PublicationsFunction"]["Events"]["Published"][
    "Properties"
]
_FILTER = json.loads(_MAPPING["FilterCriteria"]["Filters"][0]["Pattern"])
_PREFIXES = tuple(rule["prefix"] for rule in _FILTER["dynamodb"]["Keys"]["dataset"]["S"])


class PublicationStream:
    """Delivers the records that moto has noted since the last delivery.

    `enabled` says whether records arrive at all: they may be lost when a mapping is disabled for a day.
    """

    def __init__(self) -> None:
        self.enabled = True
        self._position = 0
        self._delivering = False

    def deliver(self, begin: Callable[[], None], context: Any) -> None:
        """Call the function for new records, until there are none; again for a batch that fails.

        Args:
            begin: called before each call of the function.
        """
        if self._delivering or not self.enabled:
            return  # a record's own effects are delivered by the call that is under way
        self._delivering = True
        try:
            while records := self._new_records():
                for _ in range(1 + _MAPPING["MaximumRetryAttempts"]):
                    if self._accepted(records, begin, context):
                        break
        finally:
            self._delivering = False

    def _new_records(self) -> list[dict[str, Any]]:
        shard = dynamodb_backends[ACCOUNT][REGION].tables["DatasetsTable"].stream_shard
        assert shard is not None, "the template gives the table a stream"
        items = shard.items
        records = [item.to_json() for item in items[self._position :]]
        self._position = len(items)
        return [record for record in records if _is_event(record)]

    def _accepted(self, records: list[dict[str, Any]], begin: Callable[[], None], context: Any) -> bool:
        from support.workflows import Killed

        handler = importlib.import_module("publications.app").handler
        try:
            begin()
            return not handler({"Records": records}, context)["batchItemFailures"]
        except Killed:
            return False


def _is_event(record: dict[str, Any]) -> bool:
    """What the mapping's filter lets through."""
    key: str = record["dynamodb"]["Keys"]["dataset"]["S"]
    return record["eventName"] in _FILTER["eventName"] and key.startswith(_PREFIXES)
