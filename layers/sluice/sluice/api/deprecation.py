"""Deprecated routes: they keep working, and their answers name the route that has replaced them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from urllib.parse import quote


@dataclass(frozen=True)
class Deprecation:
    """The mark of a route that another one has replaced.

    Args:
        since: the day from which it is deprecated.
        successor: the path of the route to call instead, below `/v1`, perhaps with a query. Names in braces are path
            parameters of the deprecated route.
        sunset: the day from which the route may be missing; null: it is not decided.
    """

    since: date
    successor: str
    sunset: date | None = None

    @property
    def notice(self) -> str:
        """The deprecation as a sentence for the OpenAPI document."""
        end = f", and may be removed from {self.sunset} on" if self.sunset else ""
        return f"Deprecated since {self.since}{end}. Use `GET {self.successor}` instead."

    def headers(self, base_url: str, arguments: Mapping[str, str]) -> dict[str, str]:
        """The headers of the deprecated route's answers: RFC 9745, RFC 8594 and RFC 5829.

        Args:
            base_url: the API's address.
            arguments: the path parameters of the request.
        """
        successor = self.successor.format_map({name: quote(value, safe="") for name, value in arguments.items()})
        headers = {
            "Deprecation": f"@{int(_midnight(self.since).timestamp())}",
            "Link": f'<{base_url}{successor}>; rel="successor-version"',
        }
        if self.sunset is not None:
            headers["Sunset"] = format_datetime(_midnight(self.sunset), usegmt=True)
        return headers


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
