"""A project `p` over datasources that tests assign one by one, and upstreams by the name of their host."""

from typing import Any

from support.client import Client
from support.upstream import StubResponse, Upstream, ok

JOIN = {"strategy": "join", "key": ["symbol"]}


def project(admin: Client, sources: dict[str, Any], merge: dict[str, Any] = JOIN, **more: Any) -> None:
    """A project `p` over datasources, each given as its assignment."""
    body = {"name": "p", "merge": merge, "refresh_on": "manual", **more}
    answer = admin.put("/projects/p", body)
    assert answer.status in (200, 201), answer.text
    for slug, assignment in sources.items():
        answer = admin.put(f"/projects/p/datasources/{slug}", assignment)
        assert answer.status in (200, 201), answer.text


def serve_by_host(upstream: Upstream, documents: dict[str, Any]) -> None:
    def answer(request: Any) -> StubResponse:
        document = documents[request.url.host.partition(".")[0]]
        return document if isinstance(document, StubResponse) else ok(document)

    upstream.answer = answer
