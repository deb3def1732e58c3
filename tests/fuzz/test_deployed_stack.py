"""A deployed stack answers requests derived from its OpenAPI document: never a 5xx, and nothing undescribed.

`FUZZ_EXAMPLES` is the number of requests to each operation (20), `FUZZ_SEED` chooses them (random). `SLUICE_STACK` may
name the `stack.json` of a stack that runs already; the requests change and delete what it has.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import Any

import pytest

from support.examples import ORDER, SECRETS, example_requests
from support.fuzzing import Request, Response, fuzz, known_values
from support.server import Server
from support.stack import Deployed, deployed_stack


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with deployed_stack(tmp_path_factory.mktemp("local")) as running:
        yield running


@pytest.fixture(scope="module")
def published(deployed: Deployed) -> Deployed:
    """A stack with the document's examples, and a project with a published version."""
    for name in SECRETS:
        deployed.done("PUT", f"/secrets/{name}", {"value": "x"})
    for request in example_requests(*ORDER):
        content = {"content": request.body} if isinstance(request.body, bytes | str) else {"json": request.body}
        assert deployed.http is not None
        # Upstreams do not exist, so what needs data is refused.
        answer = deployed.http.request(request.method, request.path, **content)
        assert answer.status_code < 500, f"{request.label}: {answer.text}"
    with Server().running() as server:
        server.answer("/listings", b'[{"symbol": "BTC", "price_usd": 67000.5, "updated_at": "2026-01-31T12:00:00Z"}]')
        listings = {"name": "CoinMarketCap listings", "kind": "http", "http": {"url": f"{server.url}/listings"}}
        deployed.done("PUT", "/datasources/cmc-listings", listings)
        run = deployed.ended(deployed.done("POST", "/projects/top-coins/runs", {"ingest": "all"}))
    assert run["version"], run
    return deployed


def test_no_request_fails(published: Deployed) -> None:
    assert published.http is not None
    http = published.http
    examples = int(os.environ.get("FUZZ_EXAMPLES", "20"))
    seed = int(os.environ.get("FUZZ_SEED", random.randrange(2**32)))

    def get(path: str) -> Any:
        answer = http.get(path)
        return answer.json() if answer.headers.get("Content-Type") == "application/json" else None

    def send(request: Request) -> Response:
        answer = http.request(request.method, request.path, headers=request.headers, content=request.body)
        return Response(answer.status_code, answer.headers.get("Content-Type"), answer.text)

    faults = fuzz(send, known_values(get), examples, seed)
    assert faults == [], f"FUZZ_SEED={seed}\n" + "\n".join(faults)
