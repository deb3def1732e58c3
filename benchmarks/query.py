"""A published endpoint: a kept answer against FastAPI + Mangum, a computed one against bare DuckDB.

Kept: the handler's own time, in this process, from the gateway's event to its answer. The peer
is what one would write: a FastAPI route with a typed parameter behind Mangum, which asks DynamoDB
once whether its answer still stands, as ours does, and gives the same bytes with the same
headers. Both clients' DynamoDB is stubbed alike: it answers at once what it answered first.

Computed: 1,000,000 rows of Parquet, grouped and sorted, by the handler with its sandbox (the
cache is off, DynamoDB and S3 stubbed the same way) against DuckDB reading the same file with as
many threads and making the same JSON.
"""

from __future__ import annotations

import base64
import importlib.util
import io
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.peers.fastapi_endpoint import kept_endpoint
from benchmarks.support import lower_is_better, show

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "functions"))
os.environ |= {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "POWERTOOLS_SERVICE_NAME": "sluice",
    "POWERTOOLS_LOG_LEVEL": "ERROR",
    "LAKE_BUCKET": "lake",
}

import boto3  # noqa: E402
import botocore.client  # noqa: E402
import botocore.response  # noqa: E402
import duckdb  # noqa: E402
import orjson  # noqa: E402
from moto import mock_aws  # noqa: E402

from sluice.domain.dataset import Manifest  # noqa: E402
from sluice.domain.endpoint import Endpoint  # noqa: E402
from sluice.domain.names import now, rfc3339  # noqa: E402
from sluice.domain.project import Project  # noqa: E402
from sluice.domain.schema import Column  # noqa: E402
from sluice.lake.parquet import data_object  # noqa: E402
from sluice.runs.start import refresh_run  # noqa: E402

ROWS, WARM, ROUNDS = 1_000_000, 2_000, 15
SQL = """
SELECT city, count(*) AS coins, avg(price) AS price, max(rank) AS rank
FROM merged WHERE price > $low GROUP BY city ORDER BY coins DESC, city LIMIT $limit
"""
COLUMNS = [Column(name="city", type="string"), Column(name="price", type="double"), Column(name="rank", type="bigint")]


class Context:
    """What Lambda gives to a handler."""

    aws_request_id, function_name, memory_limit_in_mb = "request-1", "query", 1769
    invoked_function_arn = "arn:aws:lambda:us-east-1:1:function:query"


class Recorder:
    """Stands for botocore's one way out: a read is done once, and answered from memory from then on."""

    def __init__(self) -> None:
        self._original = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined] # private
        self._answers: dict[str, Any] = {}
        self.calls = 0

    def install(self) -> None:
        """Take botocore's place."""
        recorder = self

        def call(client: Any, name: str, arguments: dict[str, Any]) -> Any:
            recorder.calls += 1
            if name not in ("GetItem", "BatchGetItem", "Query", "GetObject"):
                return recorder._original(client, name, arguments)
            key = f"{name} {arguments!r}"
            if key not in recorder._answers:
                answer = recorder._original(client, name, arguments)
                recorder._answers[key] = {**answer, "Body": answer["Body"].read()} if "Body" in answer else answer
            kept = recorder._answers[key]
            if "Body" not in kept:
                return kept
            return {**kept, "Body": botocore.response.StreamingBody(io.BytesIO(kept["Body"]), len(kept["Body"]))}

        botocore.client.BaseClient._make_api_call = call  # type: ignore[attr-defined] # private


def prepare(folder: Path) -> Path:
    """Tables, buckets, a project with one published version and its endpoints; the version's file."""
    spec = importlib.util.spec_from_file_location("template", ROOT / "tests/support/template.py")
    assert spec is not None
    assert spec.loader is not None
    template = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(template)
    for logical_id, properties in template.resources("AWS::DynamoDB::Table").items():
        known = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
        wanted = {name: properties[name] for name in known if name in properties}
        boto3.client("dynamodb").create_table(TableName=logical_id, **wanted)
        os.environ[logical_id.removesuffix("Table").upper() + "_TABLE"] = logical_id
    boto3.client("s3").create_bucket(Bucket="lake")
    os.environ["CACHE_DIR"] = str(folder / "cache")
    from sluice.container import container

    services = container()
    file = folder / "data.parquet"
    duckdb.connect().sql(f"""
        SELECT 'city ' || (hash(range) % 500) AS city, (hash(range, 1) % 1000000) / 100 AS price,
               (hash(range, 2) % 1000)::BIGINT AS rank
        FROM range({ROWS})
    """).write_parquet(str(file), compression="zstd", row_group_size=122_880)
    project = Project(name="p", slug="p")
    found = services.definitions.create("project", "p", project.model_dump(mode="json"), "demo")
    run = services.runs.create(refresh_run("p", "api", "demo"))
    part = data_object("merged/p/data/part-00000.parquet", file, ROWS)
    services.lake.put_file(part.key, file)
    moment = rfc3339(now())
    manifest = Manifest(
        dataset="project/p",
        run=run.id,
        attempt=1,
        stage="merged",
        created_at=moment,
        data_as_of=moment,
        columns=COLUMNS,
        objects=[part],
        rows=ROWS,
        bytes=part.bytes,
        completeness="complete",
        fingerprint="sha256:0",
        engine="duckdb",
    )
    services.lake.put_json("merged/p/manifest.json", manifest.model_dump(mode="json"))
    services.commits.commit(run, [("merged/p/manifest.json", manifest)], services.definitions.require_same_write(found))
    parameters = {
        "limit": {"type": "integer", "default": 100, "min": 1, "max": 200},
        "low": {"type": "number", "default": 0},
    }
    for name, seconds in (("kept", 3600), ("computed", 0)):
        endpoint = Endpoint.model_validate({"sql": SQL, "parameters": parameters, "cache_seconds": seconds})
        services.definitions.create("endpoint", f"p#{name}", endpoint.model_dump(mode="json"), "demo")
    return file


