"""The names of files with data: what a browser saves an answer as."""

from __future__ import annotations

from sluice.domain.dataset_id import DatasetId


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


def dataset_file_name(dataset: DatasetId, version: int, ending: str) -> str:
    """The name of a file with a version of a dataset.

    Args:
        dataset: the records of a datasource, the merge of a project, or the rows of a model.
        version: the version's number.
        ending: the ending of the format, without a dot.
    """
    _, name = dataset.resource or ("", "")
    return file_name([dataset.owner, name] if name else [dataset.owner], version, ending)
