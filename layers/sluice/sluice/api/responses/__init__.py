"""What each operation answers, as models with examples: for the OpenAPI document only.

Routes name a model here by its name, and handlers answer with plain dictionaries: a function that
starts imports none of this. The tests' client checks every answer against the document.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from sluice.api.responses import arrivals, data, definitions, platform, runs, versions
from sluice.api.responses.examples import EXAMPLES

_MODULES = (arrivals, data, definitions, platform, runs, versions)


def response_model(name: str) -> type[BaseModel]:
    """The model of an answer.

    Raises:
        LookupError: no model has this name.
    """
    for module in _MODULES:
        model = getattr(module, name, None)
        if isinstance(model, type) and issubclass(model, BaseModel):
            return model
    raise LookupError(f"sluice.api.responses has no model {name!r}.")


def example_name(*names: str) -> str:
    """The first of these names under which there is an example: of an operation, or of a model.

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
