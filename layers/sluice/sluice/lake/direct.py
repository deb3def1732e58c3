"""Small objects to S3 and back at half of the client's price: signed by botocore, sent without its machinery.

For each call the client resolves an endpoint, checks and serializes parameters, and emits thirty
events. That takes longer than compressing a page does.
"""

from __future__ import annotations

import socket
import uuid
from collections.abc import Callable
from functools import cached_property
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.exceptions import BotoCoreError

from sluice import __version__

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from botocore.session import Session
    from mypy_boto3_s3 import S3Client

    # What sends a request, as the connections of botocore do.
    Send = Callable[[Any], Any]

_DONE = 200
_EXISTS = 412


class DirectObjects:
    """The objects of one bucket. Any answer but the expected one is left to the client, which retries and raises.

    Args:
        s3: the client, whose addresses, region and time limits are kept to.
        session: where the client's credentials are from; they are asked for with each call, since they expire.
        send: sends the signed requests; by default over connections kept for that.
    """

    def __init__(self, s3: S3Client, session: Session, bucket: str, send: Send | None = None) -> None:
        self._s3 = s3
        self._session = session
        self._bucket = bucket
        self._given_send = send
        self._example = uuid.uuid4().hex
        self._example_url = ""
        s3.meta.events.register("before-send.s3.GetObject", self._keep_example)

    def put_new(self, key: str, body: bytes) -> bool:
        """Write an object, unless there is one with this key.

        Returns:
            Whether the key has an object now; if not, the client must be asked.
        """
        answer = self._answer("PUT", key, {"If-None-Match": "*"}, body)
        return answer is not None and answer.status_code in (_DONE, _EXISTS)

    def get(self, key: str) -> StreamingBody | None:
        """The content of an object, to be read as the client's answers are; none if the client must be asked."""
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
            # The hash of the body is signed, too: S3 refuses a body that has changed on its way.
            S3SigV4Auth(credentials.get_frozen_credentials(), "s3", self._s3.meta.region_name).add_auth(request)
            return self._send(request.prepare())
        except BotoCoreError:
            return None

    @cached_property
    def _address(self) -> str:
        """The address of the bucket with a slash at its end: what the client puts in front of a key."""
        self._s3.get_object(Bucket=self._bucket, Key=self._example)
        return self._example_url.removesuffix(self._example)

    def _keep_example(self, request: Any, **_: Any) -> Any:
        """Note the address of a request that is made for this purpose alone, in place of sending it."""
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
        from botocore.httpsession import URLLib3Session
        from botocore.utils import get_environ_proxies

        # botocore's stubs know neither the options of a client nor all that its connections take.
        config: Any = self._s3.meta.config
        options: dict[str, Any] = {
            "verify": self._session.get_config_variable("ca_bundle") or True,
            "proxies": get_environ_proxies(self._address),
            "timeout": (config.connect_timeout, config.read_timeout),
            "max_pool_connections": config.max_pool_connections,
            # Without it the body of a request waits 40 ms for the acknowledgement of its head.
            "socket_options": [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        }
        return URLLib3Session(**options).send
