"""Where things lie in the lake, below the workspace's prefix."""

from __future__ import annotations

from sluice.domain.run import Run


def raw(content_hash: str) -> str:
    """A body as received, by the SHA-256 of its decoded content."""
    return f"raw/{content_hash[:2]}/{content_hash}"


def fetch_index(run: Run, attempt: int) -> str:
    """What an attempt of a run fetched, by datasource and day, so that people can browse."""
    later = "" if attempt == 1 else f"-{attempt}"
    return f"raw-index/{run.datasource}/{run.created_at[:10]}/{run.id}{later}.json"


def version_folder(run: Run, fingerprint: str) -> str:
    """Where a version lies: below the run and attempt that make it and the inputs it is made of.

    The same inputs give the same bytes, so a step that is repeated after a crash writes the same
    objects again, or others elsewhere; no manifest ever names an object that changes.
    """
    return f"{run.type.folder}/{run.belongs_to}/{run.id}/{run.attempt}-{fingerprint.removeprefix('sha256:')[:12]}"


def output_folder(run: Run, kind: str, name: str, fingerprint: str) -> str:
    """Where a version of a model or report lies, as those of a merge do."""
    return f"{kind}/{run.project}/{name}/{run.id}/{run.attempt}-{fingerprint.removeprefix('sha256:')[:12]}"


def data(folder: str, part: int) -> str:
    """One Parquet file of a version; `data/` holds nothing but such files."""
    return f"{folder}/data/part-{part:05d}.parquet"


def provenance(folder: str, part: int) -> str:
    """Where the values of a merge's rows came from, row for row."""
    return f"{folder}/provenance/part-{part:05d}.parquet"


def document(folder: str) -> str:
    """The merged document."""
    return f"{folder}/document.json.gz"


def manifest(folder: str) -> str:
    """The manifest beside the data."""
    return f"{folder}/manifest.json"


def identities(run: Run, reading: str) -> str:
    """Where the calls of a run keep hashes that tell records apart, for one way of reading pages; for a month."""
    return f"identities/{run.id}/{reading}"


def refresh_items(run: Run) -> str:
    """The datasources that a refresh ingests, one item each for the workflow's map."""
    return f"runs/{run.id}/items-{run.attempt}.json"


def parts(run: Run) -> str:
    """The names of what a run's attempt makes, in order."""
    return f"runs/{run.id}/parts-{run.attempt}.json"


def part(run: Run, name: str) -> str:
    """Which manifest one part of a run's attempt has written."""
    return f"runs/{run.id}/parts-{run.attempt}/{name}.json"


def answer(content_hash: str) -> str:
    """An answer that is too large to be given inline."""
    return f"answers/{content_hash}"


def work_folder(run: Run, fingerprint: str) -> str:
    """Where workers that share one stage of a run leave what the next ones read; kept for two days."""
    return f"partitions/{run.id}/{run.attempt}-{fingerprint.removeprefix('sha256:')[:12]}"


def work_plan(folder: str, stage: str = "plan") -> str:
    """What the workers have to know: all of them, or those of one stage of their work."""
    return f"{folder}/{stage}.json"


def work_items(folder: str, stage: str) -> str:
    """The workers of one stage, one item each for the workflow's map."""
    return f"{folder}/{stage}-items.json"


def work_result(folder: str, stage: str, number: int) -> str:
    """What one worker has made."""
    return f"{folder}/{stage}/{number:05d}.json"


def work_rows(folder: str, stage: str, number: int) -> str:
    """The Parquet file that one worker has made."""
    return f"{folder}/{stage}/{number:05d}.parquet"


def merge_pack(folder: str, number: int, sha256: str) -> str:
    """The rows of a merge that one worker has split by parts."""
    return f"{folder}/split/{number:05d}-{sha256[:16]}"
