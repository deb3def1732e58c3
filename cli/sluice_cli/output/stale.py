"""The line that says which data is old."""

from __future__ import annotations

import re
from typing import Any

from sluice_cli.output.messages import echo

# `prices;version=14;data-as-of="…";error="…"`: see docs/explanation/completeness.md.
_ENTRY = re.compile(r'([^;,\s]+);version=(\d+);data-as-of="([^"]*)";error="((?:[^"\\]|\\.)*)"')


def stale_entries(header: str) -> list[dict[str, Any]]:
    """The entries of the header `X-Sluice-Stale`.

    Args:
        header: the header; empty if the answer has none.
    """
    return [
        {"datasource": slug, "version": version, "data_as_of": moment, "error": re.sub(r"\\(.)", r"\1", error)}
        for slug, version, moment, error in _ENTRY.findall(header)
    ]


def warn_of_stale(document: dict[str, Any]) -> None:
    """Print a line to stderr for each earlier version that stands in for a source that could not be fetched.

    Args:
        document: a run, or an answer with data; it has `completeness` and perhaps `stale`.
    """
    for entry in document.get("stale") or []:
        echo(
            f"stale: {entry['datasource']}: {entry['error'].removesuffix('.')}. "
            f"Using version {entry['version']} from {entry['data_as_of']}.",
            fg="yellow",
            err=True,
        )
    if document.get("completeness") in ("partial", "unproven"):
        reasons = "; ".join(_beside_stale(document, document.get("completeness_reasons") or []))
        echo(f"{document['completeness']}{': ' + reasons if reasons else ''}", fg="yellow", err=True)


def other_warnings(run: dict[str, Any]) -> list[str]:
    """The warnings of a run that `warn_of_stale` does not print.

    Args:
        run: the run's document.
    """
    reasons = run.get("completeness_reasons") or []
    return [text for text in _beside_stale(run, run["warnings"]) if text not in reasons]


def _beside_stale(document: dict[str, Any], texts: list[str]) -> list[str]:
    """The texts that are not about an earlier version that stands in."""
    names = tuple(f"{entry['datasource']}:" for entry in document.get("stale") or [])
    return [text for text in texts if not (text.startswith(names) and "Using version" in text)]
