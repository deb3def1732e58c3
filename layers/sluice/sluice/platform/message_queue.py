"""An SQS queue that is read one message at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.aws import translated

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True)
class Message:
    """A received message that was not deleted yet.

    Args:
        id: the message id, which stays the same each time the message is received.
        body: the text that was sent.
        receipt: the receipt handle, which deletes it.
    """

    id: str
    body: str
    receipt: str


class MessageQueue:
    """A queue whose messages are received, handled and deleted.

    A message that is not deleted is received again after the queue's visibility timeout. After as many
    receptions as the redrive policy allows, SQS moves it to the dead-letter queue.

    Args:
        url: the queue's URL.
        wait_seconds: how long a request to an empty queue waits. Without a wait (short polling), SQS asks only
            some of its servers and can miss a message.
    """

    def __init__(self, sqs: SQSClient, url: str, wait_seconds: int) -> None:
        self._sqs = sqs
        self._url = url
        self._wait_seconds = wait_seconds

    def receive(self) -> Message | None:
        """Receive the next message, which is hidden from other receivers until its timeout; null if there is none.

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
        """Delete a message that was handled.

        Raises:
            Unavailable: SQS throttled, failed, or cannot be reached.
        """
        with translated():
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt)
