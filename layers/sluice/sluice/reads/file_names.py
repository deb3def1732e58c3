"""The names of files with data: what a browser saves an answer as."""

from __future__ import annotations


def file_name(parts: list[str], version: int | None, ending: str, *details: str) -> str:
    """The name of a file, such as `top-coins-ratio-v14.csv`.

    Slugs and SQL names have only letters, digits, hyphens and underscores of ASCII, so the name is safe in a header
    and on every file system.

    Args:
        parts: the slugs and names that lead to the data.
        version: its version; None: the data is of no version.
        ending: the ending of the format, without a dot.
        details: what follows the version, such as a part of the data.
    """
    number = [f"v{version}"] if version is not None else []
    return f"{'-'.join([*parts, *number, *details])}.{ending}"
