"""Writes the peer of the cold-start benchmark: a FastAPI service with the same routes, behind Mangum.

The service is a module of its own, so that it imports nothing of ours but the pydantic documents
that both validate and answer with: whoever builds on FastAPI has models like them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from keyword import iskeyword
from pathlib import Path

from sluice.api.routes import Parameter, Route
from sluice.domain.datasource import Datasource
from sluice.domain.project import Assignment, Project

_MODELS: dict[type, str] = {Datasource: "Datasource", Project: "Project", Assignment: "Assignment"}
_BEGINNING = """
import base64
import json
import os
from typing import Annotated, Any

import boto3
from fastapi import Depends, FastAPI, HTTPException, Query, Request
from mangum import Mangum
from pydantic import BaseModel
from sluice.domain.datasource import Datasource, HttpDatasource
from sluice.domain.project import Assignment, Project

app = FastAPI(title="Peer")
_clients = {}


class Principal(BaseModel):
    id: str
    role: str
    projects: list[str] | None = None


class DatasourceView(HttpDatasource):
    etag: str
    created_at: str
    updated_at: str
    created_by: str


def principal(request: Request) -> Principal:
    vouched = request.scope["aws.event"]["requestContext"].get("authorizer") or {}
    if "principal" not in vouched:
        raise HTTPException(401)
    return Principal.model_validate_json(base64.b64decode(vouched["principal"]))


Caller = Annotated[Principal, Depends(principal)]


def table():
    if "table" not in _clients:
        _clients["table"] = boto3.resource("dynamodb").Table(os.environ["DEFINITIONS_TABLE"])
    return _clients["table"]


@app.get("/v1/health")
def health() -> dict[str, str]:
    return {"status": "ok", "version": "0.3.0.dev0"}


@app.get("/v1/datasources/{slug}", response_model=DatasourceView)
def get_datasource(slug: str, caller: Caller):
    item = table().get_item(Key={"workspace_kind": "main#datasource", "name": slug}, ConsistentRead=True).get("Item")
    if item is None:
        raise HTTPException(404)
    known = {"etag": str(item["version"])} | {name: item[name] for name in ("created_at", "updated_at", "created_by")}
    return {**json.loads(item["document"]), **known}
"""
_WRITTEN = {("GET", "/health"), ("GET", "/datasources/{slug}")}


def write_service(file: Path, routes: Iterable[Route]) -> None:
    """Write the module: two routes that answer, and all others with their parameters and documents."""
    parts = [_BEGINNING]
    for route in routes:
        if (route.method, route.path) in _WRITTEN:
            continue
        arguments = [f"{name}: str" for name in re.findall(r"\{(\w+)\}", route.path)]
        arguments += [] if route.role is None else ["caller: Caller"]
        if route.body is not None:
            known = _MODELS.get(route.body) if isinstance(route.body, type) else None
            arguments.append(f"body: {known or 'dict[str, Any]'}")
        arguments += [_query_argument(parameter) for parameter in route.parameters if parameter.place == "query"]
        returns = "Project" if route.path.startswith("/projects") and route.body is Project else "dict[str, Any]"
        parts.append(
            f"\n\n@app.{route.method.lower()}({'/v1' + route.path!r}, status_code={route.status})\n"
            f"def {route.operation_id}({', '.join(arguments)}) -> {'None' if route.status == 204 else returns}:\n"
            "    raise HTTPException(501)\n"
        )
    parts.append("\n\nhandler = Mangum(app, lifespan='off')\n")
    file.write_text("".join(parts))


def _query_argument(parameter: Parameter) -> str:
    """The argument of a function for a query parameter; one that is named by a word of Python's has an alias."""
    kind = "list[str]" if parameter.repeated else "str"
    if iskeyword(parameter.name):
        return f"{parameter.name}_: {kind} | None = Query(None, alias={parameter.name!r})"
    return f"{parameter.name}: {kind} | None = {'Query(None)' if parameter.repeated else 'None'}"
