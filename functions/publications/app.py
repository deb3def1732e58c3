"""The function `publications`: delivers events, such as published versions, to their followers."""

from typing import Any

from sluice.container import container
from sluice.domain.event import topic_of
from sluice.domain.event_types import event_type
from sluice.publication.delivery import deliver, deliver_overdue


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle a batch of the stream of the table `Datasets`, or `{"sweep": true}` from the sweep's schedule.

    Returns:
        For a batch, `{"batchItemFailures": [{"itemIdentifier"}]}` with the first record that could not be
        delivered to a follower: the stream sends it and the following ones again. For a sweep,
        `{"waiting"}`: the number of topics with undelivered events.
    """
    services = container()
    if event.get("sweep"):
        return {"waiting": deliver_overdue(services, event.get("grace_seconds", 60))}
    failures = []
    for record in event["Records"]:
        key = record["dynamodb"]["Keys"]["dataset"]["S"]
        if record["eventName"] != "INSERT" or event_type(key) is None:
            continue  # an emulator may ignore the filter of the event source mapping
        if not deliver(services, topic_of(key), [key]):
            failures.append({"itemIdentifier": record["dynamodb"]["SequenceNumber"]})
    return {"batchItemFailures": failures[:1]}
