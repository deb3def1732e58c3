"""The function `missing_data`: raises alarms of sensors that have sent nothing for too long."""

from typing import Any

from sluice.alarms.missing import check_missing
from sluice.container import container


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Check all watched sensors; a schedule calls it every minute while there are any.

    Returns:
        `{"changed"}`: how many alarms were raised or cleared.
    """
    return {"changed": check_missing(container())}
