"""Moto's DynamoDB without HTTP between botocore and moto.

Most of the time of a test that uses the platform is spent in resolving endpoints, signing requests,
matching addresses and serializing answers. Here a client hands the JSON of a call to moto's own handler
of the operation and returns its result.
"""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from threading import Lock
from typing import Any

import orjson
from botocore.awsrequest import AWSResponse
from botocore.client import BaseClient
from botocore.compat import HTTPHeaders
from botocore.parsers import create_parser
from moto.core.exceptions import HTTPException, ServiceException  # type: ignore[attr-defined] # not exported
from moto.core.models import botocore_stubber
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.dynamodb.responses import DynamoHandler

ACCOUNT = "123456789012"
_PARSER = create_parser("json")
_make_api_call = BaseClient._make_api_call  # type: ignore[attr-defined] # private
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


def call(self: Any, operation_name: str, api_params: dict[str, Any]) -> Any:
    """`BaseClient._make_api_call`, which hands the request's JSON to moto.

    As botocore's, it checks the parameters, raises the service's errors, and emits the events before
    and after. It resolves no endpoint, and no event has a request.
    """
    service = self._service_model
    if service.service_name != "dynamodb" or operation_name not in DIRECT or not botocore_stubber.enabled:
        return _make_api_call(self, operation_name, api_params)
    model = service.operation_model(operation_name)
    context: dict[str, Any] = {"client_region": self.meta.region_name, "client_config": self.meta.config}
    params = self._emit_api_params(api_params=api_params, operation_model=model, context=context)
    request = self._serializer.serialize_to_request(params, model)
    status, parsed = _answer(model, self.meta.region_name, request)
    response = AWSResponse(self.meta.endpoint_url, status, HTTPHeaders(), None)
    self.meta.events.emit(
        f"after-call.dynamodb.{operation_name}", http_response=response, parsed=parsed, model=model, context=context
    )
    if status >= 300:
        raise self.exceptions.from_code(parsed["Error"]["Code"])(parsed, operation_name)
    return parsed


def _answer(model: Any, region: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """The status and the parsed result of a call."""
    handler = DynamoHandler()
    handler.region = region
    handler.current_account = ACCOUNT
    handler.headers = {"X-Amz-Target": request["headers"]["X-Amz-Target"], "Content-Type": "application/x-amz-json-1.0"}
    handler.response_headers = {}
    handler.querystring = {}
    handler.params = handler.body = orjson.loads(request["body"])
    try:
        with _ONE_CALL:
            result: Any = getattr(handler, _method_name(model.name))()
            members = model.output_shape.members
            known = {name: value for name, value in (result.result or {}).items() if name in members}
            # What the caller gets shares nothing with what is stored.
            parsed = _copy(known)
    except ServiceException as error:
        status, _, body = handler.serialized(ActionResult(error))
        return _refused(model, int(status), str(body))
    except HTTPException as error:
        assert error.code is not None
        return _refused(model, error.code, str(error.description))
    return 200, {**parsed, "ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}}}


def _copy(value: Any) -> Any:
    """A copy of a result, whose binary attributes are bytes, as botocore returns them."""
    try:
        return orjson.loads(orjson.dumps(value))
    except TypeError:  # JSON has no bytes
        return deepcopy(value)


def _refused(model: Any, status: int, body: str) -> tuple[int, dict[str, Any]]:
    response = {"status_code": status, "headers": {}, "body": body.encode()}
    parsed = _PARSER.parse(response, model.output_shape)
    shape = model.service_model.shape_for_error_code(parsed["Error"]["Code"])
    if shape is not None:
        parsed |= {name: value for name, value in _PARSER.parse(response, shape).items() if name not in parsed}
    return status, parsed


def install() -> None:
    """Have every botocore client call moto's DynamoDB directly."""
    BaseClient._make_api_call = call  # type: ignore[attr-defined] # private
