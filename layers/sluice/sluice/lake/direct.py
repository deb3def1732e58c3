"""A fast path to S3 for small objects: signed by botocore, sent without its client.

For each call the client resolves an endpoint, validates and serializes parameters, and emits thirty events. That
takes longer than compressing a page: 0.95 ms of processor time instead of 0.45.
"""

from __future__ import annotations

import uuid
from functools import cached_property
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.exceptions import BotoCoreError

from sluice import __version__
from sluice.aws import Send, sender

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from botocore.session import Session
    from mypy_boto3_s3 import S3Client

_DONE = 200
_EXISTS = 412


class DirectObjects:
    """The objects of one bucket.

    After an unexpected response the caller must use the client, which retries and raises.

    Args:
        s3: the client, whose address, region and timeouts are used.
        session: the source of the credentials. They expire, so they are read for each call.
        bucket: the bucket.
        send: sends a signed request; by default over a connection pool.
    """

    def __init__(self, s3: S3Client, session: Session, bucket: str, send: Send | None = None) -> None:
        self._s3 = s3
        self._session = session
        self._bucket = bucket
        self._given_send = send
        self._example = uuid.uuid4().hex
        self._example_url = ""
        # The client chooses the address (region, path style, emulator). One request that is not sent reveals it.
        s3.meta.events.register("before-send.s3.GetObject", self._keep_example)

    def put_new(self, key: str, body: bytes) -> bool:
        """Write an object unless its key exists.

        Args:
            key: the full key.
            body: the content.

        Returns:
            Whether an object with this key exists now; if not, use the client.
        """
        answer = self._answer("PUT", key, {"If-None-Match": "*"}, body)
        return answer is not None and answer.status_code in (_DONE, _EXISTS)

    def get(self, key: str) -> StreamingBody | None:
        """Read an object.

        Args:
            key: the full key.

        Returns:
            The content as a stream; None if the client must be used.
        """
        from botocore.response import StreamingBody

        answer = self._answer("GET", key, {}, None)
        if answer is None:
            return None
        if answer.status_code != _DONE:
            answer.raw.close()
            return None
        return StreamingBody(answer.raw, answer.headers.get("content-length"))

    def _answer(self, method: str, key: str, headers: dict[str, str], body: bytes | None) -> Any | None:
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest

        try:
            credentials = self._session.get_credentials()
            if credentials is None:
                return None
            request = AWSRequest(
                method=method,
                url=self._address + quote(key, safe="/~"),
                headers={"User-Agent": f"Sluice/{__version__}", **headers},
                data=body,
                stream_output=method == "GET",
            )
            # The signature covers the body's hash, so that S3 refuses a body that was corrupted in transit.
            S3SigV4Auth(credentials.get_frozen_credentials(), "s3", self._s3.meta.region_name).add_auth(request)
            return self._send(request.prepare())
        except BotoCoreError:
            return None

    @cached_property
    def _address(self) -> str:
        """The URL prefix of the bucket's objects, with a trailing slash, as the client would choose it."""
        self._s3.get_object(Bucket=self._bucket, Key=self._example)
        return self._example_url.removesuffix(self._example)

    def _keep_example(self, request: Any, **_: Any) -> Any:
        """Note the URL of the example request, and answer it without sending it."""
        if not request.url.endswith(self._example):
            return None
        from botocore.awsrequest import AWSResponse
        from botocore.compat import HTTPHeaders

        self._example_url = request.url
        return AWSResponse(request.url, _DONE, HTTPHeaders(), BytesIO())

    @cached_property
    def _send(self) -> Send:
        if self._given_send is not None:
            return self._given_send
        return sender(self._s3.meta.config, self._session, self._address)
