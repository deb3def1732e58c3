"""The parameters of a published endpoint, as a caller sends them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sluice.domain.endpoint import Endpoint, EndpointParameter
from sluice.domain.schema import BIGINT_RANGE
from sluice.errors import Invalid


def require_known_parameters(endpoint: Endpoint, names: set[str]) -> None:
    """Refuse query parameters that an endpoint does not have.

    Args:
        names: the names in the request's query string.

    Raises:
        Invalid: one fault for each unknown name.
    """
    known = {*endpoint.parameters, "format", "bom"}
    unknown = sorted(names - known)
    if unknown:
        faults = [_fault(name, "Unknown query parameter.") for name in unknown]
        raise Invalid(f"The endpoint has no parameter {unknown[0]}; it has {', '.join(sorted(known))}.", faults)


def typed_values(endpoint: Endpoint, texts: Mapping[str, str | None]) -> dict[str, Any]:
    """The value of each parameter of an endpoint, with its type.

    Args:
        texts: what the caller sent, by name; null for a parameter that was not sent.

    Returns:
        A value for every parameter of the endpoint; null for one without a value and a default.

    Raises:
        Invalid: a required parameter is missing, or a value does not fit its type and bounds.
    """
    return {name: _typed_value(name, parameter, texts[name]) for name, parameter in endpoint.parameters.items()}


def _typed_value(name: str, parameter: EndpointParameter, text: str | None) -> Any:
    if text is None and parameter.required:
        raise Invalid(f"The parameter {name} is required.", [_fault(name, "Give a value.")])
    if text is None and parameter.default is not None:
        text = str(parameter.default).lower() if isinstance(parameter.default, bool) else str(parameter.default)
    if text is None:
        return None
    try:
        value = parameter.parse_value(text)
    except ValueError as error:
        raise Invalid(f"The parameter {name} cannot be {text!r}: {error}.", [_fault(name, str(error))]) from None
    if isinstance(value, int) and value not in BIGINT_RANGE:
        raise Invalid(f"The parameter {name} is too large.", [_fault(name, "Give a smaller number.")])
    return value


def _fault(name: str, message: str) -> dict[str, str]:
    return {"pointer": f"?{name}", "message": message}
