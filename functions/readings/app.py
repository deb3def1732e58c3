"""The function `readings`: stores the readings of a batch of a stream, of Kinesis or of Kafka, or of a dropped file."""

from typing import Any

from aws_lambda_powertools import Logger

from sluice.container import container
from sluice.errors import TransientError
from sluice.readings.files import receive_file
from sluice.readings.streams import consume, stream_records
from sluice.sources.file.announcement import announces_files, dropped_files

logger = Logger()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle an event of an event source mapping, or a notification of S3.

    Returns:
        `{"batchItemFailures": [{"itemIdentifier"}]}`: empty, since refused records go to quarantine. If a service
        throttled or failed, the first record, so that Kinesis delivers the batch again.

    Raises:
        TransientError: the same for Kafka, which repeats a batch if the function fails, and for files. It also means
            that the time did not suffice for a file; the next attempt continues.
    """
    if announces_files(event):
        for drop in dropped_files(event):
            receive_file(container(), drop, lambda: context.get_remaining_time_in_millis() / 1000)
        return {"batchItemFailures": []}
    records = stream_records(event)
    try:
        consume(container(), records)
    except TransientError:
        if records[0].sequence is None:
            raise
        logger.exception("the batch must be delivered again")
        return {"batchItemFailures": [{"itemIdentifier": records[0].sequence}]}
    return {"batchItemFailures": []}
