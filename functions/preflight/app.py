"""The function `preflight`: answers CORS preflight requests; its role allows nothing else."""

from typing import Any

from sluice.api.cors import preflight
from sluice.settings import load_settings


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an OPTIONS request of any path."""
    return preflight(event, load_settings())
