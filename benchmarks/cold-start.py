"""The `api` function against FastAPI + Mangum with the same routes: first answer and warm request.

Cold: a fresh process imports the handler and answers its first event. Warm: the same process
answers again and again. Both answer `GET /v1/health`, and `GET /v1/datasources/{slug}` with the
item that a stub of DynamoDB on loopback gives both, or, for warm requests, both clients alike in
the process. The two take turns in one run; medians are compared.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "functions")]

from api.app import ROUTES  # noqa: E402
from peers.fastapi_service import write_service  # noqa: E402
from sluice.domain.datasource import Datasource  # noqa: E402
from support import lower_is_better, show  # noqa: E402

ROUNDS, WARM = 11, 400
DOCUMENT = Datasource.model_validate(
    {"slug": "coins", "name": "Coins", "kind": "http", "http": {"url": "https://api.example.com/v1/coins"}}
)
ITEM = {
    "workspace_kind": {"S": "main#datasource"},
    "name": {"S": "coins"},
    "document": {"S": json.dumps(DOCUMENT.model_dump(mode="json", by_alias=True))},
    "schema_version": {"N": "2"},
    "version": {"N": "1"},
    "created_at": {"S": "2026-01-01T00:00:00.000Z"},
    "created_by": {"S": "key/demo"},
    "updated_at": {"S": "2026-01-01T00:00:00.000Z"},
    "assigned": {"N": "0"},
}
PATHS = {"health": "/v1/health", "datasource": "/v1/datasources/coins"}

# What the child process does: import, one answer, then many.
CHILD = """
import json, sys, time
began = time.perf_counter()
module, path, warm = sys.argv[1], sys.argv[2], int(sys.argv[3])
handler = __import__(module, fromlist=["handler"]).handler
event = json.loads(sys.stdin.read())
class Context:
    aws_request_id = "request-1"
    function_name = "api"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:us-east-1:1:function:api"
    def get_remaining_time_in_millis(self):
        return 29000
answer = handler(event, Context())
cold = time.perf_counter() - began
assert answer["statusCode"] == 200, answer
times = []
if warm:
    import botocore.client
    item = json.loads(sys.argv[4])
    original = botocore.client.BaseClient._make_api_call
    def stubbed(self, name, arguments):
        if name != "GetItem":
            return original(self, name, arguments)
        parsed = {"Item": item, "ResponseMetadata": {"HTTPStatusCode": 200}}
        self.meta.events.emit("after-call.dynamodb.GetItem", http_response=None, parsed=parsed,
                              model=self.meta.service_model.operation_model("GetItem"), context={})
        return parsed
    botocore.client.BaseClient._make_api_call = stubbed
    for _ in range(warm):
        began = time.perf_counter()
        handler(event, Context())
        times.append(time.perf_counter() - began)
body = json.loads(answer["body"])
print(json.dumps({"cold": cold, "warm": sorted(times)[len(times) // 2] if times else None, "body": body}))
"""


class Stub(BaseHTTPRequestHandler):
    """DynamoDB, as far as one GetItem needs it."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"Item": ITEM}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def dynamodb() -> Iterator[str]:
    """The stub's address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


def measured(module: str, folder: Path, endpoint: str, path: str) -> dict[str, Any]:
    """One fresh process."""
    event = json.loads((ROOT / "events/api.json").read_text())
    event |= {"httpMethod": "GET", "path": path, "resource": path, "body": None}
    event["multiValueHeaders"] = {name: [value] for name, value in event["headers"].items()}
    event["requestContext"] |= {"httpMethod": "GET", "path": "/live" + path}
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT / "functions"), str(ROOT / "layers/sluice")]),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "DEFINITIONS_TABLE": "definitions",
        "POWERTOOLS_SERVICE_NAME": "sluice",
    }
    command = [sys.executable, "-c", CHILD, module, path, str(WARM), json.dumps(ITEM)]
    done = subprocess.run(
        command, env=environment, input=json.dumps(event), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"{module} failed:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def main() -> None:
    """Measure both in turn, and print what came out."""
    comparisons = []
    with tempfile.TemporaryDirectory() as name, dynamodb() as endpoint:
        folder = Path(name)
        write_service(folder / "peer_service.py", ROUTES)
        for case, path in PATHS.items():
            rounds = [
                [measured(module, folder, endpoint, path) for module in ("api.app", "peer_service")]
                for _ in range(ROUNDS + 1)
            ]
            bodies = [
                {key: found["body"].get(key) for key in ("status", "slug", "http", "etag")} for found in rounds[0]
            ]
            if bodies[0] != bodies[1]:
                raise SystemExit(f"they do not answer alike: {bodies}")
            for what in ("cold", "warm"):  # the first round has compiled what was not compiled yet
                ours, theirs = (statistics.median(found[side][what] for found in rounds[1:]) * 1000 for side in (0, 1))
                comparisons.append(
                    lower_is_better("cold-start", f"{what} {case}", ours, theirs, "FastAPI + Mangum", "ms")
                )
    show(comparisons)


if __name__ == "__main__":
    main()
