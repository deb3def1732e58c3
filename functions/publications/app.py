"""The function `publications`: tells the followers of published versions."""

from typing import Any

from sluice.catalog.publications import PREFIX, dataset_of
from sluice.container import container
from sluice.publication.delivery import deliver, deliver_lost


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle a batch of the stream of the table `Datasets`, or `{"sweep": true}` from a schedule.

    Returns:
        For a batch `{"batchItemFailures": [{"itemIdentifier"}]}` with the first record of which a
        follower could not be told: the stream sends it and those after it again. For a sweep
        `{"waiting"}`: how many datasets have publications that a follower has yet to be told of.
    """
    services = container()
    if event.get("sweep"):
        return {"waiting": deliver_lost(services, event.get("grace_seconds", 60))}
    failures = []
    for record in event["Records"]:
        key = record["dynamodb"]["Keys"]["dataset"]["S"]
        if record["eventName"] != "INSERT" or not key.startswith(PREFIX):
            continue  # an emulator may ignore the filter of the mapping
        if not deliver(services, dataset_of(key), [key]):
            failures.append({"itemIdentifier": record["dynamodb"]["SequenceNumber"]})
    return {"batchItemFailures": failures[:1]}
