"""Response models and their examples, for the OpenAPI document only.

Routes refer to a model by its name, and handlers return plain dictionaries, so that no function
imports these models when it starts. The tests' client checks every answer against the document.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from sluice.api.responses import arrivals, data, definitions, platform, runs, versions
from sluice.api.responses.examples import EXAMPLES

_MODULES = (arrivals, data, definitions, platform, runs, versions)


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


def example(name: str) -> Any:
    """The example of this name.

    Raises:
        LookupError: there is none.
    """
    return EXAMPLES[example_name(name)]
