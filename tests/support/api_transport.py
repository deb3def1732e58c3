"""An httpx transport to the API and the storage of this process, for clients that are written for the network.

    Sluice(API, key, transport=ApiTransport(services))

The API's requests go through `support.client.Client`, which checks every answer against the OpenAPI document. The
storage is moto's: presigned links are read, and a file that is uploaded by a presigned form is told to the platform,
as S3 tells it.
"""

from __future__ import annotations

import email.parser
import email.policy
from typing import Any
from urllib.parse import unquote

import boto3
import httpx

from sluice.container import Container
from support.client import Client
from support.documents import drop
from support.template import resources

BINARY = resources("AWS::Serverless::Api")["Api"]["BinaryMediaTypes"]
# The address in the answers' links, see `event_of`.
API = "https://api.example.com/live/v1"


class ApiTransport(httpx.BaseTransport):
    """Answers requests to `API` and to presigned addresses."""

    def __init__(self, services: Container) -> None:
        self.services = services
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        if str(request.url).startswith(API):
            return self._call(request)
        # S3 refuses a request that is signed and has another credential, too.
        assert "authorization" not in request.headers
        assert "x-api-key" not in request.headers
        return self._upload(request) if request.method == "POST" else self._download(request)

    def _call(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode().removeprefix(httpx.URL(API).path)
        binary = request.headers.get("content-type") in BINARY
        body = request.content if binary else request.content.decode() or None
        reply = Client().call(request.method, path, body, **dict(request.headers))
        return httpx.Response(reply.status, headers=reply.headers, content=reply.text.encode())

    def _download(self, request: httpx.Request) -> httpx.Response:
        host, path = request.url.host, unquote(request.url.path).lstrip("/")
        bucket, key = path.split("/", 1) if host.startswith("s3.") else (host.partition(".")[0], path)
        stored = boto3.client("s3").get_object(Bucket=bucket, Key=key)
        headers = {"Content-Type": request.url.params["response-content-type"]}
        return httpx.Response(200, headers=headers, content=stored["Body"].read())

    def _upload(self, request: httpx.Request) -> httpx.Response:
        head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
        form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + request.content)
        parts = {part.get_param("name", header="content-disposition"): part for part in form.iter_parts()}
        assert list(parts)[-1] == "file", "S3 ignores fields after the file"
        content: Any = parts["file"].get_payload(decode=True)
        drop(self.services, parts["key"].get_content().strip(), content)
        return httpx.Response(204)
