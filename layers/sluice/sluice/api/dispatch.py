"""From a gateway event to a handler and back: roles, problem details, CORS and idempotency."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import orjson
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from sluice.access.policy import require_role
from sluice.api.audit import RequestAudit
from sluice.api.call import Answer, Call
from sluice.api.cors import cors_headers
from sluice.api.idempotency import answer_once
from sluice.api.routes import VIEW_AS, Route
from sluice.api.targets import find_target
from sluice.container import Container, container
from sluice.domain.identity import Principal
from sluice.domain.names import is_slug
from sluice.domain.redact import mask_credentials
from sluice.errors import Invalid, MethodNotAllowed, NotFound, RequestError, SluiceError, TooManyRequests
from sluice.metrics import count_refused_request
from sluice.settings import Settings

PREFIX = "/v1"
logger = Logger()
# Basic comes first: browsers and Excel then ask for the key as a user name.
# The names of columns and principals may have any characters; ids of sensors have a colon, which clients may encode.
_ENCODED = ("field", "sensor_id", "principal")
_CHALLENGE = 'Basic realm="sluice", Bearer realm="sluice"'


class Dispatcher:
    """Serves tables of routes as a Lambda function behind an API Gateway REST API.

    Args:
        tables: the routes of this function.
    """

    def __init__(self, tables: Iterable[Iterable[Route]]) -> None:
        self.routes = [route for table in tables for route in table]
        self._resolver = APIGatewayRestResolver()
        for route in self.routes:
            rule = PREFIX + re.sub(r"\{(\w+)\}", r"<\1>", route.path)
            self._resolver.route(rule, method=list(route.methods))(self._endpoint(route))
        self._resolver.exception_handler(NotFoundError)(self._handle_unknown_path)
        self._resolver.exception_handler(Exception)(self._problem)

    def handle(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """Answer one API Gateway proxy event.

        Args:
            event: in the format of a REST API.
            context: Lambda's context.

        Returns:
            The response in the format of a Lambda proxy integration. Errors become problem details.
        """
        logger.append_keys(correlation_id=(event.get("requestContext") or {}).get("requestId"))
        return self._resolver.resolve({**event, "path": _encodable(event["path"])}, context)

    def _endpoint(self, route: Route) -> Callable[..., Response[Any]]:
        query_parameters = frozenset(parameter.name for parameter in route.all_parameters if parameter.place == "query")

        def endpoint(**arguments: str) -> Response[Any]:
            services = container()
            call = parse_call(self._resolver.current_event.raw_event, services, query_parameters)
            if route.deprecated is not None:
                # Powertools forgets the context after each event.
                self._resolver.context["headers"] = route.deprecated.headers(call.base_url, arguments)
            _require_within_rate(call, services)
            with RequestAudit(route, call, services) as audit:
                call, arguments = _admit(route, call, services, arguments)
                audit.begin(call)
                answer = answer_once(call, services, lambda: route.handler(call, services, **arguments))
                if route.method == "GET" and not route.anonymous and not route.any_query:
                    # Checked last, so that a missing resource answers 404 and not 422.
                    call.require_known_parameters()
                audit.end(call, answer)
            return self._send(call, answer)

        return endpoint

    def _send(self, call: Call, answer: Answer) -> Response[Any]:
        headers = {**answer.headers, **self._route_headers, **cors_headers(call.header("origin"), call.settings)}
        content, key, lake = answer.content(), answer.stored_key, container().lake
        if key is None and answer.status == 200 and not _fits(content, call.settings.max_inline_bytes):
            key = lake.put_answer(content)
        # The body of an answer to HEAD stays: the gateway takes its length for Content-Length, and does not send it.
        if key is None:
            if answer.filename and answer.status == 200:
                headers["Content-Disposition"] = _disposition(answer.media_type, answer.filename)
            return _response(answer.status, answer.media_type, content, headers)
        headers["Cache-Control"] = "no-store"  # the presigned URL in the answer expires soon
        name = answer.filename or "answer.json"
        headers["Location"] = lake.presigned_url(key, answer.media_type, name, head=call.method == "HEAD")
        return _response(303, "application/json", orjson.dumps({"location": headers["Location"]}), headers)

    def _handle_unknown_path(self, _: NotFoundError) -> Response[Any]:
        path, method = self._resolver.current_event.path, self._resolver.current_event.http_method
        verbs = sorted({verb for route in self.routes if matches_path(route, path) for verb in route.methods})
        # The name in a path may have characters that no name has.
        if verbs and method not in verbs:
            return self._problem(
                MethodNotAllowed(f"{path} has no method {method}; it has {', '.join(verbs)}."),
                {"Allow": ", ".join(verbs)},
            )
        return self._problem(NotFound(f"There is no {path}."))

    def _problem(self, error: Exception, headers: dict[str, str] | None = None) -> Response[Any]:
        # Built without the route's parameters: an error can occur before a route is found.
        call = parse_call(self._resolver.current_event.raw_event, container())
        if not isinstance(error, SluiceError):
            logger.exception("Unexpected error; answered 500.")
            error = SluiceError("An unexpected error occurred; the logs have it under the id of this request.")
        # Errors of AWS and of runs are our concern; those of requests are the client's and would fill the logs.
        elif not isinstance(error, RequestError):
            logger.warning(error.detail)
        count_refused_request(call.settings.stack, error.status)
        # A key in a path or a name would be repeated, and what shows problems may log them.
        body = mask_credentials(orjson.dumps(error.problem(instance=call.path)).decode()).encode()
        extra = {"WWW-Authenticate": _CHALLENGE} if error.status == 401 else {}
        if isinstance(error, TooManyRequests):
            extra["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
        elif error.status == 503:
            extra["Retry-After"] = "1"
        return _response(
            error.status,
            "application/problem+json",
            body,
            self._route_headers | cors_headers(call.header("origin"), call.settings) | extra | (headers or {}),
        )

    @property
    def _route_headers(self) -> dict[str, str]:
        """The headers that every answer of the present route has, problems included."""
        headers: dict[str, str] = self._resolver.context.get("headers", {})
        return headers


def _admit(route: Route, call: Call, services: Container, arguments: dict[str, str]) -> tuple[Call, dict[str, str]]:
    """The call with its target, and the path's parameters, if the caller may do what the route does."""
    if route.acts and VIEW_AS.name in call.query:
        message = f"{route.method} {route.path} does more than reading, so it cannot be done as somebody else."
        raise Invalid(message, [{"pointer": f"?{VIEW_AS.name}", "message": "Leave it out."}])
    if VIEW_AS in route.all_parameters and (viewed := call.query_value(VIEW_AS.name)) is not None:
        from sluice.api.view_as import viewed_principal  # few requests are as somebody else

        call = replace(call, caller=viewed_principal(services, call.principal, viewed))
    # Before the target is loaded: a role that is too low is 403, whether or not the resource exists.
    if route.action is not None:
        require_role(call.principal, route.action)
    names = {name: unquote(value) if name in _ENCODED else value for name, value in arguments.items()}
    for name, value in names.items():
        if name not in ("field", "principal"):
            _require_plausible_name(name, value)
    if route.action is None:
        return call, names
    target = find_target(services, call.principal, route.path, route.action, route.creates, names)
    return replace(call, target=target), names


