"""Response models and their examples, for the OpenAPI document only.

Routes refer to a model by its name, and handlers return plain dictionaries, so that no function
imports these models when it starts. The tests' client checks every answer against the document.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from sluice.api.responses import (
    alarms,
    algorithms,
    arrivals,
    assets,
    audit,
    data,
    definitions,
    inputs,
    platform,
    readings,
    runs,
    subscriptions,
    versions,
)
from sluice.api.responses.examples import EXAMPLES
from sluice.api.responses.examples.requests import REQUESTS

_MODULES = (
    alarms,
    algorithms,
    arrivals,
    assets,
    audit,
    data,
    definitions,
    inputs,
    platform,
    readings,
    runs,
    subscriptions,
    versions,
)


def response_model(name: str) -> type[BaseModel]:
    """The response model of this name.

    Raises:
        LookupError: no model has this name.
    """
    for module in _MODULES:
        model = getattr(module, name, None)
        if isinstance(model, type) and issubclass(model, BaseModel):
            return model
    raise LookupError(f"sluice.api.responses has no model {name!r}.")


def example_name(*names: str) -> str:
    """The first of these names that has an example.

    Args:
        names: of operations (`get_run.200`) or models.

    Raises:
        LookupError: there is none.
    """
    for name in names:
        if name in EXAMPLES:
            return name
    raise LookupError(f"There is no example of {' or '.join(filter(None, names))} in sluice.api.responses.examples.")


def request_examples(*names: str) -> dict[str, str]:
    """The examples of a request's body.

    Args:
        names: of an operation's body (`create_upload.body`) and of its model; the first with examples counts.

    Returns:
        The name of each example with its summary; the summary of an only example is empty.

    Raises:
        LookupError: there is none.
    """
    for name in names:
        if name in REQUESTS:
            return {f"{name}.{label}": summary for label, (summary, _) in REQUESTS[name].items()}
    return {example_name(*names): ""}


def example(name: str) -> Any:
    """The example of this name.

    Raises:
        LookupError: there is none.
    """
    return EXAMPLES[example_name(name)]
