"""Moto's DynamoDB without HTTP between botocore and moto.

Most of the time of a test that uses the platform is spent in signing requests, matching addresses
and serializing answers. botocore lets a `before-call` handler answer a call. This one hands the
request's JSON to moto's own handler of the operation and returns its result.
"""

from __future__ import annotations

from copy import deepcopy


from functools import cache
from threading import Lock
from typing import Any

import botocore.handlers
import orjson
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.parsers import create_parser
from moto.core.exceptions import HTTPException, ServiceException  # type: ignore[attr-defined] # not exported
from moto.core.models import botocore_stubber
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.dynamodb.responses import DynamoHandler

ACCOUNT = "123456789012"
_PARSER = create_parser("json")
_method_name = cache(camelcase_to_underscores)
# DynamoDB's calls are atomic; those of moto are not.
_ONE_CALL = Lock()
# Operations whose results are what goes over the wire: items are typed JSON values.
DIRECT = frozenset(
    {
        "BatchGetItem",
        "BatchWriteItem",
        "DeleteItem",
        "GetItem",
        "PutItem",
        "Query",
        "Scan",
        "TransactGetItems",
        "TransactWriteItems",
        "UpdateItem",
    }
)


def answer(model: Any, params: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]] | None:
    """The HTTP response and the parsed result of a call, or none when it should go over the wire."""
    if not botocore_stubber.enabled or model.name not in DIRECT:
        return None
    handler = DynamoHandler()
    handler.region = params["context"]["client_region"]
    handler.current_account = ACCOUNT
    handler.headers = {"X-Amz-Target": params["headers"]["X-Amz-Target"], "Content-Type": "application/x-amz-json-1.0"}
    handler.response_headers = {}
    handler.querystring = {}
    handler.params = handler.body = orjson.loads(params["body"])
    try:
        with _ONE_CALL:
            result: Any = getattr(handler, _method_name(model.name))()
            members = model.output_shape.members
            known = {name: value for name, value in (result.result or {}).items() if name in members}
            # What the caller gets shares nothing with what is stored.
            parsed = _copy(known)
    except ServiceException as error:
        status, _, body = handler.serialized(ActionResult(error))
        return _refused(model, params, int(status), str(body))
    except HTTPException as error:
        assert error.code is not None
        return _refused(model, params, error.code, str(error.description))
    return _response(params, 200), {**parsed, "ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}}}


def _copy(value: Any) -> Any:
    """A copy of a result, whose binary attributes are bytes, as botocore returns them."""
    try:
        return orjson.loads(orjson.dumps(value))
    except TypeError:  # JSON has no bytes
        return deepcopy(value)


def _refused(model: Any, params: dict[str, Any], status: int, body: str) -> tuple[AWSResponse, dict[str, Any]]:
    response = {"status_code": status, "headers": {}, "body": body.encode()}
    parsed = _PARSER.parse(response, model.output_shape)
    shape = model.service_model.shape_for_error_code(parsed["Error"]["Code"])
    if shape is not None:
        parsed |= {name: value for name, value in _PARSER.parse(response, shape).items() if name not in parsed}
    return _response(params, status), parsed


def _response(params: dict[str, Any], status: int) -> AWSResponse:
    return AWSResponse(params["url"], status, HTTPHeaders(), None)


def install() -> None:
    """Have every botocore client that is made from now on call moto's DynamoDB directly."""
    botocore.handlers.BUILTIN_HANDLERS.append(("before-call.dynamodb", answer, botocore.handlers.REGISTER_LAST))
