"""The paths of routed lightpaths, as the document of a result has them, and their links."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

# A path of keys and indexes in a document.
Keys = tuple[str | int, ...]
# The two ends of a link.
Link = frozenset[str]


def lit_paths_of(lightpath: Mapping[str, Any]) -> Iterator[tuple[Keys, Mapping[str, Any]]]:
    """The working path and the protection path of a lightpath, if it has one, with their places in it."""
    info = lightpath["routing_info"]
    for role in ("working", "protection"):
        if info.get(role) is not None:
            yield ("routing_info", role), info[role]


def paths_of(lightpath: Mapping[str, Any]) -> Iterator[tuple[Keys, Mapping[str, Any]]]:
    """All paths of a lightpath with their places in it."""
    yield from lit_paths_of(lightpath)
    for i, entry in enumerate(restorations_of(lightpath)):
        yield ("routing_info", "restoration", i, "info"), entry["info"]


def restorations_of(lightpath: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The restoration paths of a lightpath with their failures."""
    return lightpath["routing_info"].get("restoration") or ()


def links_of(path: Mapping[str, Any]) -> list[Link]:
    """The links of a path, in order."""
    return [frozenset(hop) for hop in pairwise(path["path"])]


def failed_links(failure: Mapping[str, Any]) -> list[Link]:
    """The one or two links of a failure."""
    ends = (failure["first_failure"], failure.get("second_failure"))
    return [frozenset(pair) for pair in ends if pair is not None]