def event(name: str, **query: str) -> dict[str, Any]:
    """The gateway's event of a call of an endpoint by a viewer."""
    made: dict[str, Any] = json.loads((ROOT / "events/api.json").read_text())
    path = f"/v1/endpoints/p/{name}"
    made |= {"httpMethod": "GET", "path": path, "resource": path, "body": None}
    made["queryStringParameters"] = query or None
    made["multiValueQueryStringParameters"] = {key: [value] for key, value in query.items()} or None
    made["multiValueHeaders"] = {key: [value] for key, value in made["headers"].items()}
    viewer = base64.b64encode(b'{"id": "key/demo", "role": "viewer", "projects": null}').decode()
    made["requestContext"] |= {"httpMethod": "GET", "path": "/live" + path, "authorizer": {"principal": viewer}}
    return made


def median_ms(call: Callable[[], Any], times: int) -> float:
    """The median of so many calls, in milliseconds."""
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        call()
        found.append(time.perf_counter() - begun)
    return statistics.median(found) * 1000


def by_duckdb(file: Path, low: float, limit: int) -> bytes:
    """The same rows by DuckDB alone, as the same JSON."""
    from sluice.settings import Settings

    with duckdb.connect(":memory:", config={"threads": Settings().duckdb_threads}) as connection:
        answer = connection.execute(SQL.replace("merged", f"'{file}'"), {"low": low, "limit": limit})
        names = [one[0] for one in answer.description or []]
        return orjson.dumps([dict(zip(names, row, strict=True)) for row in answer.fetchall()])


def rounded(row: dict[str, Any]) -> dict[str, Any]:
    """A row whose mean is as exact as the order of adding lets it be."""
    return {**row, "price": round(row["price"], 6)}


def main() -> None:
    """Measure both cases, each in turn with its peer, and print what came out."""
    with tempfile.TemporaryDirectory() as name, mock_aws():
        file = prepare(Path(name))
        from query.app import handler
        from sluice.container import container

        recorder = Recorder()
        recorder.install()
        first = handler(event("kept"), Context())
        assert first["statusCode"] == 200, first
        told = first["multiValueHeaders"]
        headers = {name: told[name][0] for name in ("ETag", "Cache-Control")}
        theirs = kept_endpoint(first["body"].encode(), headers)
        answers = handler(event("kept"), Context()), theirs(event("kept"), Context())
        assert answers[0]["body"] == answers[1]["body"], "they answer alike"
        recorder.calls = 0
        asked = event("kept")
        rounds = [
            [median_ms(partial(side, asked, Context()), WARM // 4) for side in (handler, theirs)] for _ in range(4)
        ]
        reads = recorder.calls / (2 * WARM)
        kept = [statistics.median(one[side] for one in rounds) for side in (0, 1)]
        computed: tuple[list[float], list[float]] = ([], [])
        for number in range(ROUNDS + 1):
            low = str(number / 7)
            compute = event("computed", low=low)
            computed[0].append(median_ms(partial(handler, compute, Context()), 1))
            computed[1].append(median_ms(partial(by_duckdb, file, float(low), 100), 1))
        same = orjson.loads(handler(event("computed", low="5"), Context())["body"])["items"]
        other = orjson.loads(by_duckdb(file, 5.0, 100))  # two threads add doubles in any order
        assert [rounded(row) for row in same] == [rounded(row) for row in other], "they answer alike"
        container().sandbox.close()
    slow = [statistics.median(times[1:]) for times in computed]
    show(
        [
            lower_is_better("query", "endpoint, kept answer", kept[0], kept[1], "FastAPI + Mangum", "ms"),
            lower_is_better("query", f"endpoint, computed on {ROWS:,} rows", slow[0], slow[1], "bare DuckDB", "ms"),
        ]
    )
    print(f"requests to DynamoDB for each kept answer: {reads:g}")


if __name__ == "__main__":
    main()