def _response(status: int, media_type: str, content: bytes, headers: dict[str, str]) -> Response[Any]:
    # Answers depend on the caller's credentials, so shared caches must not store them.
    all_headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **headers}
    if status == 204:
        return Response(status_code=status, body="", headers=all_headers)
    return Response(status_code=status, content_type=media_type, body=content.decode(), headers=all_headers)


def _disposition(media_type: str, filename: str) -> str:
    """The Content-Disposition of an answer: browsers show pages and JSON, and save everything else."""
    shown = media_type.partition(";")[0] in ("application/json", "text/html")
    return f'{"inline" if shown else "attachment"}; filename="{filename}"'


def _is_text(content: bytes) -> bool:
    """Whether the content is UTF-8, which a gateway that only carries text can pass on unchanged."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def parse_call(event: dict[str, Any], services: Container, known_parameters: frozenset[str] = frozenset()) -> Call:
    """The request in a REST API's proxy event.

    Args:
        event: API Gateway's proxy event.
        known_parameters: the query parameters that the route understands.
    """
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    return Call(
        method=event["httpMethod"],
        path=event["path"],
        headers=headers,
        query=event.get("multiValueQueryStringParameters") or {},
        raw_body=event.get("body"),
        body_is_base64=bool(event.get("isBase64Encoded")),
        base_url=_base_url(event, headers, services.settings),
        settings=services.settings,
        caller=_caller(event),
        known_parameters=known_parameters,
        source_ip=((event.get("requestContext") or {}).get("identity") or {}).get("sourceIp") or "",
        request_id=(event.get("requestContext") or {}).get("requestId"),
    )


def _require_within_rate(call: Call, services: Container) -> None:
    """Refuse a caller that sends too many requests.

    This is not the authorizer's part: its refusal is 403, and links and documentation have none.

    Raises:
        TooManyRequests: the caller is over `KEY_REQUESTS_PER_SECOND`.
    """
    caller = call.caller.id if call.caller is not None else f"ip/{call.source_ip}"
    wait = services.rate_limits.admit(caller)
    if wait is not None:
        rate = call.settings.key_requests_per_second
        whose = "this key or user" if call.caller is not None else "this address without a key"
        raise TooManyRequests(f"More than {rate:g} requests a second from {whose}; wait, then try again.", wait)


def _encodable(path: str) -> str:
    """A path without lone surrogates, which JSON in an event can have, and a problem's `instance` cannot."""
    return path.encode(errors="replace").decode()


