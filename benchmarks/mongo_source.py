"""A collection of MongoDB into raw pages: the mongo source against a plain loop over pymongo.

The collection has a million documents of eleven fields: ids, texts, decimals, dates, numbers, an embedded document,
a uuid. The server is the tests' own, a process of Python on loopback that sends documents which it has encoded
before; each way reads in a process of its own, and what they import is not counted. Both take turns in each round;
medians are compared.

- Sluice: documents become pages of Extended JSON with the types of their columns, compressed and written as the
  lake keeps them;
- pymongo: `for document in collection.find().sort("_id", 1)`, each written as a line of Extended JSON by
  `bson.json_util`, relaxed and canonical, and not compressed.

dlt has a source for MongoDB, but not in its package. `mongo_source.py --rows N --rounds N`.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from benchmarks.database_reads import OURS, compare, measure, server, take_turns
from benchmarks.support import ROOT, show


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with server("support.mongo_server", str(options.rows)) as port:

        def read(module: str, *arguments: str) -> partial[dict[str, object]]:
            variables = {"PYTHONPATH": str(ROOT)}
            return partial(measure, Path(sys.executable), module, [str(port)], [*arguments], variables)

        ways = {
            OURS: read("mongo_ours"),
            "pymongo, relaxed": read("mongo_pymongo", "relaxed"),
            "pymongo, canonical": read("mongo_pymongo", "canonical"),
        }
        results = take_turns(ways, options.rounds, options.rows)
    show(compare("mongo_source", results))


if __name__ == "__main__":
    main()
