"""An SQS queue that is read a message at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.aws import translated

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True)
class Message:
    """A message that was received and not deleted yet.

    Args:
        id: SQS's name for it, the same however often it is received.
        receipt: what deletes it.
    """

    id: str
    body: str
    receipt: str


class MessageQueue:
    """A queue whose messages are received, worked on, and deleted.

    A message that is not deleted comes again when the queue's visibility timeout is over, and goes
    to the queue's own dead-letter queue when it has been received as often as its redrive policy says.

    Args:
        url: the queue's URL.
        wait_seconds: how long a look at an empty queue waits; without a wait SQS asks only some of
            its servers, and may miss a message.
    """

    def __init__(self, sqs: SQSClient, url: str, wait_seconds: int) -> None:
        self._sqs = sqs
        self._url = url
        self._wait_seconds = wait_seconds

    def receive(self) -> Message | None:
        """The next message, which nobody else is shown meanwhile; null if there is none.

        Raises:
            Unavailable: SQS throttled, failed, or cannot be reached.
        """
        with translated():
            answer = self._sqs.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=1, WaitTimeSeconds=self._wait_seconds
            )
        for message in answer.get("Messages", []):
            return Message(message["MessageId"], message["Body"], message["ReceiptHandle"])
        return None

    def delete(self, message: Message) -> None:
        """Remove a message that was worked on.

        Raises:
            Unavailable: SQS throttled, failed, or cannot be reached.
        """
        with translated():
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt)
