"""The function `readings`: stores the readings of a batch of a stream, of Kinesis or of Kafka."""

from typing import Any

from aws_lambda_powertools import Logger

from sluice.container import container
from sluice.errors import TransientError
from sluice.readings.streams import consume, stream_records

logger = Logger()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle an event of an event source mapping.

    Returns:
        `{"batchItemFailures": [{"itemIdentifier"}]}`: empty, since refused records go to quarantine. If a service
        throttled or failed, the first record, so that Kinesis delivers the batch again.

    Raises:
        TransientError: the same for Kafka, which repeats a batch if the function fails.
    """
    records = stream_records(event)
    try:
        consume(container(), records)
    except TransientError:
        if records[0].sequence is None:
            raise
        logger.exception("the batch must be delivered again")
        return {"batchItemFailures": [{"itemIdentifier": records[0].sequence}]}
    return {"batchItemFailures": []}
