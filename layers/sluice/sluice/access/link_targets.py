"""What a signed link may lead to: a project's data, a model, a report or an endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from sluice.errors import Invalid

_DAY_SECONDS = 86_400


@dataclass(frozen=True)
class LinkTarget:
    """The resource of a project that a link opens.

    Args:
        name: the model's, report's or endpoint's name; empty for data.
        run: which rendering of a report: a run's id, or `latest`; empty for the other kinds.
        query: the query parameters that the resource is read with.
    """

    kind: Literal["data", "endpoint", "model", "report"]
    query: dict[str, list[str]]
    name: str = ""
    run: str = ""


def parse_target(target: str) -> LinkTarget:
    """Read a link's target.

    Args:
        target: `data`, `models/{name}/data`, `reports/{name}/{run}` or `endpoints/{name}`, with query parameters.

    Raises:
        Invalid: it is anything else, such as an absolute URL.
    """
    message = "A link leads to data, models/{name}/data, reports/{name}/latest or endpoints/{name}."
    error = Invalid(message, [{"pointer": "/target", "message": message}])
    try:
        parts = urlsplit(target)
    except ValueError:
        raise error from None
    if parts.scheme or parts.netloc:
        raise error
    query = parse_qs(parts.query, keep_blank_values=True)
    match parts.path.strip("/").split("/"):
        case ["data"]:
            return LinkTarget("data", query)
        case ["models", name, "data"]:
            return LinkTarget("model", query, name)
        case ["endpoints", name]:
            return LinkTarget("endpoint", query, name)
        case ["reports", name, run]:
            return LinkTarget("report", query, name, run)
    raise error


def link_lifetime(seconds: int, max_days: int) -> timedelta:
    """How long a link will be valid.

    Args:
        seconds: what its maker asks for.
        max_days: the most that is allowed.

    Raises:
        Invalid: it is longer than allowed.
    """
    if seconds > max_days * _DAY_SECONDS:
        message = f"A link is valid for at most {max_days} days: {max_days * _DAY_SECONDS} seconds."
        raise Invalid(message, [{"pointer": "/expires_in_seconds", "message": message}])
    return timedelta(seconds=seconds)
