"""The peer of the query benchmark: an endpoint's kept answer by FastAPI behind Mangum."""

import base64
import time
from collections.abc import Callable
from typing import Annotated, Any, Literal

import boto3
from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from mangum import Mangum
from pydantic import BaseModel


class Principal(BaseModel):
    """The caller that the authorizer vouched for."""

    id: str
    role: str
    projects: list[str] | None = None


def principal(request: Request) -> Principal:
    """The caller, or 401."""
    vouched = request.scope["aws.event"]["requestContext"].get("authorizer") or {}
    if "principal" not in vouched:
        raise HTTPException(401)
    return Principal.model_validate_json(base64.b64decode(vouched["principal"]))


def kept_endpoint(body: bytes, headers: dict[str, str]) -> Callable[..., Any]:
    """A handler that keeps this answer under the version that DynamoDB tells."""
    app = FastAPI()
    client = boto3.client("dynamodb")
    kept: dict[tuple[Any, ...], tuple[bytes, dict[str, str], float]] = {}

    @app.get("/v1/endpoints/{project}/{name}")
    def call(
        project: str,
        name: str,
        request: Request,
        caller: Annotated[Principal, Depends(principal)],
        limit: Annotated[int, Query(ge=1, le=200)] = 100,
        low: float = 0,
        format: Literal["json", "csv"] = "json",
    ) -> Response:
        endpoint = {"workspace_kind": {"S": "main#endpoint"}, "name": {"S": f"{project}#{name}"}}
        pointer = {"workspace": {"S": "main"}, "dataset": {"S": f"project/{project}"}}
        wanted: Any = {"DefinitionsTable": {"Keys": [endpoint]}, "DatasetsTable": {"Keys": [pointer]}}
        found: Any = client.batch_get_item(RequestItems=wanted)["Responses"]
        version = found["DefinitionsTable"][0]["version"]["N"], found["DatasetsTable"][0]["published"]["N"]
        key = (project, name, version, limit, low, format)
        if key not in kept:
            kept[key] = (body, headers, time.time())
        content, told, made_at = kept[key]
        if request.headers.get("if-none-match") == told["ETag"]:
            return Response(status_code=304, headers=told)
        aged = {**told, "Age": str(int(time.time() - made_at))}
        return Response(content, headers=aged, media_type="application/json")

    handler: Callable[..., Any] = Mangum(app, lifespan="off")
    return handler
