"""The line that says which data is old."""

from __future__ import annotations

from typing import Any

import click


def warn_of_stale(document: dict[str, Any]) -> None:
    """Print a line to stderr for each earlier version that stands in for a source that could not be fetched.

    Args:
        document: a run, or an answer with data; it has `completeness` and perhaps `stale`.
    """
    for entry in document.get("stale") or []:
        click.secho(
            f"stale: {entry['datasource']}: {entry['error'].removesuffix('.')}. "
            f"Using version {entry['version']} from {entry['data_as_of']}.",
            fg="yellow",
            err=True,
        )
    if document.get("completeness") in ("partial", "unproven"):
        reasons = "; ".join(document.get("completeness_reasons") or [])
        click.secho(f"{document['completeness']}{': ' + reasons if reasons else ''}", fg="yellow", err=True)
