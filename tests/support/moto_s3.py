"""Moto's S3 without HTTP between botocore and moto, for the plain reads and writes of objects.

Everything else goes over HTTP: ranges, versions and copies.
"""

from __future__ import annotations

from datetime import UTC
from io import BytesIO
from typing import Any

import botocore.handlers
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.response import StreamingBody
from moto.core.models import botocore_stubber
from moto.s3.models import FakeKey, S3Backend, s3_backends

from support.moto_dynamodb import ACCOUNT

# The parameters that a direct call may have, by operation.
DIRECT = {
    "GetObject": {"Bucket", "Key", "ChecksumMode"},  # botocore adds the mode
    "HeadObject": {"Bucket", "Key", "ChecksumMode"},
    "PutObject": {"Bucket", "Key", "Body", "ContentType", "IfNoneMatch"},
}
_EXISTS = {
    "Code": "PreconditionFailed",
    "Message": "At least one of the pre-conditions you specified did not hold",
    "Condition": "If-None-Match",
}


def answer(model: Any, params: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]] | None:
    """The HTTP response and the parsed result of a call, or none when it should go over HTTP."""
    arguments = params["context"].get("s3_redirect", {}).get("params", {})
    if not botocore_stubber.enabled or not arguments.keys() <= DIRECT.get(model.name, set()):
        return None
    backend = s3_backends[ACCOUNT]["aws"]
    bucket = backend.buckets.get(arguments["Bucket"])
    if bucket is None:
        return None
    stored = backend.get_object(bucket.name, arguments["Key"])
    if model.name == "PutObject":
        if "IfNoneMatch" in arguments and stored is not None:
            return _response(params, 412, {"Error": _EXISTS})
        return _response(params, 200, _put(backend, bucket, arguments))
    if stored is None and model.name == "GetObject" and arguments["Key"] not in bucket.keys:
        error = {"Code": "NoSuchKey", "Message": "The specified key does not exist.", "Key": arguments["Key"]}
        return _response(params, 404, {"Error": error})
    if stored is None or stored.metadata.keys() - {"content-type"}:
        return None
    body = {"Body": StreamingBody(BytesIO(stored.value), stored.size)} if model.name == "GetObject" else {}
    return _response(params, 200, _described(stored) | body)


def _response(params: dict[str, Any], status: int, result: dict[str, Any]) -> tuple[AWSResponse, dict[str, Any]]:
    metadata = {"HTTPStatusCode": status, "HTTPHeaders": {}, "RetryAttempts": 0}
    return AWSResponse(params["url"], status, HTTPHeaders(), None), {**result, "ResponseMetadata": metadata}


def _put(backend: S3Backend, bucket: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    body = arguments.get("Body", b"")
    content = body if isinstance(body, bytes) else body.read()
    stored = backend.put_object(bucket.name, arguments["Key"], bytes(content), storage="STANDARD")
    if "ContentType" in arguments:
        stored.set_metadata({"Content-Type": arguments["ContentType"]})
    stored.set_acl(bucket.acl)
    return {"ETag": stored.etag, **_version(stored)}


def _described(stored: FakeKey) -> dict[str, Any]:
    return {
        "AcceptRanges": "bytes",
        "ContentLength": stored.size,
        "ContentType": stored.metadata.get("content-type", "binary/octet-stream"),
        "ETag": stored.etag,
        "LastModified": stored.last_modified.replace(microsecond=0, tzinfo=UTC),
        "Metadata": {},
        **_version(stored),
    }


def _version(stored: FakeKey) -> dict[str, str]:
    return {} if stored.version_id == "null" else {"VersionId": str(stored.version_id)}


def install() -> None:
    """Have every botocore client that is made from now on call moto's S3 directly."""
    botocore.handlers.BUILTIN_HANDLERS.append(("before-call.s3", answer, botocore.handlers.REGISTER_LAST))
