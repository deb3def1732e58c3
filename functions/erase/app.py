"""The function `erase`: removes a record from everything that is stored, and what retention no longer keeps."""

from typing import Any

from sluice.container import container
from sluice.stages.erase import erase
from sluice.stages.runner import run_step


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run the stage once for an event `{"run_id", "attempt"}`; or enforce retentions for `{"retention": true}`.

    Returns:
        The outcome that the workflow's Choice states read, such as `{"outcome": "done"}`; or how many pages and
        versions were removed.
    """
    if event.get("retention"):
        from sluice.erasure.retention import enforce_retention  # erasures start sooner without it

        return {**enforce_retention(container())}
    return run_step(erase, event, context)
