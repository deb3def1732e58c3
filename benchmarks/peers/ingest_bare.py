"""The bare loop: `ingest_bare.py URL FOLDER [S3 BUCKET]`. Pages one after the other, then DuckDB to Parquet.

With S3's address and a bucket, each page is also compressed by gzip at level 1 and put there.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
import duckdb
import httpx

from benchmarks.peers.measuring import report


def ingest(url: str, folder: Path, store: Callable[[int, bytes], object] | None) -> int:
    """Fetch all pages, store each as well, and write their records as Parquet; how many they are."""
    total, offset, page = 1, 0, 0
    (folder / "pages").mkdir()
    with httpx.Client(trust_env=False) as client:
        while offset < total:
            answer = client.get(f"{url}/records", params={"offset": offset, "limit": 1000}).raise_for_status()
            if page == 0:
                total = json.loads(answer.content)["total"]
            (folder / f"pages/{page:06}.json").write_bytes(answer.content)
            if store is not None:
                store(page, answer.content)
            offset, page = offset + 1000, page + 1
    records = f"SELECT unnest(items, max_depth := 2) FROM read_json('{folder}/pages/*.json')"
    with duckdb.connect(config={"threads": 2}) as connection:
        done = connection.execute(f"COPY ({records}) TO '{folder}/records.parquet' (FORMAT parquet, COMPRESSION zstd)")
        return int(done.fetchall()[0][0])


def storing(endpoint: str, bucket: str, prefix: str) -> Callable[[int, bytes], object]:
    """What puts a page into the bucket, compressed."""
    s3: Any = botocore.session.get_session().create_client("s3", endpoint_url=endpoint)

    def store(page: int, body: bytes) -> None:
        s3.put_object(Bucket=bucket, Key=f"{prefix}/{page:06}", Body=gzip.compress(body, 1))

    return store


def main() -> None:
    """Measure one of the two loops."""
    url, folder = sys.argv[1], Path(sys.argv[2])
    store = storing(sys.argv[3], sys.argv[4], folder.name) if len(sys.argv) > 3 else None
    report(lambda: ingest(url, folder, store))


if __name__ == "__main__":
    main()
