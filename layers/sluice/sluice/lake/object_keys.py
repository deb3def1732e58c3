"""The keys of objects in the lake, without the workspace's prefix."""

from __future__ import annotations

from sluice.domain.run import Run


def raw(content_hash: str) -> str:
    """A page as received, by the SHA-256 of its decoded content."""
    return f"raw/{content_hash[:2]}/{content_hash}"


def fetch_index(run: Run, attempt: int) -> str:
    """The list of what an attempt of a run fetched, by datasource and day, so that people can browse."""
    later = "" if attempt == 1 else f"-{attempt}"
    return f"raw-index/{run.datasource}/{run.created_at[:10]}/{run.id}{later}.json"


def version_folder(run: Run, fingerprint: str) -> str:
    """The folder of a version: by run, attempt and fingerprint.

    Equal inputs give equal bytes. So a step that is repeated after a crash writes the same objects again, or, with
    other inputs, others elsewhere. No manifest ever refers to an object that changes.
    """
    return f"{run.type.folder}/{run.belongs_to}/{run.id}/{run.attempt}-{fingerprint.removeprefix('sha256:')[:12]}"


def output_folder(run: Run, kind: str, name: str, fingerprint: str) -> str:
    """The folder of a version of a model or report; see `version_folder`."""
    return f"{kind}/{run.project}/{name}/{run.id}/{run.attempt}-{fingerprint.removeprefix('sha256:')[:12]}"


def data(folder: str, part: int) -> str:
    """A Parquet file of a version. `data/` contains nothing else, so that Athena can read the folder."""
    return f"{folder}/data/part-{part:05d}.parquet"


def provenance(folder: str, part: int) -> str:
    """The provenance of a merge's rows, row by row."""
    return f"{folder}/provenance/part-{part:05d}.parquet"


def document(folder: str) -> str:
    """The merged document."""
    return f"{folder}/document.json.gz"


def manifest(folder: str) -> str:
    """The manifest of a version."""
    return f"{folder}/manifest.json"


def identities(run: Run, reading: str) -> str:
    """The folder for hashes that identify a run's records, for one way of parsing pages; kept for a month."""
    return f"identities/{run.id}/{reading}"


def refresh_items(run: Run) -> str:
    """The datasources that a refresh ingests, one item each for the workflow's map."""
    return f"runs/{run.id}/items-{run.attempt}.json"


def parts(run: Run) -> str:
    """The names of the outputs of a run's attempt, in order."""
    return f"runs/{run.id}/parts-{run.attempt}.json"


def part(run: Run, name: str) -> str:
    """The manifest key of one output of a run's attempt."""
    return f"runs/{run.id}/parts-{run.attempt}/{name}.json"


def input_document(sha256: str) -> str:
    """A document of an input, gzipped, by the SHA-256 of its compact JSON."""
    return f"inputs/{sha256[:2]}/{sha256}.json.gz"


def algorithm_children(run: Run) -> str:
    """The folder that names the runs of algorithms which an attempt of a refresh has begun."""
    return f"runs/{run.id}/algorithms-{run.attempt}"


def answer(content_hash: str) -> str:
    """A response body that is too large to be inline."""
    return f"answers/{content_hash}"


def work_folder(run: Run, fingerprint: str) -> str:
    """The folder in which the workers of a stage store results for each other; kept for two days."""
    return f"partitions/{run.id}/{run.attempt}-{fingerprint.removeprefix('sha256:')[:12]}"


def work_plan(folder: str, stage: str = "plan") -> str:
    """What the workers need to know: all of them, or those of one stage."""
    return f"{folder}/{stage}.json"


def work_items(folder: str, stage: str) -> str:
    """The workers of a stage, one item each for the workflow's map."""
    return f"{folder}/{stage}-items.json"


def work_result(folder: str, stage: str, number: int) -> str:
    """The result of one worker."""
    return f"{folder}/{stage}/{number:05d}.json"


def work_rows(folder: str, stage: str, number: int) -> str:
    """The Parquet file of one worker."""
    return f"{folder}/{stage}/{number:05d}.parquet"


def restarts(run: Run, fingerprint: str) -> str:
    """The folder of what the steps of an algorithm's run hand on; kept for two days.

    It does not depend on the attempt, so that a redrive continues with the restarts that are solved.
    """
    return f"partitions/{run.id}/{fingerprint.removeprefix('sha256:')[:12]}"


def prepared(folder: str) -> str:
    """What all restarts are given."""
    return f"{folder}/prepared.json.gz"


def solution(folder: str, restart: int) -> str:
    """The solution of a restart, with its warnings."""
    return f"{folder}/solution/{restart:05d}.json.gz"


def score(folder: str, restart: int) -> str:
    """The score of a restart; written after its solution."""
    return f"{folder}/score/{restart:05d}.json"


def result(run: Run) -> str:
    """What a run of an algorithm has stored; written when all of that is in the lake."""
    return f"algorithms/{run.project}/{run.algorithm}/{run.id}/result.json"


def adopted_manifest(run: Run, refresh: Run, table: str) -> str:
    """The manifest of a table of results as a refresh publishes it."""
    return f"algorithms/{run.project}/{run.algorithm}/{run.id}/published/{refresh.id}-{refresh.attempt}/{table}.json"


def result_folder(run: Run) -> str:
    """The folder of an attempt's result; equal inputs give equal bytes, so that a repeated step changes nothing."""
    return f"algorithms/{run.project}/{run.algorithm}/{run.id}/{run.attempt}"


def merge_pack(folder: str, number: int, sha256: str) -> str:
    """The rows of a merge that one worker has split into parts."""
    return f"{folder}/split/{number:05d}-{sha256[:16]}"


def erasure(run: str, name: str) -> str:
    """What an erasure hands on between its steps: the key, the plan, and the new hashes of pages; gone at its end."""
    return f"erasures/{run}/{name}.json"


def erased_work_folder(run: str, fingerprint: str) -> str:
    """The folder of a merge in parts that an erasure does again; kept for two days at most."""
    return f"partitions/{run}/{fingerprint.removeprefix('sha256:')[:12]}"
