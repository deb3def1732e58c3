"""A plain loop over pymongo that writes a line for each document: `mongo_pymongo.py PORT FOLDER relaxed|canonical`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from bson.json_util import CANONICAL_JSON_OPTIONS, RELAXED_JSON_OPTIONS, dumps
from pymongo import MongoClient

from benchmarks.peers.measuring import report


def ingest(port: int, path: Path, form: str) -> int:
    """Write all documents; how many there are."""
    options = CANONICAL_JSON_OPTIONS if form == "canonical" else RELAXED_JSON_OPTIONS
    rows = 0
    with (
        MongoClient[dict[str, Any]](f"mongodb://127.0.0.1:{port}/?directConnection=true") as client,
        path.open("w") as file,
    ):
        for document in client.shop.orders.find().sort("_id", 1):
            file.write(dumps(document, json_options=options) + "\n")
            rows += 1
    return rows


def main() -> None:
    """Measure it."""
    port, folder, form = sys.argv[1:]
    report(lambda: ingest(int(port), Path(folder) / "orders.jsonl", form))


if __name__ == "__main__":
    main()
