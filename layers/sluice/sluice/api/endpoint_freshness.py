"""Refreshing the data of an endpoint before it is read, if it is older than the endpoint promises."""

from __future__ import annotations

from aws_lambda_powertools import Logger

from sluice.api.running import wait_for_run
from sluice.container import Container
from sluice.domain.endpoint import Endpoint
from sluice.domain.identity import Principal
from sluice.domain.names import now, parse_time
from sluice.errors import SluiceError
from sluice.reads.endpoints.cache import CachedAnswer
from sluice.reads.endpoints.freshness import Freshness
from sluice.reads.endpoints.server import EndpointServer, ResolvedEndpoint
from sluice.runs.read_refreshes import shared_refresh

logger = Logger()


def refresh_if_too_old(
    services: Container, server: EndpointServer, endpoint: ResolvedEndpoint, caller: Principal | None
) -> ResolvedEndpoint:
    """Refresh the project of an endpoint whose data is older than it promises, and wait for that.

    All readers share one refresh. Each waits until it ends, but not longer than `ENDPOINT_WAIT_SECONDS` after it was
    started: then the reader gets the published data as it is. So does one who comes when `MAX_WAITING_CALLS`
    others wait (`MAX_ANONYMOUS_WAITING_CALLS` for one without credentials), and everybody while refreshes fail.
    Nobody needs a role for that, since the endpoint's document asks for it.

    Args:
        server: reads the endpoint's pointers.
        endpoint: the endpoint, as `server.find` returns it.
        caller: who reads it; None without credentials.

    Returns:
        The endpoint with the pointers after the wait.
    """
    if not _is_too_old(endpoint):
        return endpoint
    project = services.definitions.find("project", endpoint.project)
    if project is None or not project.document["enabled"]:
        return endpoint
    by = caller.id if caller is not None else f"endpoint/{endpoint.name}"

    def freshness() -> Freshness:
        current = server.reread(endpoint).freshness()
        assert current is not None, "it was measured before"
        return current

    try:
        run = shared_refresh(services, endpoint.project, by, freshness)
        waited = (now() - parse_time(run.created_at)).total_seconds()
        settings = services.settings
        # Readers without credentials leave room for those with a key to wait.
        most = min(settings.max_anonymous_waiting_calls, settings.max_waiting_calls) if caller is None else None
        wait_for_run(services, run, settings.endpoint_wait_seconds - waited, most)
    except SluiceError as error:  # old data is a better answer than this error
        logger.warning(f"Cannot refresh {endpoint.project} before a read: {error.detail}")
    return server.reread(endpoint)


def age_headers(endpoint: Endpoint, answer: CachedAnswer, freshness: Freshness | None) -> dict[str, str]:
    """The headers about the age of an answer, and how long clients may keep it.

    Args:
        endpoint: the endpoint's document.
        answer: the answer.
        freshness: how old its data is; None if it is under no promise. Then the age is that of the cached answer.
    """
    scope, seconds, age = "public" if endpoint.public else "private", endpoint.cache_seconds, answer.age
    if freshness is None:
        return {"Age": str(age), "Cache-Control": f"{scope}, max-age={seconds}"}
    headers = {
        "Age": str(freshness.age),
        "Cache-Control": f"{scope}, max-age={min(seconds, freshness.seconds_left)}",
        "X-Sluice-Refreshed-At": freshness.refreshed_at or "never",
    }
    if freshness.older_than_promised:
        headers["X-Sluice-Older-Than-Promised"] = "true"
    return headers


def _is_too_old(endpoint: ResolvedEndpoint) -> bool:
    freshness = endpoint.freshness()
    return freshness is not None and freshness.older_than_promised
