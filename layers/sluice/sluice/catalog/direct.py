"""A fast path to DynamoDB for requests with many items: signed by botocore, sent without its client.

For each value of a request the client calls a serializer, a parser and the rules that choose an address. For a
transaction of a hundred items that takes 10 ms of processor time instead of 2.
"""

from __future__ import annotations

import uuid
from base64 import b64encode
from functools import cached_property
from typing import TYPE_CHECKING, Any

import orjson
from botocore.exceptions import BotoCoreError

from sluice import __version__
from sluice.aws import Send, sender

if TYPE_CHECKING:
    from botocore.session import Session
    from mypy_boto3_dynamodb import DynamoDBClient

_DONE = 200
_TARGET = "DynamoDB_20120810."


class DirectDynamoDB:
    """A DynamoDB client whose calls for many items are faster.

    What these calls do not answer with success, the client does again: it retries, and raises errors. All other calls
    are the client's.

    Args:
        client: the client, whose address, region and timeouts are used.
        session: the source of the credentials. They expire, so they are read for each call.
        send: sends a signed request; by default over a connection pool.
    """

    def __init__(self, client: DynamoDBClient, session: Session, send: Send | None = None) -> None:
        self._client = client
        self._session = session
        self._given_send = send

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def batch_get_item(self, **request: Any) -> Any:
        """What the client's method of this name returns; binary values are texts in base64."""
        return self._answer("BatchGetItem", request) or self._client.batch_get_item(**request)

    def transact_write_items(self, **request: Any) -> Any:
        """What the client's method of this name returns."""
        # With the same token, a transaction that was executed without an answer is not executed again.
        request.setdefault("ClientRequestToken", str(uuid.uuid4()))
        answer = self._answer("TransactWriteItems", request)
        return self._client.transact_write_items(**request) if answer is None else answer

    def _answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any] | None:
        """The answer to a request; None if it is not a success."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        try:
            credentials = self._session.get_credentials()
            if credentials is None:
                return None
            headers = {
                "Content-Type": "application/x-amz-json-1.0",
                "User-Agent": f"Sluice/{__version__}",
                "X-Amz-Target": _TARGET + operation,
            }
            meta = self._client.meta
            body = orjson.dumps(request, default=_base64)
            signed = AWSRequest("POST", f"{meta.endpoint_url}/", headers=headers, data=body)
            SigV4Auth(credentials.get_frozen_credentials(), "dynamodb", meta.region_name).add_auth(signed)
            response = self._send(signed.prepare())
        except BotoCoreError:
            return None
        if response.status_code != _DONE:
            return None
        answer: dict[str, Any] = orjson.loads(response.content)
        return answer

    @cached_property
    def _send(self) -> Send:
        if self._given_send is not None:
            return self._given_send
        return sender(self._client.meta.config, self._session, self._client.meta.endpoint_url)


def _base64(value: bytes) -> str:
    return b64encode(value).decode()