def _base_url(event: dict[str, Any], headers: dict[str, str], settings: Settings) -> str:
    """The API's address in links. On AWS the `Host` header is never used, since any client can forge it."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    context = event.get("requestContext") or {}
    stage = context.get("stage", "")
    if settings.aws_sam_local:  # `sam local start-api` serves one machine and its events have no domain name
        return f"{headers.get('x-forwarded-proto', 'http')}://{headers.get('host', 'localhost')}{PREFIX}"
    if settings.emulated:
        endpoint = settings.aws_endpoint_url.rstrip("/")
        return f"{endpoint}/restapis/{context.get('apiId', '')}/{stage}/_user_request_{PREFIX}"
    return f"https://{context.get('domainName', '')}/{stage}{PREFIX}"


def _caller(event: dict[str, Any]) -> Principal | None:
    context = (event.get("requestContext") or {}).get("authorizer") or {}
    if "principal" not in context:
        return None
    return Principal.model_validate(orjson.loads(base64.b64decode(context["principal"])))


def _fits(content: bytes, max_bytes: int) -> bool:
    """Whether a body fits in Lambda's response.

    The body is a JSON string there, in which one byte can take six, as an escape.
    """
    if len(content) > max_bytes or not _is_text(content):
        return False
    return len(content) * 6 <= max_bytes or len(orjson.dumps(content.decode())) <= max_bytes


def _require_plausible_name(name: str, value: str) -> None:
    """Answer 404 for a path segment that no resource can be named by, before anything is looked up."""
    if unquote(value) != value or not (is_slug(value.lower()) or re.fullmatch(r"[A-Za-z0-9_.:-]{1,80}", value)):
        raise NotFound(f"There is no such {name}.")


def matches_path(route: Route, path: str) -> bool:
    """Whether a path fits a route's template.

    Args:
        path: with the prefix `/v1`.
    """
    pattern = PREFIX + re.sub(r"\{\w+\}", "[^/]+", route.path)
    return re.fullmatch(pattern, path.rstrip("/")) is not None
