"""Examples for the OpenAPI document, by the model of an answer or body, or by operation and status."""

from __future__ import annotations

from typing import Any

from sluice.api.responses.examples import (
    alarms,
    algorithms,
    assets,
    data,
    definitions,
    inputs,
    platform,
    runs,
    subscriptions,
)
from sluice.api.responses.examples.requests import REQUESTS

EXAMPLES: dict[str, Any] = {**platform.EXAMPLES, **definitions.EXAMPLES, **runs.EXAMPLES, **data.EXAMPLES}
EXAMPLES |= {**assets.EXAMPLES, **inputs.EXAMPLES}
EXAMPLES |= {**alarms.EXAMPLES, **algorithms.EXAMPLES, **subscriptions.EXAMPLES}
EXAMPLES |= {f"{name}.{label}": value for name, forms in REQUESTS.items() for label, (_, value) in forms.items()}
# An example of a list is one page of it.
EXAMPLES |= {
    f"{name}List": {"items": [value], "next": None} for name, value in EXAMPLES.items() if name.endswith("View")
}
